/** Search results: one card per flight (or chain of flights), with its fare families side by side. */

import { h } from "./dom.js";
import { count, day, daysBetween, duration, money, offset, time } from "./format.js";
import { flightsOf } from "./store.js";

const FEW_SEATS = 9;

/** Offers of the same flights belong on one card. Order of first appearance is kept: the server sorted them. */
function byFlight(offers) {
  const groups = new Map();
  for (const offer of offers) {
    const key = flightsOf(offer)
      .map(({ id }) => id)
      .join();
    groups.set(key, [...(groups.get(key) ?? []), offer]);
  }
  return [...groups.values()];
}

/** A wall-clock time with its offset: "08:05 UTC−5", and "+1 day" where the calendar has moved on. */
export function clockTime(instant, { since } = {}) {
  const later = since ? daysBetween(since, instant) : 0;
  return h(
    "span",
    { class: "clock" },
    h("time", { datetime: instant }, time(instant)),
    later !== 0 && h("sup", null, `${later > 0 ? "+" : "−"}${count(Math.abs(later), "day")}`),
    h("small", null, offset(instant)),
  );
}

/** Departure and arrival of one slice, with a line between them. */
export function journey({ departsAt, arrivesAt, durationMinutes, stops, segments }) {
  const first = segments[0].flight;
  const last = segments.at(-1).flight;
  return h(
    "div",
    { class: "journey" },
    h(
      "div",
      { class: "end" },
      clockTime(departsAt),
      h("span", { class: "place" }, first.origin.iataCode),
      h("small", null, first.origin.city),
    ),
    h(
      "div",
      { class: "line" },
      h("span", null, duration(durationMinutes)),
      h("i", { "aria-hidden": "true" }),
      h("span", null, stops === 0 ? "direct" : count(stops, "stop")),
    ),
    h(
      "div",
      { class: "end" },
      clockTime(arrivesAt, { since: departsAt }),
      h("span", { class: "place" }, last.destination.iataCode),
      h("small", null, last.destination.city),
    ),
  );
}

/** The lines of a price and their sum. */
export function priceLines(lines, total) {
  return h(
    "table",
    { class: "price-lines" },
    h("caption", { class: "visually-hidden" }, "Price in detail"),
    h(
      "tbody",
      null,
      lines.map(({ label, amount }) => h("tr", null, h("th", { scope: "row" }, label), h("td", null, money(amount)))),
    ),
    h("tfoot", null, h("tr", null, h("th", { scope: "row" }, "Total"), h("td", null, money(total)))),
  );
}

function rules({ refundable, changeable, checkedBags, cancellationFee }) {
  const free = Number(cancellationFee.amount) === 0;
  const yes = (text) => h("li", { class: "yes" }, text);
  const no = (text) => h("li", { class: "no" }, text);
  return h(
    "ul",
    { class: "rules" },
    refundable ? yes(free ? "Refundable, no fee" : `Refundable, fee ${money(cancellationFee)}`) : no("Not refundable"),
    changeable ? yes("Can be changed") : no("Cannot be changed"),
    checkedBags ? yes(count(checkedBags, "checked bag")) : no("No checked bag"),
  );
}

function fare(offer, designators, party, onChoose) {
  const { fareFamily, total, lines, seatsLeft } = offer;
  return h(
    "div",
    { class: "fare" },
    h("h4", null, fareFamily.name),
    h("p", { class: "price" }, money(total), party > 1 && h("small", null, ` for ${party}`)),
    rules(fareFamily),
    seatsLeft <= FEW_SEATS && h("p", { class: "few" }, `Only ${count(seatsLeft, "seat")} left`),
    h("details", null, h("summary", null, "Price in detail"), priceLines(lines, total)),
    h(
      "button",
      { type: "button", class: "primary", "data-offer": offer.id, onclick: () => onChoose(offer) },
      "Choose ",
      h("span", { class: "visually-hidden" }, `${fareFamily.name} on ${designators}`),
    ),
  );
}

function card(offers, party, onChoose) {
  const [{ slices }] = offers;
  const flights = flightsOf(offers[0]);
  const designators = flights.map(({ designator }) => designator).join(" + ");
  return h(
    "li",
    { class: "flight-card", "data-flights": designators },
    h(
      "div",
      { class: "flight-head" },
      h("span", { class: "tail", "aria-hidden": "true" }, flights[0].airline.iataCode),
      h(
        "div",
        null,
        h("h3", null, designators),
        h("p", null, [...new Set(flights.map(({ airline }) => airline.name))].join(", ")),
        h(
          "p",
          { class: "aircraft" },
          `${day(slices[0].departsAt)} · ${flights
            .map(({ aircraft }) => aircraft?.name)
            .filter(Boolean)
            .join(", ")}`,
        ),
      ),
    ),
    h("div", { class: "journeys" }, slices.map(journey)),
    h(
      "div",
      { class: "fares" },
      offers.map((offer) => fare(offer, designators, party, onChoose)),
    ),
  );
}

/**
 * @param {object[]} offers as the server sorted them
 * @param {{ adults: number, children: number, infants: number }} search
 * @param {(offer: object) => void} onChoose
 * @returns {{ element: Element, flights: number }}
 */
export function resultList(offers, { adults, children, infants }, onChoose) {
  const groups = byFlight(offers);
  if (groups.length === 0) {
    const element = h(
      "div",
      { class: "empty" },
      h("p", null, "No flight with enough free seats that day."),
      h("p", null, "Try a day before or after, another airport of the same city, or another cabin."),
    );
    return { element, flights: 0 };
  }
  const party = adults + children + infants;
  const element = h(
    "ul",
    { class: "flights" },
    groups.map((group) => card(group, party, onChoose)),
  );
  return { element, flights: groups.length };
}
