// The sections of the page: each has a title, and a view that is made once and refreshed with what the cluster says now.
import {badge, command, el, table} from "./tables.js";
import {bytes, duration, moment, money, number} from "./format.js";
import {picture} from "./charts.js";
import {timeline} from "./timeline.js";

const TITLES = {overview: "Overview", nodes: "Nodes", hdfs: "HDFS", yarn: "YARN", jobs: "Jobs and flows", spark: "Spark applications", costs: "Costs"};
const MIB = 1048576;
const HOUR = 3600;

// A part of a section that one answer fills: a failure stands in its place, and the others go on.
class Part {
  constructor(title, ask, draw) {
    this.ask = ask;
    this.make = draw;
    this.body = el("div", {class: "body"}, el("p", {class: "notice"}, "…"));
    this.root = el("section", {class: "part", "data-state": "loading"}, el("h2", {}, title), this.body);
  }

  async refresh(state) {
    try {
      this.body.replaceChildren(this.make(await this.ask(state), state));
      this.root.dataset.state = "ok";
    } catch (error) {
      this.root.dataset.state = "error";
      this.body.replaceChildren(el("p", {class: "notice bad"}, error.message));
    }
  }

  repaint() {}
}

// The pictures of a page, numbers first. Few are asked for at once: the store has others to answer.
class Pictures {
  constructor(panels) {
    this.pictures = panels.map(picture);
    const tiles = this.pictures.filter(row => row.panel.kind === "number"), charts = this.pictures.filter(row => row.panel.kind !== "number");
    this.tiles = el("div", {class: "tiles"}, tiles.map(row => row.figure));
    this.charts = el("div", {class: "charts"}, charts.map(row => row.figure));
    this.root = el("div", {}, tiles.length ? this.tiles : null, charts.length ? this.charts : null);
  }

  async refresh(state) {
    const waiting = [...this.pictures];
    const work = async () => {
      for (let one = waiting.shift(); one; one = waiting.shift()) {
        try {
          one.draw(await state.get("panel", {id: one.panel.id, start: state.start, end: state.end, points: state.points}));
        } catch (error) {
          one.fail(error.message);
        }
      }
    };
    await Promise.all([work(), work(), work()]);
  }

  repaint() {
    for (const one of this.pictures) one.repaint();
  }
}

function daemons(found) {
  const kinds = new Map();
  for (const row of found.daemons) kinds.set(row.label || row.component, [...(kinds.get(row.label || row.component) || []), row]);
  return el("ul", {class: "daemons"}, [...kinds].map(([label, rows]) => {
    const bad = rows.filter(row => row.state !== "up");
    return el("li", {class: bad.length ? "bad" : "good"}, el("span", {class: "dot", "aria-hidden": "true"}), el("b", {}, label),
      el("span", {class: "count"}, `${rows.length - bad.length} of ${rows.length}`),
      bad.length ? el("span", {class: "where"}, bad.map(row => `${row.node} ${row.state === "absent" ? "has no figures" : "does not answer"}`).join(", ")) : null);
  }));
}

// Alerts of one name on many nodes are one card; what is about to fire is one line that unfolds, so that what fires is seen first.
const MOST_NODES = 5;
let unfolded = false;

function named(rows) {
  const found = new Map();
  for (const row of [...rows].sort((one, other) => one.node < other.node ? -1 : 1)) found.set(row.name, [...(found.get(row.name) || []), row]);
  return [...found.values()];
}

function where(rows) {
  const nodes = [...new Set(rows.map(row => row.node).filter(Boolean))].sort();
  const more = nodes.length > MOST_NODES ? ` and ${nodes.length - MOST_NODES} more` : "";
  return nodes.length ? el("span", {class: "muted"}, nodes.slice(0, MOST_NODES).join(", ") + more) : null;
}

function card(rows, kind) {
  const [row] = rows, since = Math.min(...rows.map(one => Date.parse(one.since))) / 1000;
  return el("li", {class: kind}, el("div", {class: "line"}, el("b", {}, row.name), badge(kind), where(rows), el("span", {class: "muted"}, `since ${moment(since)}`)),
    el("p", {}, row.means), row.help ? command(row.help) : null);
}

function alerts(found) {
  const firing = named(found.alerts.filter(row => row.state === "firing")), pending = named(found.alerts.filter(row => row.state !== "firing"));
  const list = firing.length ? el("ul", {class: "alerts"}, firing.map(rows => card(rows, rows[0].severity))) : el("p", {class: "notice good"}, "No alert fires.");
  if (!pending.length) return list;
  const later = el("details", {class: "later"}, el("summary", {}, `About to fire, if it stays so: ${pending.map(rows => rows[0].name).join(", ")}`),
    el("ul", {class: "alerts"}, pending.map(rows => card(rows, "pending"))));
  later.open = unfolded;
  later.addEventListener("toggle", () => { unfolded = later.open; });
  return el("div", {}, list, later);
}

// How long a job took against its like before: a bar around what is usual.
function against(row) {
  if (!row.usual) return el("span", {class: "muted"}, row.runs ? `${row.runs} before` : "first");
  const times = row.seconds / row.usual;
  const tone = times > 2 ? "bad" : times > 1.3 ? "warn" : "good";
  const meter = el("meter", {min: 0, max: 3, value: Math.min(3, times), low: 1.3, high: 2, optimum: 1, "aria-label": "against the usual duration"});
  return el("span", {class: `against ${tone}`, title: `usual: ${duration(row.usual)}, the median of ${row.runs}`}, meter, `${times.toFixed(1)}× of ${duration(row.usual)}`);
}

const JOBS = [
  {title: "Job", of: row => el("span", {}, el("b", {}, row.name), " ", el("span", {class: "muted minor"}, row.id))}, {title: "State", of: row => badge(row.waits ? "WAITING" : row.state)},
  {title: "Type", of: row => row.type, minor: true}, {title: "User", of: row => row.user, minor: true}, {title: "Queue", of: row => row.queue || "default", minor: true},
  {title: "Started", of: row => moment(row.start)}, {title: "Took", of: row => duration(row.seconds), number: true}, {title: "Against before", of: against},
];
const FLOWS = [
  {title: "Flow", of: row => el("span", {}, el("b", {}, row.name), " ", el("span", {class: "muted minor"}, row.id))}, {title: "State", of: row => badge(row.state)},
  {title: "By", of: row => row.schedule ? `schedule ${row.schedule}` : row.who, minor: true}, {title: "Started", of: row => moment(row.start)},
  {title: "Took", of: row => duration(row.seconds), number: true},
  {title: "Jobs", of: row => el("span", {class: "steps"}, row.jobs.map(job => el("span", {class: `step ${job.state.toLowerCase()}`, title: `${job.name}: ${job.state.toLowerCase()}`},
    job.name, " ", badge(job.state))))},
];

function jobs(found, state) {
  return el("div", {}, found.jobs.length ? timeline(found.jobs, state.now) : null, table(JOBS, found.jobs, {empty: "No job was submitted in the last day. Next: emrctl submit " + state.about.cluster}));
}

function flows(found, state) {
  return el("div", {}, found.flows.length ? timeline(found.flows, state.now) : null, table(FLOWS, found.flows, {empty: "No flow ran in the last day."}));
}

function applications(chosen) {
  const seconds = row => (row.finishedTime ? row.elapsedTime : Date.now() - row.startedTime) / 1000;
  const columns = [
    {title: "Application", of: row => el("span", {}, el("b", {}, row.name), " ", el("span", {class: "muted minor"}, row.id))},
    {title: "State", of: row => badge(row.state === "FINISHED" ? row.finalStatus : row.state)}, {title: "User", of: row => row.user}, {title: "Queue", of: row => row.queue, minor: true},
    {title: "Progress", of: row => row.finishedTime ? "" : el("progress", {max: 100, value: row.progress || 0}), minor: true},
    {title: "Started", of: row => moment(row.startedTime / 1000)}, {title: "Took", of: row => duration(seconds(row)), number: true},
    {title: "Memory now", of: row => row.allocatedMB > 0 ? bytes(row.allocatedMB * MIB) : "", number: true, minor: true},
    {title: "Memory used", of: row => `${number((row.memorySeconds || 0) / 1024 / HOUR)} GiB h`, number: true, minor: true},
    {title: "CPU used", of: row => `${number((row.vcoreSeconds || 0) / HOUR)} vcore h`, number: true, minor: true},
  ];
  return found => table(columns, found.applications.filter(chosen), {empty: "None ran in the last day."});
}

// What each user, queue and name used of the last day: its share of the cluster's memory, priced as the nodes are.
function shares(rows, key, whole, price) {
  const sums = new Map();
  for (const row of rows) sums.set(row[key], (sums.get(row[key]) || 0) + (row.memorySeconds || 0));
  const list = [...sums].map(([name, used]) => ({name, used, share: whole ? used / whole : 0})).sort((a, b) => b.used - a.used);
  return table([{title: {user: "User", queue: "Queue", name: "Application"}[key], of: row => row.name}, {title: "Memory", of: row => `${number(row.used / 1024 / HOUR)} GiB h`, number: true},
    {title: "Of the cluster", of: row => `${(100 * row.share).toFixed(row.share < 0.1 ? 2 : 0)} %`, number: true},
    {title: "Costs", of: row => price.hourly ? money(row.share * price.hourly * 24, price.currency) : "–", number: true}], list, {empty: "Nothing ran in the last day.", most: 12});
}

async function costing(state) {
  const [work, yarn] = await Promise.all([state.get("work"), state.get("applications")]);
  return {price: work.price || {}, yarn};
}

function costs({price, yarn}, state) {
  const whole = yarn.memory_mib * 24 * HOUR;
  const used = yarn.applications.reduce((sum, row) => sum + (row.memorySeconds || 0), 0);
  const share = whole ? used / whole : 0;
  const tile = (title, value, note) => el("figure", {class: "tile"}, el("figcaption", {}, title), el("div", {class: `value${value.length > 9 ? " long" : ""}`}, value), el("div", {class: "muted"}, note));
  const known = price.hourly > 0;
  const told = hours => known ? money(price.hourly * hours, price.currency) : "not known";
  return el("div", {}, el("div", {class: "tiles"}, tile("An hour", told(1), `${state.about.nodes.length} nodes`), tile("A day", told(24), "as the cluster is now"), tile("A month", told(730), "730 hours"),
    tile("Used in the last day", `${(100 * share).toFixed(share < 0.1 ? 2 : 0)} %`, "of YARN's memory")),
  known ? el("p", {class: "muted"}, [price.source, "The price of the newest plan"].filter(Boolean).join(". ") + ".")
    : el("p", {class: "notice"}, "The price is not known: it is noted by create and apply."),
  el("div", {class: "pair"}, el("div", {}, el("h3", {}, "By user"), shares(yarn.applications, "user", whole, price)),
    el("div", {}, el("h3", {}, "By queue"), shares(yarn.applications, "queue", whole, price))),
  el("h3", {}, "By application"), shares(yarn.applications, "name", whole, price));
}

function nodes(_found, state) {
  return table([{title: "Node", of: row => el("b", {}, row.name)}, {title: "Role", of: row => row.role}, {title: "Group", of: row => row.group, minor: true},
    {title: "Type", of: row => row.type || "own host", minor: true}, {title: "vCPUs", of: row => row.vcpus, number: true},
    {title: "Memory", of: row => bytes(row.memory_mib * MIB), number: true}, {title: "Address", of: row => row.address, minor: true}], state.about.nodes);
}

// Parts of a section before its pictures, and after them.
const BEFORE = {
  overview: () => [new Part("Alerts", state => state.get("alerts"), alerts), new Part("Daemons", state => state.get("health"), daemons)],
  jobs: () => [new Part("Jobs of the last day", state => state.get("work"), jobs), new Part("Flows of the last day", state => state.get("work"), flows)],
  spark: () => [new Part("Spark applications of the last day", state => state.get("applications"), applications(row => row.applicationType === "SPARK"))],
  costs: () => [new Part("Costs", costing, costs)],
};
const AFTER = {
  nodes: () => [new Part("All nodes", async () => ({}), nodes)],
  yarn: () => [new Part("Applications of the last day", state => state.get("applications"), applications(() => true))],
};

// {name: title} of the sections of this cluster: those of its panels, and those that tell of work.
export function sections(about) {
  const pages = [...new Set(about.panels.map(row => row.page))];
  const works = about.services.includes("yarn");
  const names = Object.keys(TITLES).filter(name => pages.includes(name) || name === "overview" || name === "costs" || (works && name === "jobs")
    || (name === "spark" && about.services.includes("spark")));
  const found = Object.fromEntries(names.map(name => [name, TITLES[name]]));
  for (const name of pages) if (!(name in found)) found[name] = name.charAt(0).toUpperCase() + name.slice(1);
  return found;
}

export function view(name, about) {
  const pictures = new Pictures(about.panels.filter(row => row.page === name));
  const parts = [...(BEFORE[name] || (() => []))(), pictures, ...(AFTER[name] || (() => []))()];
  return {
    root: el("div", {class: `view ${name}`, "data-section": name}, parts.map(part => part.root)),
    refresh: state => Promise.all(parts.map(part => part.refresh(state))),
    repaint: () => parts.forEach(part => part.repaint()),
  };
}
