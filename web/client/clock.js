/**
 * The server's clock, as well as this browser can know it.
 *
 * A hold's deadline is an instant on the server's clock, and the visitor's may be wrong by hours. Every HTTP answer
 * carries a `Date` header cut to whole seconds, so at some moment between sending and receiving the server's clock
 * stood in [date, date + 1 s). Each answer thus bounds the offset from both sides; we keep the intersection.
 */

let lower = -Infinity;
let upper = Infinity;

/**
 * Learns from one answer.
 * @param {string | null} dateHeader value of the `Date` header
 * @param {number} sentAt `Date.now()` before the request
 * @param {number} receivedAt `Date.now()` after it
 */
export function observe(dateHeader, sentAt, receivedAt) {
  const date = Date.parse(dateHeader ?? "");
  if (Number.isNaN(date)) return;
  const low = date - receivedAt;
  const high = date + 1000 - sentAt;
  const overlaps = low <= upper && high >= lower;
  // No overlap means that a clock was set meanwhile: what was learnt before no longer holds.
  lower = overlaps ? Math.max(lower, low) : low;
  upper = overlaps ? Math.min(upper, high) : high;
}

/**
 * The latest that the server's clock may show: a deadline reckoned from it is never promised too long.
 * @returns {number} milliseconds since 1970 (by this browser's own clock until an answer came)
 */
export function serverNow() {
  return Date.now() + (Number.isFinite(upper) ? upper : 0);
}

/** @returns {number} milliseconds from now on until `instant` (ISO 8601); never negative */
export function remaining(instant) {
  return Math.max(0, Date.parse(instant) - serverNow());
}
