/** A booking found again by its reference and a last name. The server limits how often one may guess. */

import { BookingByPnr } from "../client/documents.js";
import { query } from "../client/graphql.js";
import * as session from "../client/session.js";
import { bookingView } from "./bookingview.js";
import { cancelButton } from "./cancellation.js";
import { announce, field, h, whileBusy } from "./dom.js";
import { clear, guarded, showProblem } from "./notice.js";
import { tokenOf } from "./store.js";

/** The view at `#/find`. */
export function render(root) {
  const notice = h("div", { class: "notice" });
  const place = h("div");
  const submit = h("button", { class: "primary", type: "submit" }, "Find");

  function show(booking) {
    const token = tokenOf(booking.id);
    const mayCancel = token || session.user();
    place.replaceChildren(
      bookingView(booking),
      h(
        "div",
        { class: "actions end" },
        mayCancel
          ? cancelButton(booking, token, notice, show)
          : h(
              "p",
              { class: "hint" },
              "To cancel it, use the browser tab in which you booked, or sign in to the account that did.",
            ),
      ),
    );
    announce(`Booking ${booking.pnr} found.`);
  }

  async function send(event) {
    event.preventDefault();
    clear(notice);
    place.replaceChildren();
    const { pnr, lastName } = Object.fromEntries(new FormData(event.target));
    const variables = { pnr: pnr.trim().toUpperCase(), lastName: lastName.trim() };
    const data = await guarded(notice, () => whileBusy(submit, "Looking…", () => query(BookingByPnr, variables)));
    if (!data) return;
    if (data.bookingByPnr) show(data.bookingByPnr);
    else
      showProblem(notice, {
        __typename: "NotFound",
        message: "No booking has this reference with this last name. Please check both.",
      });
  }

  root.append(
    h("header", { class: "step-head" }, h("h1", { tabindex: "-1" }, "Find your booking")),
    h(
      "form",
      { class: "find-form card", onsubmit: send },
      field(
        "Booking reference",
        h("input", {
          type: "text",
          name: "pnr",
          required: true,
          minlength: 6,
          maxlength: 6,
          autocomplete: "off",
          autocapitalize: "characters",
          class: "pnr-input",
        }),
        { hint: "Six letters and digits" },
      ),
      field("Last name", h("input", { type: "text", name: "lastName", required: true, autocomplete: "family-name" }), {
        hint: "Of any passenger",
      }),
      submit,
    ),
    notice,
    place,
  );
}
