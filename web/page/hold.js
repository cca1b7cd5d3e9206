/**
 * The hold: seats kept for us until a deadline on the server's clock, and the bar that shows it on every step.
 *
 * The bar reads the deadline from the store and the time from clock.js. When it reaches zero the server is asked: only
 * its answer ends a hold. From booking on the hold belongs to the booking; extending and releasing are over then.
 */

import { remaining } from "../client/clock.js";
import { ExtendHold, Hold, HoldSeats, ReleaseHold } from "../client/documents.js";
import { isProblem, mutate, query } from "../client/graphql.js";
import { announce, h, whileBusy } from "./dom.js";
import { count, countdown, list } from "./format.js";
import { clear, guarded, showProblem } from "./notice.js";
import { go, here } from "./router.js";
import { changes, trip, update } from "./store.js";

const MINUTES = 15;
const WARN_AT_MS = [5 * 60_000, 2 * 60_000, 60_000];
const LATE_MS = 2 * 60_000;
const FINISHED = ["CONFIRMED", "CHECKED_IN", "COMPLETED", "CANCELLED", "EXPIRED", "FAILED", "NO_SHOW"];

/** Holds all the seats or none. @param {{ flightId: string, seats: string[] }[]} flights */
export async function hold(flights) {
  const answer = await mutate(HoldSeats, { flights, minutes: MINUTES });
  if (!isProblem(answer)) update({ hold: answer, booking: undefined });
  return answer;
}

/** Gives the seats back. */
export async function release() {
  const { hold: held } = trip();
  const answer = await mutate(ReleaseHold, { holdId: held.id, token: held.token });
  if (isProblem(answer) && answer.__typename !== "NotFound") return answer;
  update({ hold: undefined });
  announce("Your seats are free again.");
  return answer;
}

async function extend() {
  const { hold: held } = trip();
  const answer = await mutate(ExtendHold, { holdId: held.id, token: held.token });
  if (!isProblem(answer)) {
    // The token is told when the hold is made; an answer that leaves it out must not make us forget it.
    update({ hold: { ...answer, token: answer.token ?? held.token } });
    announce(`Extended. ${countdown(remaining(answer.expiresAt))} left.`);
  }
  return answer;
}

/** Asks the server how our hold is. Forgets it if it is over. @returns {Promise<boolean>} whether it is still ours */
export async function refreshHold() {
  const { hold: held } = trip();
  if (!held) return false;
  const { hold: found } = await query(Hold, { id: held.id, token: held.token });
  const lasts = found && ["ACTIVE", "BOOKED"].includes(found.status);
  update({ hold: lasts ? { ...found, token: held.token } : undefined });
  return Boolean(lasts);
}

/** What the bar shows, or null where there is nothing to show. */
function present() {
  const { hold: held, booking } = trip();
  if (!held || (booking && FINISHED.includes(booking.status))) return null;
  return {
    seats: held.flights.flatMap(({ seats }) => seats),
    deadline: booking?.expiresAt ?? held.expiresAt,
    held,
    booking,
  };
}

/** Puts the hold bar into `place`, for as long as the page lives. */
export function mountHoldBar(place) {
  const clock = h("span", { class: "hold-clock", role: "timer", "aria-label": "Time left for your seats" });
  const ring = h("span", { class: "hold-ring", "aria-hidden": "true" });
  const words = h("p", { class: "hold-words" });
  const notice = h("div", { class: "notice" });
  const act = (button, busy, work) => async () => {
    const answer = await guarded(notice, () => whileBusy(button, busy, work));
    if (!answer) return;
    if (isProblem(answer)) showProblem(notice, answer);
    else clear(notice);
  };
  const more = h("button", { type: "button", class: "quiet" }, h("span"));
  more.addEventListener("click", act(more, "Extending…", extend));
  const letGo = h("button", { type: "button", class: "quiet" }, "Release");
  letGo.addEventListener("click", async () => {
    await act(letGo, "Releasing…", release)();
    if (!trip().hold && here().path !== "seats") go("seats");
  });
  const bar = h(
    "section",
    { class: "hold-bar", "aria-label": "Your hold" },
    ring,
    clock,
    words,
    h("div", { class: "actions" }, more, letGo),
  );
  place.append(bar, notice);

  let asking = false;
  let left = Infinity;

  async function over() {
    asking = true;
    try {
      const { booking } = trip();
      // A payment under way keeps the seats longer than the deadline that we know.
      if ((await refreshHold()) || !booking) tick();
      if (trip().hold) return;
      update({ booking: undefined });
      showProblem(
        notice,
        { __typename: "HoldExpired", message: "" },
        h(
          "button",
          { type: "button", class: "primary", onclick: () => (clear(notice), go("seats")) },
          "Choose seats again",
        ),
      );
    } catch {
      // No answer: the next tick asks again, and the bar says meanwhile that the clock has run out.
    } finally {
      setTimeout(() => (asking = false), 3_000);
    }
  }

  function tick() {
    const now = present();
    bar.hidden = !now;
    if (!now) return;
    const before = left;
    left = remaining(now.deadline);
    clock.textContent = countdown(left);
    bar.dataset.late = String(left < LATE_MS);
    ring.style.setProperty("--part", String(Math.min(1, left / (MINUTES * 60_000))));
    const warning = WARN_AT_MS.find((mark) => before > mark && left <= mark && before !== Infinity);
    if (warning) announce(`${count(warning / 60_000, "minute")} left for your seats.`);
    if (left === 0 && !asking) over();
  }

  function dress() {
    const now = present();
    if (now) {
      const { seats, held, booking } = now;
      words.replaceChildren(h("b", null, list(seats)), booking ? " kept for you until you pay" : " held for you");
      more.hidden = Boolean(booking) || !held.extensionsLeft;
      more.replaceChildren(`Extend (${held.extensionsLeft} left)`);
      letGo.hidden = Boolean(booking);
    }
    tick();
  }

  changes.addEventListener("change", dress);
  addEventListener("hashchange", () => clear(notice));
  setInterval(tick, 500);
  dress();
  // After a reload the server may know better than our store.
  if (present()) refreshHold().catch(() => tick());
}
