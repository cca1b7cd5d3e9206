/** Who flies: one form per passenger, a seat for each but infants, and how to reach you. Ends in `createBooking`. */

import { CreateBooking } from "../client/documents.js";
import { isProblem, mutate } from "../client/graphql.js";
import * as session from "../client/session.js";
import { field, h, select, whileBusy } from "./dom.js";
import { money } from "./format.js";
import { clear, guarded, showProblem } from "./notice.js";
import { priceLines } from "./results.js";
import { go } from "./router.js";
import { flightsOf, keepToken, trip, update } from "./store.js";

const TITLES = [
  ["", "—"],
  ["MS", "Ms"],
  ["MR", "Mr"],
  ["MRS", "Mrs"],
  ["MX", "Mx"],
  ["DR", "Dr"],
];
const KINDS = { ADULT: "Adult", CHILD: "Child", INFANT: "Infant" };
const AGES = {
  ADULT: "12 or older on the day of the flight",
  CHILD: "2 to 11 on the day of the flight",
  INFANT: "under 2 on the day of the flight",
};

const party = ({ adults, children, infants }) => [
  ...Array(adults).fill("ADULT"),
  ...Array(children).fill("CHILD"),
  ...Array(infants).fill("INFANT"),
];

/** A seat select per flight. Taking somebody else's seat gives them ours: every held seat stays with exactly one. */
function seatFields(index, flights, held, form) {
  return flights.map((flight) => {
    const seats = held.find((part) => part.flight.id === flight.id)?.seats ?? [];
    const control = select(
      `passengers.${index}.seats.${flight.id}`,
      seats.map((seat) => [seat, seat]),
      seats[index],
      {
        "data-seat-of": flight.id,
      },
    );
    let before = control.value;
    control.addEventListener("change", () => {
      const others = form().querySelectorAll(`[data-seat-of="${CSS.escape(flight.id)}"]`);
      for (const other of others) {
        if (other !== control && other.value === control.value) {
          other.value = before;
          other.dispatchEvent(new CustomEvent("swapped"));
        }
      }
      before = control.value;
    });
    control.addEventListener("swapped", () => (before = control.value));
    return field(flights.length > 1 ? `Seat on ${flight.designator}` : "Seat", control);
  });
}

function passengerForm(type, index, number, flights, held, form) {
  const name = (part) => `passengers.${index}.${part}`;
  const text = (part, autocomplete) =>
    h("input", {
      type: "text",
      name: name(part),
      required: true,
      maxlength: 60,
      autocomplete: index === 0 ? autocomplete : "off",
    });
  return h(
    "fieldset",
    { class: "passenger", "data-type": type },
    h("legend", null, `Passenger ${number}`, h("small", null, KINDS[type])),
    field("Title", select(name("title"), TITLES, "")),
    field("First name", text("firstName", "given-name")),
    field("Last name", text("lastName", "family-name")),
    field(
      "Date of birth",
      h("input", {
        type: "date",
        name: name("dateOfBirth"),
        required: true,
        max: flights[0].departsAt.slice(0, 10),
        autocomplete: index === 0 ? "bday" : "off",
      }),
      { hint: AGES[type] },
    ),
    type === "INFANT"
      ? h("p", { class: "hint" }, "Travels on a lap, without a seat of their own.")
      : seatFields(index, flights, held, form),
  );
}

function contactForm() {
  return h(
    "fieldset",
    { class: "contact" },
    h("legend", null, "Contact"),
    field(
      "E-mail",
      h("input", {
        type: "email",
        name: "contact.email",
        required: true,
        autocomplete: "email",
        value: session.user()?.email ?? "",
      }),
      {
        hint: "Where the tickets go",
      },
    ),
    field(
      "Phone (optional)",
      h("input", { type: "tel", name: "contact.phone", autocomplete: "tel", placeholder: "+1 202 555 0143" }),
    ),
  );
}

/** The input of `createBooking` from what was typed. */
function toInput(form, types, flights, { offer, hold: held }) {
  const typed = Object.fromEntries(new FormData(form));
  const passengers = types.map((type, index) => {
    const at = (part) => typed[`passengers.${index}.${part}`];
    return {
      type,
      title: at("title") || null,
      firstName: at("firstName").trim(),
      lastName: at("lastName").trim(),
      dateOfBirth: at("dateOfBirth"),
      seats: type === "INFANT" ? [] : flights.map(({ id }) => ({ flightId: id, number: at(`seats.${id}`) })),
    };
  });
  const contact = {
    email: typed["contact.email"].trim(),
    phone: typed["contact.phone"].replace(/[\s()-]/g, "") || null,
  };
  return { offerId: offer.id, holdId: held.id, holdToken: held.token, contact, passengers };
}

/** "passengers.1.firstName" is the path in the input and the control's name; "passengers.1.seats" begins the names of several. */
function focusField(form, name) {
  const control = name && (form.elements[name] ?? form.querySelector(`[name^="${CSS.escape(name)}"]`));
  if (!control) return;
  control.setAttribute("aria-invalid", "true");
  control.focus();
}

function priceChangedActions({ offer }, notice, again) {
  if (!offer) return [h("button", { type: "button", class: "primary", onclick: () => go("") }, "Search again")];
  const accept = () => {
    update({ offer });
    clear(notice);
    again();
  };
  return [
    h("div", { class: "price-change" }, priceLines(offer.lines, offer.total)),
    h("button", { type: "button", class: "primary", onclick: accept }, `Accept ${money(offer.total)} and go on`),
  ];
}

function problemActions(problem, notice, again) {
  switch (problem.__typename) {
    case "PriceChanged":
      return priceChangedActions(problem, notice, again);
    case "HoldExpired":
    case "SeatsTaken":
      return [h("button", { type: "button", class: "primary", onclick: () => go("seats") }, "Choose seats again")];
    default:
      return [];
  }
}

/** The view at `#/passengers`. */
export function render(root) {
  const { offer, search, hold: held, booking } = trip();
  if (booking) return go("payment");
  if (!offer || !held) return go(offer ? "seats" : "");
  const flights = flightsOf(offer);
  const types = party(search);
  const notice = h("div", { class: "notice" });
  const submit = h("button", { class: "primary", type: "submit" }, "Continue to payment");

  async function send(event) {
    event?.preventDefault();
    for (const control of form.elements) control.removeAttribute("aria-invalid");
    clear(notice);
    const answer = await guarded(notice, () =>
      whileBusy(submit, "Booking…", () => mutate(CreateBooking, toInput(form, types, flights, trip()))),
    );
    if (!answer) return;
    if (isProblem(answer)) {
      showProblem(notice, answer, ...problemActions(answer, notice, () => form.requestSubmit()));
      if (["HoldExpired", "SeatsTaken"].includes(answer.__typename)) update({ hold: undefined });
      focusField(form, answer.field);
      return;
    }
    keepToken(answer);
    update({ booking: answer });
    go("payment");
  }

  const form = h(
    "form",
    { class: "passengers-form", onsubmit: send },
    types.map((type, index) => passengerForm(type, index, index + 1, flights, held.flights, () => form)),
    contactForm(),
    notice,
    h("p", { class: "form-end" }, submit),
  );
  root.append(
    h(
      "header",
      { class: "step-head" },
      h("h1", { tabindex: "-1" }, "Who is flying?"),
      h("p", null, "Names as in the passport or identity card."),
    ),
    form,
  );
  return undefined;
}
