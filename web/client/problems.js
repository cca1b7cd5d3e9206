/**
 * Problems and refusals in plain words: what happened, and what the person can do next.
 *
 * The server's `message` is already a sentence for a person and is shown as it is; this module adds a heading and the
 * next step, by `__typename` for problems and by `code` for refusals.
 */

import { Refusal, Unreachable } from "./graphql.js";

const seconds = (count) => (count > 90 ? `about ${Math.ceil(count / 60)} minutes` : `${count} seconds`);
const wait = (count) => (count > 1 ? `Please try again in ${seconds(count)}.` : "Please try again in a moment.");

const BY_TYPE = {
  SeatsTaken: ({ taken = [] }) => ({
    title: `${plural(taken.flatMap(({ seats }) => seats))} just been taken`,
    advice: "Somebody else was a moment quicker. Nothing was held for you: please choose other seats.",
  }),
  HoldExpired: () => ({
    title: "Your time for these seats has run out",
    advice: "They are open to everybody again. Nothing was charged. You can choose seats once more.",
  }),
  PriceChanged: ({ offer }) => ({
    title: "The price has changed",
    advice: offer ? "Look at the new price below; nothing is booked until you accept it." : "Please search again.",
  }),
  PaymentDeclined: ({ retryable }) => ({
    title: "The payment was declined",
    advice: retryable
      ? "Nothing was charged and your seats are still yours. Try again, or use another card."
      : "Nothing was charged and your seats are still yours. Please use another card.",
  }),
  QuoteExpired: () => ({
    title: "This refund offer is too old",
    advice: "Ask for a new one: it tells what you would get back now.",
  }),
  RateLimited: ({ retryAfterSeconds }) => ({
    title: "That was a little too often",
    advice: wait(retryAfterSeconds),
  }),
  Unavailable: ({ retryAfterSeconds }) => ({
    title: "Something we need does not answer",
    advice: `Nothing was changed. ${wait(retryAfterSeconds)}`,
  }),
  Internal: () => ({ title: "Something went wrong on our side", advice: "Nothing was changed. Please try again." }),
  Conflict: () => ({ title: "That is not possible any more", advice: "" }),
  InvalidInput: () => ({ title: "Please check what you entered", advice: "" }),
  NotFound: () => ({ title: "We could not find that", advice: "" }),
  Forbidden: ({ code }) => ({
    title: code === "UNAUTHENTICATED" ? "We could not sign you in" : "This is not yours to change",
    advice: code === "UNAUTHENTICATED" ? "" : "Use the browser in which you booked, or sign in.",
  }),
};

/** Other codes of refusals name something in the input: UNKNOWN_AIRPORT, BEYOND_SCHEDULE, … */
const TYPE_BY_CODE = {
  INTERNAL: "Internal",
  UNKNOWN: "Internal",
  RATE_LIMITED: "RateLimited",
  UNAVAILABLE: "Unavailable",
  CONFLICT: "Conflict",
  NOT_FOUND: "NotFound",
  FORBIDDEN: "Forbidden",
  UNAUTHENTICATED: "Forbidden",
};

function plural(seats) {
  const list = new Intl.ListFormat("en", { type: "conjunction" }).format(seats);
  return seats.length === 1 ? `Seat ${list} has` : `Seats ${list} have`;
}

/**
 * @param {object | Error} problem a `Problem` that a mutation answered, or what `query()`/`mutate()` threw
 * @returns {{ title: string, message: string, advice: string, field: string | null }}
 */
export function explain(problem) {
  if (problem instanceof Unreachable) {
    return {
      title: "Jetway cannot be reached",
      message: "",
      advice: "Check your connection and try again. If you had just pressed a button, pressing it again is safe.",
      field: null,
    };
  }
  if (problem instanceof Refusal) {
    const type = TYPE_BY_CODE[problem.code] ?? "InvalidInput";
    return { message: problem.message, field: problem.field, ...BY_TYPE[type](problem) };
  }
  if (problem instanceof Error) throw problem;
  const describe = BY_TYPE[problem.__typename] ?? BY_TYPE.Conflict;
  return { message: problem.message, field: problem.field ?? null, ...describe(problem) };
}
