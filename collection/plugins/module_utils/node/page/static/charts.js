// Pictures of one panel each: lines, stacked areas and numbers.
import {el} from "./tables.js";
import {until, writer} from "./format.js";

const HEIGHT = 168;
const MOST_NAMED = 14;
const DAY = 86400;
// Ticks of bytes stand on powers of two, as people count them.
const WHOLE = [1, 2, 5].flatMap(first => [...Array(12)].map((_none, power) => first * 10 ** power)).sort((a, b) => a - b);
const BINARY = [...Array(56)].map((_none, power) => 2 ** power);

function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function colour(at) {
  return css(`--series-${at % 8 + 1}`);
}

// Sums from the lowest series up; a hole counts nothing.
function stacked(series) {
  const sums = [];
  let below = null;
  for (const row of series) {
    below = row.values.map((value, at) => value === null ? null : value + (below && below[at] !== null ? below[at] : 0));
    sums.push(below);
  }
  return sums;
}

function options(panel, series, width, write) {
  const grid = {stroke: css("--line"), width: 1};
  const axis = {stroke: css("--muted"), grid, ticks: {...grid, size: 4}, font: "11px system-ui, sans-serif"};
  const area = panel.kind === "area";
  const rows = series.map((row, at) => ({
    label: row.name || panel.title, stroke: colour(at), width: 1.5, points: {show: row.values.filter(value => value !== null).length < 2},
    fill: area ? `${colour(at)}55` : series.length === 1 ? `${colour(at)}22` : undefined,
    value: (_chart, _value, at_, index) => index === null || index === undefined ? write(lastOf(series[at_ - 1].values)) : write(series[at_ - 1].values[index]),
  }));
  return {
    width, height: HEIGHT, class: "chart", cursor: {points: {size: 6}, drag: {x: false, y: false}},
    legend: {show: series.length <= MOST_NAMED, live: true}, bands: area ? rows.slice(1).map((_row, at) => ({series: [at + 2, at + 1]})) : [],
    scales: {x: {time: true}, y: {range: (_chart, low, high) => scale(panel, low, high)}},
    axes: [{...axis, space: 58, size: 30, values: (chart, ticks) => ticks.map(tick => hour(tick, chart.scales.x.max - chart.scales.x.min))},
      {...axis, size: 66, values: (_chart, ticks) => ticks.map(write), ...steps(panel, series)}],
    series: [{value: (_chart, value) => value ? new Date(value * 1000).toLocaleTimeString([], {hour: "2-digit", minute: "2-digit", hour12: false}) : "now", label: "time"}, ...rows],
  };
}

function steps(panel, series) {
  if (panel.unit.startsWith("bytes")) return {incrs: BINARY};
  return panel.unit === "" && series.every(row => row.values.every(value => value === null || Number.isInteger(value))) ? {incrs: WHOLE} : {};
}

function hour(seconds, span) {
  const then = new Date(seconds * 1000);
  const day = {day: "numeric", month: "short"}, time = {hour: "2-digit", minute: "2-digit", hour12: false};
  if (span > 4 * DAY || (span > DAY / 2 && !then.getHours() && !then.getMinutes())) return then.toLocaleDateString([], day);
  return then.toLocaleTimeString([], time);
}

function lastOf(values) {
  for (let at = values.length - 1; at >= 0; at -= 1) if (values[at] !== null) return values[at];
  return null;
}

function scale(panel, low, high) {
  const top = Math.max(high || 0, 0);
  if (panel.unit === "percent" && top > 20 && top <= 100) return [Math.min(0, low || 0), 100];
  return [Math.min(0, low || 0), top ? top * 1.08 : 1];
}

export class Chart {
  constructor(panel) {
    this.panel = panel;
    this.body = el("div", {class: "plot"});
    this.note = el("span", {class: "muted"});
    this.figure = el("figure", {class: "panel", "data-panel": panel.id, "data-state": "loading"},
      el("figcaption", {}, el("h3", {}, panel.title), this.note), this.body);
    this.names = "";
    new ResizeObserver(() => this.fit()).observe(this.body);
  }

  fit() {
    const width = this.body.clientWidth;
    if (this.chart && width && Math.abs(width - this.chart.width) > 1) this.chart.setSize({width, height: HEIGHT});
  }

  fail(message) {
    this.drop();
    this.figure.dataset.state = "error";
    this.body.replaceChildren(el("p", {class: "notice bad"}, message));
  }

  drop() {
    if (this.chart) this.chart.destroy();
    this.chart = null;
    this.names = "";
  }

  // The picture with new values; the chart itself stays, so that nothing flickers.
  draw(found) {
    const some = found.series.some(row => row.values.some(value => value !== null));
    this.figure.dataset.state = some ? "ok" : "empty";
    this.note.textContent = found.left ? `${found.left} more` : "";
    if (!some) {
      this.drop();
      this.body.replaceChildren(el("p", {class: "notice"}, "No figures of this time."));
      return;
    }
    const write = writer(this.panel.unit);
    this.found = found;
    const data = [found.times, ...(this.panel.kind === "area" ? stacked(found.series) : found.series.map(row => row.values))];
    const names = JSON.stringify(found.series.map(row => row.name));
    if (this.chart && names === this.names) {
      this.live.splice(0, this.live.length, ...found.series);
      this.chart.setData(data);
      return;
    }
    this.drop();
    this.body.replaceChildren();
    this.live = [...found.series];
    this.chart = new window.uPlot(options(this.panel, this.live, this.body.clientWidth || 320, write), data, this.body);
    this.names = names;
  }

  repaint() {
    if (!this.chart) return;
    this.drop();
    this.draw(this.found);
  }
}

export class Tile {
  constructor(panel) {
    this.panel = panel;
    this.value = el("div", {class: "value"}, "–");
    this.note = el("div", {class: "muted"});
    this.figure = el("figure", {class: "tile", "data-panel": panel.id, "data-state": "loading"}, el("figcaption", {}, panel.title), this.value, this.note);
  }

  fail(message) {
    this.figure.dataset.state = "error";
    this.value.textContent = "–";
    this.note.textContent = message;
  }

  draw(found) {
    const [first, second] = found.values;
    this.figure.dataset.state = first && first.value !== null ? "ok" : "empty";
    this.figure.classList.toggle("bad", false);
    if (this.panel.unit === "until") {
      const told = until(first ? first.value : null);
      this.value.textContent = told.text;
      this.value.classList.add("long");
      this.note.textContent = told.note;
      this.figure.classList.toggle("bad", Boolean(told.grave));
      return;
    }
    const write = writer(this.panel.unit);
    this.value.textContent = first ? write(first.value) : "–";
    if (second) {
      this.value.append(el("small", {}, ` of ${write(second.value)}`));
      this.figure.classList.toggle("bad", first.value < second.value);
    }
    this.note.textContent = first ? "" : "no figures yet";
  }

  repaint() {}
}

export function picture(panel) {
  return panel.kind === "number" ? new Tile(panel) : new Chart(panel);
}
