// The page: which section, which time, and when it is asked for anew.
import {el} from "./tables.js";
import {clock} from "./format.js";
import {sections, view} from "./sections.js";

const LIMIT_MS = 25000;
const at = id => document.getElementById(id);
const state = {about: null, now: 0, start: 0, end: 0, points: 200, get: ask, asked: new Map()};
const views = new Map();
let timer = 0, running = false, again = false;

// An answer of the cluster; within one refresh the same question is asked once.
function ask(name, query = {}) {
  const text = new URLSearchParams(query).toString();
  const address = `api/${name}${text ? `?${text}` : ""}`;
  if (!state.asked.has(address)) state.asked.set(address, load(address));
  return state.asked.get(address);
}

async function load(address) {
  let answer;
  try {
    answer = await fetch(address, {signal: AbortSignal.timeout(LIMIT_MS), cache: "no-store"});
  } catch (error) {
    throw new Error(error.name === "TimeoutError" ? "No answer yet; it is asked for again." : "The cluster's page is not reached. Is `emrctl open` still running?");
  }
  const found = await answer.json().catch(() => ({error: `the answer of ${address} is no JSON`}));
  if (!answer.ok) throw new Error(found.error || `${address}: ${answer.status}`);
  return found;
}

function section() {
  const name = decodeURIComponent(location.hash.slice(1));
  return name in state.sections ? name : "overview";
}

function show() {
  const name = section();
  for (const link of at("nav").children) link.toggleAttribute("aria-current", link.dataset.name === name);
  if (!views.has(name)) views.set(name, view(name, state.about));
  if (at("main").firstChild !== views.get(name).root) at("main").replaceChildren(views.get(name).root);
  document.title = `${state.sections[name]} · ${state.about.cluster}`;
}

async function glance() {
  const place = at("glance");
  const say = (tone, text) => {
    place.className = `glance ${tone}`;
    place.replaceChildren(el("span", {class: "dot", "aria-hidden": "true"}), text);
  };
  try {
    const [health, alerts] = await Promise.all([ask("health"), ask("alerts")]);
    const away = health.daemons.filter(row => row.state !== "up").length, all = health.daemons.length;
    const firing = alerts.alerts.filter(row => row.state === "firing"), grave = firing.filter(row => row.severity === "critical").length;
    const words = away ? `${away} of ${all} daemons ${away > 1 ? "do" : "does"} not answer` : `All ${all} daemons answer`;
    const rest = firing.length ? `, ${firing.length} alert${firing.length > 1 ? "s" : ""}` : "";
    say(away || grave ? "bad" : firing.length ? "warn" : "good", words + rest);
  } catch (error) {
    say("bad", error.message);
  }
}

async function once() {
  show();
  state.now = Date.now() / 1000;
  state.end = Math.floor(state.now);
  state.start = state.end - Number(at("range").value);
  state.points = Math.min(300, Math.max(60, Math.floor(at("main").clientWidth / 5)));
  state.asked.clear();
  document.body.dataset.busy = "yes";
  await Promise.all([glance(), views.get(section()).refresh(state)]);
  at("updated").textContent = `as of ${clock(state.now)}`;
  document.body.dataset.busy = "no";
}

// One refresh at a time; who asks meanwhile gets another one right after it.
async function refresh() {
  if (running) { again = true; return; }
  running = true;
  try {
    do { again = false; await once(); } while (again);
  } finally {
    running = false;
  }
}

function plan() {
  clearInterval(timer);
  const seconds = Number(at("refresh").value);
  if (seconds) timer = setInterval(() => { if (!document.hidden) refresh(); }, seconds * 1000);
}

async function begin() {
  try {
    state.about = await ask("about");
  } catch (error) {
    at("main").replaceChildren(el("p", {class: "notice bad"}, error.message));
    setTimeout(() => { state.asked.clear(); begin(); }, 5000);
    return;
  }
  state.sections = sections(state.about);
  at("cluster").textContent = state.about.cluster;
  at("place").textContent = [state.about.region, state.about.release, `${state.about.nodes.length} nodes`].filter(Boolean).join(" · ");
  at("nav").replaceChildren(...Object.entries(state.sections).map(([name, title]) => el("a", {href: `#${encodeURIComponent(name)}`, "data-name": name}, title)));
  at("range").addEventListener("change", refresh);
  at("refresh").addEventListener("change", plan);
  at("now").addEventListener("click", refresh);
  addEventListener("hashchange", () => { show(); refresh(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => views.forEach(one => one.repaint()));
  show();
  plan();
  await refresh();
}

begin();
