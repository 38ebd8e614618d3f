// Jobs or flows of the last day as bars over time.
import {el, svg, tone} from "./tables.js";
import {duration, moment} from "./format.js";

const DAY = 86400, HOUR = 3600;
const ROW = 20;
const MOST_LANES = 24;

// Each bar in the first lane that is free, so that what ran at the same time stands one above the other.
function lanes(rows) {
  const ends = [];
  return rows.map(row => {
    let lane = ends.findIndex(end => end <= row.from);
    if (lane < 0) lane = ends.length;
    ends[lane] = row.to;
    return {...row, lane};
  });
}

// From the first bar on, so that what ran is told apart; at least an hour, at most a day.
function begin(rows, now) {
  const first = Math.min(...rows.map(row => row.start));
  return now - Math.min(DAY, Math.max(HOUR, (now - first) * 1.04));
}

// Seconds between two lines, and between two that are named.
function steps(span) {
  if (span <= 2 * HOUR) return [HOUR / 6, HOUR / 3];
  return span <= 8 * HOUR ? [HOUR / 2, HOUR] : [HOUR, 4 * HOUR];
}

export function timeline(rows, now, chosen) {
  if (!rows.length) return el("p", {class: "notice"}, "Nothing ran in the last day.");
  const width = 1200, from = begin(rows, now), span = now - from, least = span / 400;
  const bars = lanes(rows.map(row => ({row, from: Math.max(from, row.start), to: Math.max(row.end || now, Math.max(from, row.start) + least)}))
    .filter(bar => bar.to > from).sort((a, b) => a.from - b.from)).filter(bar => bar.lane < MOST_LANES);
  if (!bars.length) return el("p", {class: "notice"}, "Nothing ran in the last day.");
  const height = (Math.max(...bars.map(bar => bar.lane)) + 1) * ROW + 22;
  const place = time => (time - from) / span * width;
  const made = svg("svg", {viewBox: `0 0 ${width} ${height}`, class: "timeline", role: "img", "aria-label": `${bars.length} bars over the last day`});
  const [step, named] = steps(span), midnight = new Date(from * 1000).setHours(0, 0, 0, 0) / 1000;
  for (let time = midnight + Math.ceil((from - midnight) / step) * step; time < now; time += step) {
    const strong = Math.round(time - midnight) % named === 0;
    made.append(svg("line", {x1: place(time), x2: place(time), y1: 0, y2: height - 18, class: strong ? "hour strong" : "hour"}));
    if (strong && place(time) > 20 && place(time) < width - 20) {
      const label = svg("text", {x: place(time), y: height - 4, class: "hour", "text-anchor": "middle"});
      label.textContent = moment(time).slice(-5);
      made.append(label);
    }
  }
  for (const bar of bars) made.append(drawn(bar, place, chosen));
  const scroll = el("div", {class: "scroll"}, made);
  requestAnimationFrame(() => { scroll.scrollLeft = scroll.scrollWidth; });
  return scroll;
}

function drawn(bar, place, chosen) {
  const {row} = bar, x = place(bar.from), wide = Math.max(3, place(bar.to) - x - 1);
  const box = svg("rect", {x, y: bar.lane * ROW + 2, width: wide, height: ROW - 4, rx: 2, class: `bar ${tone(row.state)}`});
  const title = svg("title");
  title.textContent = `${row.name}: ${row.state.toLowerCase()}, ${moment(row.start)}, ${duration(row.seconds)}`;
  const group = svg("g", {}, box, title);
  if (wide > 60) {
    const label = svg("text", {x: x + 5, y: bar.lane * ROW + ROW / 2 + 4, class: "bar"});
    label.textContent = row.name.slice(0, Math.floor(wide / 7));
    group.append(label);
  }
  if (chosen) group.addEventListener("click", () => chosen(row));
  return group;
}
