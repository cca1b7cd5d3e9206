/** The seat step: map and list of each flight, kept live, and the button that holds the chosen seats. */

import { SeatMap, SeatMapEvents } from "../client/documents.js";
import { isProblem, query } from "../client/graphql.js";
import { live } from "../client/live.js";
import { announce, h, whileBusy } from "./dom.js";
import { count, day, list, money } from "./format.js";
import { hold, release } from "./hold.js";
import { clear, guarded, showProblem } from "./notice.js";
import { clockTime } from "./results.js";
import { go, href } from "./router.js";
import { seatList } from "./seatlist.js";
import { seatMap } from "./seatmap.js";
import { SeatPlan } from "./seatplan.js";
import { changes, flightsOf, seatedPassengers, trip } from "./store.js";

const LEGEND = [
  ["free", "Free"],
  ["legroom", "Extra legroom"],
  ["chosen", "Yours"],
  ["taken", "Taken"],
  ["blocked", "Not for sale"],
];

/** One plan per flight of the offer, loaded side by side. */
async function loadPlans(offer, wanted) {
  const segments = offer.slices.flatMap((slice) => slice.segments);
  return Promise.all(
    segments.map(async ({ cabin, flight }) => {
      const { flight: loaded } = await query(SeatMap, { flightId: flight.id });
      return new SeatPlan(loaded, cabin, wanted);
    }),
  );
}

/** Follows the flight's seats. What others take is said politely; what they take from us is said plainly. */
function follow(plan, notice) {
  const onEvent = (event) => {
    const { gone, lost } = plan.apply(event);
    if (lost.length) {
      showProblem(notice, {
        __typename: "SeatsTaken",
        message:
          lost.length === 1 ? "You had chosen it, but not held it yet." : "You had chosen them, but not held them yet.",
        taken: [{ flightId: plan.flight.id, seats: lost }],
      });
    } else if (gone.length) {
      announce(
        `${gone.length === 1 ? "Seat" : "Seats"} ${list(gone)} ${gone.length === 1 ? "has" : "have"} just been taken.`,
      );
    }
  };
  const onRefused = ([{ message }]) => announce(`The seat map is no longer live: ${message}`);
  return live.subscribe(SeatMapEvents, { flightId: plan.flight.id, after: plan.cursor }, { onEvent, onRefused });
}

function liveBadge() {
  const words = { live: "Live", connecting: "Connecting…", offline: "Offline, trying again…", idle: "" };
  const badge = h("p", { class: "live-badge" });
  const stop = live.watch((state) => {
    badge.dataset.state = state;
    badge.textContent = words[state];
  });
  return { badge, stop };
}

function legend() {
  return h(
    "ul",
    { class: "legend", "aria-label": "What the seats look like" },
    LEGEND.map(([look, words]) => h("li", null, h("i", { "data-look": look, "aria-hidden": "true" }), words)),
  );
}

function flightPanel(plan) {
  const { flight } = plan;
  const map = h("div", { class: "map-panel" }, legend(), seatMap(plan));
  const panel = h("div", { class: "list-panel" }, seatList(plan));
  const element = h("div", { class: "seat-views", "data-flight": flight.id, "data-view": "map" }, map, panel);
  return element;
}

/** On narrow screens one view at a time. */
function viewSwitch(container) {
  const button = (view, words) =>
    h(
      "button",
      {
        type: "button",
        "aria-pressed": String(view === "map"),
        onclick: ({ currentTarget }) => {
          for (const panel of container.querySelectorAll(".seat-views")) panel.dataset.view = view;
          for (const other of currentTarget.parentElement.children)
            other.setAttribute("aria-pressed", String(other === currentTarget));
        },
      },
      words,
    );
  return h(
    "div",
    { class: "view-switch", role: "group", "aria-label": "View" },
    button("map", "Map"),
    button("list", "List"),
  );
}

function flightTabs(plans, panels) {
  if (plans.length < 2) return null;
  const show = (index) => {
    panels.forEach((panel, place) => (panel.hidden = place !== index));
    [...tabs.children].forEach((tab, place) => tab.setAttribute("aria-pressed", String(place === index)));
  };
  const tabs = h(
    "div",
    { class: "flight-tabs", role: "group", "aria-label": "Flight" },
    plans.map(({ flight }, index) =>
      h(
        "button",
        { type: "button", onclick: () => show(index) },
        `${flight.origin.iataCode} → ${flight.destination.iataCode} `,
        flight.designator,
      ),
    ),
  );
  show(0);
  return tabs;
}

/** The chosen seats, and what can be done with them. */
function chosenBar(plans) {
  // Problems with seats are told here: the bar is always in sight, wherever in the cabin one is.
  const notice = h("div", { class: "notice" });
  const picked = h("p", { class: "picked" });
  const extra = h("p", { class: "extra" });
  const actions = h("div", { class: "actions" });

  async function take() {
    const missing = plans.find((plan) => plan.selection.size < plan.wanted);
    if (missing) {
      const more = missing.wanted - missing.selection.size;
      announce(`Choose ${count(more, "more seat")} on ${missing.flight.designator} first.`);
      picked.classList.add("wanting");
      return;
    }
    clear(notice);
    for (const plan of plans) plan.expected = plan.selection;
    const answer = await guarded(notice, () =>
      whileBusy(holdButton, "Holding…", () =>
        hold(plans.map(({ flight, selection }) => ({ flightId: flight.id, seats: [...selection] }))),
      ),
    );
    for (const plan of plans) plan.expected = [];
    if (!answer) return;
    if (!isProblem(answer)) return go("passengers");
    for (const { flightId, seats } of answer.taken ?? [])
      plans.find(({ flight }) => flight.id === flightId)?.drop(seats);
    showProblem(notice, answer);
  }

  const holdButton = h("button", { type: "button", class: "primary", onclick: take });
  const next = h("a", { class: "button primary", href: href("passengers") }, "Passenger details");
  const letGo = h(
    "button",
    {
      type: "button",
      class: "secondary",
      onclick: () => guarded(notice, () => whileBusy(letGo, "Releasing…", release)),
    },
    "Change seats",
  );

  function show() {
    const [{ wanted }] = plans;
    const seats = plans.flatMap(({ selection }) => [...selection]);
    const prices = plans
      .flatMap((plan) => [...plan.selection].map((number) => plan.seats.get(number).price))
      .filter(Boolean);
    const sum = prices.reduce((total, { amount }) => total + Number(amount), 0);
    const held = plans.some((plan) => plan.held);
    picked.classList.remove("wanting");
    if (plans.every(({ selection }) => selection.size === wanted)) clear(notice);
    picked.replaceChildren(
      seats.length ? h("b", null, list(seats)) : `Choose ${count(wanted, "seat")}`,
      seats.length ? h("span", null, held ? " held for you" : ` · ${seats.length} of ${wanted * plans.length}`) : "",
    );
    extra.textContent = sum > 0 ? `Seat charges ${money({ amount: sum, currency: prices[0].currency })}` : "";
    if (!holdButton.hasAttribute("aria-busy"))
      holdButton.textContent = `Hold ${wanted * plans.length === 1 ? "this seat" : "these seats"} for 15 minutes`;
    actions.replaceChildren(...(held ? [letGo, next] : [holdButton]));
  }
  for (const plan of plans) plan.addEventListener("change", show);
  show();
  const element = h(
    "section",
    { class: "chosen-bar", "aria-label": "Chosen seats" },
    notice,
    h("div", null, picked, extra),
    actions,
  );
  return { element, notice };
}

/** Marks the seats that our hold keeps, and follows the hold as it comes and goes. */
function followHold(plans) {
  const mark = () => {
    const { flights = [] } = trip().hold ?? {};
    for (const plan of plans) {
      const seats = flights.find(({ flight }) => flight.id === plan.flight.id)?.seats ?? [];
      if (seats.length || plan.held) plan.mine = seats;
    }
  };
  mark();
  changes.addEventListener("change", mark);
  return () => changes.removeEventListener("change", mark);
}

/** The view at `#/seats`. */
export async function render(root) {
  const { offer, search, booking } = trip();
  if (!offer) return go("");
  if (booking) return go("payment");
  const [first] = flightsOf(offer);
  const notice = h("div", { class: "notice" });
  root.append(
    h(
      "header",
      { class: "step-head" },
      h("h1", { tabindex: "-1" }, `Choose ${count(seatedPassengers(search), "seat")}`),
      h(
        "p",
        null,
        flightsOf(offer)
          .map(({ designator }) => designator)
          .join(" + "),
        ` · ${first.origin.city} to ${flightsOf(offer).at(-1).destination.city} · ${day(first.departsAt)}, `,
        clockTime(first.departsAt),
        ` · ${offer.fareFamily.name}`,
      ),
    ),
    notice,
  );
  const plans = await guarded(notice, () => loadPlans(offer, seatedPassengers(search)));
  if (!plans || !root.isConnected) return undefined;
  const stopHold = followHold(plans);
  const panels = plans.map(flightPanel);
  const container = h("div", { class: "seat-panels" }, panels);
  const { badge, stop } = liveBadge();
  const bar = chosenBar(plans);
  root.append(
    h("div", { class: "seat-tools" }, flightTabs(plans, panels), viewSwitch(container), badge),
    container,
    bar.element,
  );
  const stops = plans.map((plan) => follow(plan, bar.notice));
  return () => [...stops, stop, stopHold].forEach((end) => end());
}
