/**
 * The seats as a list, beside the picture: the same seats, words instead of shapes.
 *
 * A listbox with multiple selection (https://www.w3.org/WAI/ARIA/apg/patterns/listbox/): one tab stop, up and down
 * move, Space chooses. Filters keep it short.
 */

import { announce, field, h, select } from "./dom.js";
import { money } from "./format.js";

const FILTERS = [
  ["free", "Free seats"],
  ["WINDOW", "Free window seats"],
  ["AISLE", "Free aisle seats"],
  ["legroom", "Free seats with extra legroom"],
  ["all", "All seats"],
];

const wants = {
  free: () => true,
  WINDOW: ({ position }) => position === "WINDOW",
  AISLE: ({ position }) => position === "AISLE",
  legroom: ({ extraLegroom }) => extraLegroom,
};

/**
 * @param {import("./seatplan.js").SeatPlan} plan
 * @returns {HTMLElement}
 */
export function seatList(plan) {
  const numbers = plan.cabinMap.rows.flatMap(({ seats }) => seats.map(({ number }) => number));
  const options = new Map();
  const filter = select("seat-filter", FILTERS, "free", { id: "seat-filter", onchange: () => show() });
  const empty = h("p", { class: "empty", hidden: true }, "No such seat is free.");
  const list = h("ul", {
    class: "seat-list",
    role: "listbox",
    "aria-multiselectable": "true",
    "aria-label": `Seats on ${plan.flight.designator}`,
    onkeydown: keys,
    onclick: ({ target }) => choose(target.closest("[data-seat]")),
  });

  function isShown(number) {
    const look = plan.look(number);
    if (look === "mine" || look === "chosen" || filter.value === "all") return true;
    // A seat that goes while the focus is on it stays to be read, and takes the focus nowhere.
    if (document.activeElement === options.get(number)) return true;
    return look === "free" && wants[filter.value](plan.seats.get(number));
  }

  function describe(number) {
    const seat = plan.seats.get(number);
    const [, ...words] = plan.describe(number).split(", ");
    const costs = seat.price && Number(seat.price.minorUnits) > 0;
    return [
      h("span", { class: "mark", "aria-hidden": "true" }),
      h("b", null, number),
      h("span", { class: "words" }, words.join(", ")),
      h("span", { class: "price" }, costs ? money(seat.price) : "included"),
    ];
  }

  function refresh(number) {
    const look = plan.look(number);
    const option = options.get(number);
    option.dataset.look = look;
    option.hidden = !isShown(number);
    option.setAttribute("aria-selected", String(look === "mine" || look === "chosen"));
    option.setAttribute("aria-disabled", String(look === "taken" || look === "blocked"));
    option.replaceChildren(...describe(number));
  }

  const shown = () => [...options.values()].filter((option) => !option.hidden);

  /** Exactly one option shown can be reached by Tab. */
  function keepTabStop() {
    const visible = shown();
    empty.hidden = visible.length > 0;
    if (visible.some((option) => option.tabIndex === 0)) return;
    for (const option of options.values()) option.tabIndex = -1;
    if (visible[0]) visible[0].tabIndex = 0;
  }

  function show() {
    for (const number of numbers) refresh(number);
    keepTabStop();
    list.scrollTop = 0;
  }

  function focus(option) {
    for (const other of options.values()) other.tabIndex = -1;
    option.tabIndex = 0;
    option.focus();
  }

  function choose(option) {
    if (!option) return;
    focus(option);
    announce(plan.toggle(option.dataset.seat).says);
  }

  function keys(event) {
    const visible = shown();
    const at = visible.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: visible.length - 1 }[event.key];
    if (event.key === " " || event.key === "Enter") choose(visible[at]);
    else if (to !== undefined) visible[to] && focus(visible[to]);
    else return;
    event.preventDefault();
  }

  for (const number of numbers) {
    options.set(number, h("li", { role: "option", tabindex: "-1", "data-seat": number }));
  }
  list.append(...options.values());
  show();
  plan.addEventListener("change", ({ detail }) => {
    for (const number of detail) if (options.has(number)) refresh(number);
    keepTabStop();
  });
  return h("div", { class: "seat-list-panel" }, field("Show", filter), list, empty);
}
