/**
 * How things are written. Money by its currency; times as a clock on the wall of that place would show them.
 *
 * A `DateTime` carries the place's own offset ("2026-12-15T08:05:00-05:00"). Its first 19 characters are the local
 * time: we format those, as if they were UTC, and never convert to the visitor's zone.
 */

const LANGUAGE = "en";
const TIME = new Intl.DateTimeFormat(LANGUAGE, {
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
  timeZone: "UTC",
});
const DAY = new Intl.DateTimeFormat(LANGUAGE, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
const LONG_DAY = new Intl.DateTimeFormat(LANGUAGE, {
  weekday: "long",
  day: "numeric",
  month: "long",
  year: "numeric",
  timeZone: "UTC",
});

const wall = (instant) => new Date(`${instant.slice(0, 19)}Z`);

export const time = (instant) => TIME.format(wall(instant));
export const day = (instant) => DAY.format(wall(instant));

/** @param {string} date a `Date`: 2026-12-15 */
export const longDay = (date) => LONG_DAY.format(new Date(`${date}T00:00:00Z`));

/** "UTC−5", "UTC+5:30" from the instant's own offset. */
export function offset(instant) {
  const [, sign, hours, minutes] = instant.match(/([+-])(\d\d):(\d\d)$/) ?? [null, "+", "00", "00"];
  if (hours === "00" && minutes === "00") return "UTC";
  return `UTC${sign === "-" ? "−" : "+"}${Number(hours)}${minutes === "00" ? "" : `:${minutes}`}`;
}

/** How many calendar days later, on the walls' own calendars, `end` falls: the "+1" beside an arrival. */
export function daysBetween(start, end) {
  return Math.round(
    (Date.parse(`${end.slice(0, 10)}T00:00Z`) - Date.parse(`${start.slice(0, 10)}T00:00Z`)) / 86_400_000,
  );
}

export function duration(minutes) {
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours} h ${String(minutes % 60).padStart(2, "0")} min` : `${minutes} min`;
}

/** `Money.amount` is a decimal string: Intl formats it exactly, without passing through a float. */
export function money({ amount, currency }) {
  return new Intl.NumberFormat(LANGUAGE, { style: "currency", currency }).format(amount);
}

export const list = (items) => new Intl.ListFormat(LANGUAGE, { type: "conjunction" }).format(items);

/** "14:05" for a span of milliseconds; the last, started second counts. */
export function countdown(milliseconds) {
  const total = Math.ceil(milliseconds / 1000);
  return `${String(Math.floor(total / 60)).padStart(2, "0")}:${String(total % 60).padStart(2, "0")}`;
}

export const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

const words = (code) => code.toLowerCase().replaceAll("_", " ");

/** "PREMIUM_ECONOMY" → "Premium economy": for enum values without a better word. */
export const sentence = (code) => words(code).replace(/^./, (letter) => letter.toUpperCase());
