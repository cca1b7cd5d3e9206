/** A booking as its owner sees it: locator, flights, passengers with seats and tickets, price. */

import { h } from "./dom.js";
import { day, money, sentence } from "./format.js";
import { journey, priceLines } from "./results.js";

const STATES = {
  INITIATED: "Being made",
  SEATS_LOCKED: "Seats kept, not paid",
  PAYMENT_PENDING: "Waiting for payment",
  CONFIRMED: "Confirmed",
  EXPIRED: "Expired, not paid",
  NO_SHOW: "Not flown",
};

export const stateInWords = (status) => STATES[status] ?? sentence(status);

/** "279 1234567890": airline code apart from the rest. */
const ticketNumber = (number) => `${number.slice(0, 3)} ${number.slice(3)}`;

function boardingStrip(slice) {
  const [{ flight }] = slice.segments;
  return h(
    "section",
    { class: "strip" },
    h(
      "header",
      null,
      h("b", null, slice.segments.map((segment) => segment.flight.designator).join(" + ")),
      h("span", null, day(slice.departsAt)),
      h("span", null, flight.airline.name),
    ),
    journey(slice),
  );
}

function passengerRow({ title, firstName, lastName, type, seats, tickets }) {
  return h(
    "tr",
    null,
    h(
      "th",
      { scope: "row" },
      [title && sentence(title), firstName, lastName].filter(Boolean).join(" "),
      h("small", null, sentence(type)),
    ),
    h("td", { class: "seat-cell" }, seats.length ? seats.map(({ number }) => h("b", null, number)) : "on a lap"),
    h(
      "td",
      { class: "ticket-cell" },
      tickets.length
        ? tickets.map(({ number, status }) =>
            h(
              "span",
              { class: "ticket" },
              ticketNumber(number),
              status !== "OPEN" && h("small", null, sentence(status)),
            ),
          )
        : "not issued yet",
    ),
  );
}

function refundLine({ payments }) {
  const refunded = payments.find((payment) => Number(payment.refunded.amount) > 0);
  return refunded && h("p", { class: "refunded" }, `${money(refunded.refunded)} goes back to your card.`);
}

const PAPERS = { E_TICKET: "E-ticket (PDF)", RECEIPT: "Receipt (PDF)" };

/** Known where the booking was asked for by its owner; the addresses are good for some minutes. */
function paperLinks({ papers }) {
  if (!papers?.length) return null;
  return h(
    "p",
    { class: "papers" },
    papers.map(({ kind, url }) => h("a", { href: url, target: "_blank", rel: "noopener" }, PAPERS[kind] ?? sentence(kind))),
  );
}

/** @param {object} booking a `Booking` @returns {Element} */
export function bookingView(booking) {
  return h(
    "article",
    { class: "booking", "data-status": booking.status },
    h(
      "header",
      { class: "booking-head" },
      h(
        "div",
        null,
        h("p", { class: "eyebrow" }, "Booking reference"),
        h("p", { class: "pnr big", "data-testid": "pnr" }, booking.pnr),
      ),
      h("p", { class: "state", "data-status": booking.status }, stateInWords(booking.status)),
    ),
    booking.slices.map(boardingStrip),
    h(
      "div",
      { class: "table-frame" },
      h(
        "table",
        { class: "travellers" },
        h("caption", { class: "visually-hidden" }, "Passengers"),
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            ["Passenger", "Seat", "Ticket"].map((word) => h("th", { scope: "col" }, word)),
          ),
        ),
        h("tbody", null, booking.passengers.map(passengerRow)),
      ),
    ),
    refundLine(booking),
    paperLinks(booking),
    h(
      "details",
      { class: "paid" },
      h("summary", null, `Total ${money(booking.total)}`),
      priceLines(booking.lines, booking.total),
    ),
  );
}
