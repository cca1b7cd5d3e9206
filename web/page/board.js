/** The departures board of an airport, kept live by `flightStatusEvents`. */

import { Departures, FlightStatusEvents } from "../client/documents.js";
import { query } from "../client/graphql.js";
import { live } from "../client/live.js";
import { announce, h } from "./dom.js";
import { day, offset, sentence, time } from "./format.js";
import { guarded } from "./notice.js";
import { href } from "./router.js";

const AIRPORTS = [
  ["JFK", "John F. Kennedy"],
  ["LGA", "LaGuardia"],
  ["EWR", "Newark"],
];
const FLIGHTS_SHOWN = 30;
const RENEW_EVERY_MS = 60_000;
const WORDS = { SCHEDULED: "On time", IN_FLIGHT: "In the air" };

const statusInWords = (status) => WORDS[status] ?? sentence(status);

function timeCell({ departsAt, estimatedDepartureAt }) {
  const late = estimatedDepartureAt && estimatedDepartureAt !== departsAt;
  return [
    late
      ? h("s", null, h("span", { class: "visually-hidden" }, "planned "), time(departsAt))
      : h("time", { datetime: departsAt }, time(departsAt)),
    late &&
      h(
        "time",
        { class: "new-time", datetime: estimatedDepartureAt },
        h("span", { class: "visually-hidden" }, "now "),
        time(estimatedDepartureAt),
      ),
  ];
}

const CELLS = {
  time: timeCell,
  place: ({ destination }) => [destination.city, h("small", null, destination.iataCode)],
  flight: ({ designator, airline }) => [designator, h("small", null, airline.name)],
  gate: ({ departureGate, departureTerminal }) => [
    departureTerminal && h("small", null, `T${departureTerminal}`),
    departureGate ?? "–",
  ],
  status: ({ status }) => h("span", { class: "flight-status", "data-status": status }, statusInWords(status)),
};

/** A row that knows how to show a newer state of its flight, and which cells that changes. */
function flightRow(first) {
  let flight = first;
  const cells = Object.fromEntries(
    Object.entries(CELLS).map(([name, show]) => [
      name,
      h(name === "place" ? "th" : "td", { class: name, scope: name === "place" ? "row" : null }, show(flight)),
    ]),
  );
  const element = h("tr", { "data-flight": flight.id, "data-designator": flight.designator }, Object.values(cells));
  function change(news) {
    const before = flight;
    flight = { ...flight, ...news };
    for (const [name, show] of Object.entries(CELLS)) {
      const fresh = h("td", null, show(flight));
      if (fresh.textContent === cells[name].textContent) continue;
      cells[name].replaceChildren(...fresh.childNodes);
      flip(cells[name]);
    }
    if (before.status !== flight.status) {
      announce(`${flight.designator} to ${flight.destination.city}: ${statusInWords(flight.status)}.`);
    }
  }
  return { element, change };
}

/** Turns a changed cell like a flap; style/board.css keeps it still for who wants no motion. */
function flip(cell) {
  cell.classList.remove("flip");
  // Reading a layout property makes the browser see the class go, so that adding it starts the animation anew.
  void cell.offsetWidth;
  cell.classList.add("flip");
}

function chooser(airport) {
  return h(
    "nav",
    { class: "airport-choice", "aria-label": "Airport" },
    AIRPORTS.map(([code, name]) =>
      h(
        "a",
        { href: href(`board/${code}`), "aria-current": code === airport ? "page" : null },
        h("b", null, code),
        h("span", null, name),
      ),
    ),
  );
}

/** The view at `#/board/JFK`. */
export async function render(root, { rest: [airport = "JFK"] }) {
  const notice = h("div", { class: "notice" });
  const caption = h("caption", { class: "visually-hidden" }, `Departures from ${airport}`);
  const body = h("tbody");
  const when = h("p", { class: "board-when" });
  const headings = ["Time", "To", "Flight", "Gate", "Status"];
  root.append(
    h("header", { class: "step-head" }, h("h1", { tabindex: "-1" }, "Departures"), when),
    chooser(airport),
    notice,
    h(
      "div",
      { class: "board" },
      h(
        "table",
        null,
        caption,
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            headings.map((word) => h("th", { scope: "col" }, word)),
          ),
        ),
        body,
      ),
    ),
  );
  let rows = new Map();
  let watched = "";
  let unsubscribe = () => {};

  function show(flights) {
    const kept = rows;
    rows = new Map(flights.map((flight) => [flight.id, kept.get(flight.id) ?? flightRow(flight)]));
    body.replaceChildren(...[...rows.values()].map(({ element }) => element));
    if (flights.length === 0)
      body.append(
        h("tr", null, h("td", { colspan: headings.length, class: "none" }, "No departures in the schedule.")),
      );
    else when.textContent = `${day(flights[0].departsAt)} · local time, ${offset(flights[0].departsAt)}`;
    follow([...rows.keys()]);
  }

  function follow(flightIds) {
    if (watched === flightIds.join()) return;
    watched = flightIds.join();
    unsubscribe();
    if (flightIds.length === 0) return;
    unsubscribe = live.subscribe(
      FlightStatusEvents,
      { flightIds },
      { onEvent: ({ flight }) => rows.get(flight.id)?.change(flight) },
    );
  }

  async function load() {
    const data = await guarded(notice, () => query(Departures, { airport, first: FLIGHTS_SHOWN }));
    if (data && root.isConnected) show(data.departures ?? []);
  }

  await load();
  // Flights leave the board as time goes by, which no event tells.
  const timer = setInterval(load, RENEW_EVERY_MS);
  return () => {
    clearInterval(timer);
    unsubscribe();
  };
}
