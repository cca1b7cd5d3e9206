/** Cancelling: first what comes back, then the decision. The quote's figures bind until it expires. */

import { CancelBooking, QuoteCancellation } from "../client/documents.js";
import { isProblem, mutate } from "../client/graphql.js";
import { openDialog } from "./dialog.js";
import { announce, h, whileBusy } from "./dom.js";
import { money } from "./format.js";
import { guarded, showProblem } from "./notice.js";

const CAN_BE_CANCELLED = ["CONFIRMED", "PAYMENT_PENDING", "SEATS_LOCKED"];

function quoteDialog(quote, bookingToken, onCancelled) {
  const notice = h("div", { class: "notice" });
  const keep = h("button", { type: "button", class: "secondary", onclick: () => dialog.close() }, "Keep the booking");
  const confirm = h("button", { type: "button", class: "danger", onclick: send }, "Cancel the booking");

  async function send() {
    const answer = await guarded(notice, () =>
      whileBusy(confirm, "Cancelling…", () => mutate(CancelBooking, { quoteId: quote.id, bookingToken })),
    );
    if (!answer) return;
    if (isProblem(answer)) return showProblem(notice, answer);
    dialog.close();
    announce("The booking is cancelled.");
    onCancelled(answer);
  }

  const dialog = openDialog("Cancel this booking?", [
    h("p", null, quote.reason),
    h(
      "dl",
      { class: "quote" },
      h("dt", null, "You get back"),
      h("dd", { "data-testid": "refund" }, money(quote.refund)),
      h("dt", null, "Fee"),
      h("dd", null, money(quote.fee)),
    ),
    notice,
    h("div", { class: "actions" }, keep, confirm),
  ]);
}

/**
 * The button that asks for a quote; null where the booking is past cancelling.
 * @param {object} booking
 * @param {string | undefined} bookingToken a guest's token; a signed-in owner needs none
 * @param {Element} notice where problems are shown
 * @param {(booking: object) => void} onCancelled
 */
export function cancelButton(booking, bookingToken, notice, onCancelled) {
  if (!CAN_BE_CANCELLED.includes(booking.status)) return null;
  const button = h("button", { type: "button", class: "secondary", onclick: ask }, "Cancel this booking…");
  async function ask() {
    const quote = await guarded(notice, () =>
      whileBusy(button, "Asking…", () => mutate(QuoteCancellation, { bookingId: booking.id, bookingToken })),
    );
    if (!quote) return;
    if (isProblem(quote)) showProblem(notice, quote);
    else quoteDialog(quote, bookingToken, onCancelled);
  }
  return button;
}
