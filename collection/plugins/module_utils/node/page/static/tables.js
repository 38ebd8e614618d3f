// Elements and tables. Text is always text: nothing here reads markup.

export function el(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false).map(
    child => child instanceof Node ? child : document.createTextNode(String(child))));
  return made;
}

export function svg(tag, given = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(given)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// columns: [{title, of: row => text or Node, number, minor}]; minor ones are left out on a phone.
export function table(columns, rows, {empty = "Nothing.", most = 100} = {}) {
  if (!rows.length) return el("p", {class: "notice"}, empty);
  const cell = column => [column.number ? "number" : "", column.minor ? "minor" : ""].join(" ").trim() || undefined;
  const body = rows.slice(0, most).map(row => el("tr", {}, columns.map(column => el("td", {class: cell(column)}, column.of(row)))));
  const made = el("div", {class: "scroll"}, el("table", {},
    el("thead", {}, el("tr", {}, columns.map(column => el("th", {class: cell(column), scope: "col"}, column.title)))), el("tbody", {}, body)));
  return rows.length > most ? el("div", {}, made, el("p", {class: "muted"}, `${rows.length - most} more are not shown.`)) : made;
}

const GOOD = ["up", "SUCCEEDED", "FINISHED", "RUNNING"];
const BAD = ["down", "absent", "FAILED", "LOST", "critical"];

export function tone(state) {
  if (state === "RUNNING") return "live";
  return GOOD.includes(state) ? "good" : BAD.includes(state) ? "bad" : state === "warning" || state === "KILLED" ? "warn" : "idle";
}

export function badge(state) {
  return el("span", {class: `badge ${tone(state)}`}, state.toLowerCase());
}

// A command that a person copies.
export function command(text) {
  const button = el("button", {type: "button", class: "copy", title: "Copy the command", onclick: async () => {
    try { await navigator.clipboard.writeText(text); button.textContent = "copied"; } catch { button.textContent = "select it"; }
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  }}, "copy");
  return el("span", {class: "command"}, el("code", {}, text), button);
}
