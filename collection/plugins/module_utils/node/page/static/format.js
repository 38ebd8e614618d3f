// How values are written: one place for units, times and durations.

const BYTES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const DAY = 86400;

function digits(value) {
  const size = Math.abs(value);
  return size >= 100 || value === Math.round(value) ? 0 : size >= 10 ? 1 : 2;
}

export function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e9) return `${(value / 1e9).toFixed(1)} G`;
  if (size >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  if (size >= 1e4) return `${(value / 1e3).toFixed(0)} k`;
  return value.toLocaleString("en", {maximumFractionDigits: digits(value)});
}

export function bytes(value) {
  if (value === null || value === undefined) return "–";
  let at = 0;
  while (Math.abs(value) >= 1024 && at < BYTES.length - 1) { value /= 1024; at += 1; }
  return `${value.toFixed(at === 0 ? 0 : digits(value))} ${BYTES[at]}`;
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 0.001) return seconds ? `${(seconds * 1e6).toFixed(0)} µs` : "0 s";
  if (seconds < 1) return `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < DAY) return `${Math.floor(whole / 3600)} h ${Math.floor(whole % 3600 / 60)} min`;
  return `${Math.floor(whole / DAY)} d ${Math.floor(whole % DAY / 3600)} h`;
}

export function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], {hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false});
}

export function moment(seconds) {
  if (!seconds) return "–";
  const then = new Date(seconds * 1000);
  const today = then.toDateString() === new Date().toDateString();
  const time = then.toLocaleTimeString([], {hour: "2-digit", minute: "2-digit", hour12: false});
  return today ? time : `${then.toLocaleDateString([], {day: "numeric", month: "short"})} ${time}`;
}

// Seconds from now to a day; what grows so slowly that nobody can tell is not in sight.
export function until(value) {
  if (value === null || value === undefined) return {text: "not known yet", note: "the figures are too young"};
  if (value === "never") return {text: "not in sight", note: "it does not grow"};
  if (value > 3 * 365 * DAY) return {text: "not in sight", note: "more than 3 years"};
  const day = new Date(Date.now() + value * 1000).toLocaleDateString([], {day: "numeric", month: "short", year: "numeric"});
  return {text: day, note: value < DAY ? `in ${duration(value)}` : `in ${Math.floor(value / DAY)} days`, grave: value < 7 * DAY};
}

export function money(value, currency) {
  return `${value.toLocaleString("en", {minimumFractionDigits: 2, maximumFractionDigits: value < 1 ? 4 : 2})} ${currency || ""}`.trim();
}

const WRITERS = {
  bytes, seconds: duration, "": number,
  bytes_per_second: value => `${bytes(value)}/s`,
  per_second: value => `${number(value)}/s`,
  percent: value => `${value.toFixed(value > 0 && value < 10 ? (value < 1 ? 2 : 1) : 0)} %`,
};

export function writer(unit) {
  const write = WRITERS[unit] || number;
  return value => value === null || value === undefined ? "–" : write(value);
}
