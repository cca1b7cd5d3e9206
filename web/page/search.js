/** Where to, when, how many: the search form and, below it, what was found. The search itself lives in the URL. */

import { SearchFlights } from "../client/documents.js";
import { query, Refusal } from "../client/graphql.js";
import { airportField } from "./combobox.js";
import { announce, field, h, select, whileBusy } from "./dom.js";
import { count, longDay, sentence } from "./format.js";
import { clear, guarded, showProblem } from "./notice.js";
import { resultList } from "./results.js";
import { go } from "./router.js";
import { update } from "./store.js";

const CABINS = ["ECONOMY", "PREMIUM_ECONOMY", "BUSINESS", "FIRST"];
const SORTS = [
  ["PRICE", "Lowest price"],
  ["DEPARTURE", "Earliest departure"],
  ["ARRIVAL", "Earliest arrival"],
  ["DURATION", "Shortest flight"],
];
const MOST_PASSENGERS = 9;
/** The most that the server gives at once: a day of a busy route with all its fares. */
const PAGE_SIZE = 100;

/** The search in the URL, with what a fresh visitor starts from. */
function fromParams(params) {
  const number = (name, fallback) => Number(params.get(name) ?? fallback);
  return {
    origin: params.get("origin") ?? "",
    destination: params.get("destination") ?? "",
    date: params.get("date") ?? "",
    adults: number("adults", 1),
    children: number("children", 0),
    infants: number("infants", 0),
    cabin: params.get("cabin") ?? "ECONOMY",
    sort: params.get("sort") ?? "PRICE",
  };
}

/** The input of `flightSearch`. */
function toInput({ origin, destination, date, adults, children, infants, cabin, sort }) {
  return { slices: [{ origin, destination, date }], passengers: { adults, children, infants }, cabin, sort };
}

const today = () => {
  const now = new Date();
  return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
};

function passengerFields(search) {
  const kinds = [
    ["adults", "Adults", 1],
    ["children", "Children", 0, "2–11"],
    ["infants", "Infants", 0, "on a lap"],
  ];
  return kinds.map(([name, label, least, note]) => {
    const numbers = Array.from({ length: MOST_PASSENGERS + 1 - least }, (_, index) => String(index + least));
    const control = select(
      name,
      numbers.map((value) => [value, value]),
      String(search[name]),
    );
    return field(note ? h("span", null, label, h("small", null, ` ${note}`)) : label, control);
  });
}

function searchForm(search, notice) {
  const from = airportField({ id: "origin", label: "From", code: search.origin });
  const to = airportField({ id: "destination", label: "To", code: search.destination });
  const swap = h(
    "button",
    {
      type: "button",
      class: "swap",
      "aria-label": "Swap From and To",
      onclick: () => {
        const [origin, destination] = [from.current(), to.current()];
        from.set(destination);
        to.set(origin);
      },
    },
    "⇄",
  );
  const date = h("input", { type: "date", name: "date", required: true, min: today(), value: search.date || today() });
  const submit = h("button", { class: "primary", type: "submit" }, "Search flights");

  async function send(event) {
    event.preventDefault();
    clear(notice);
    const form = event.target;
    const codes = await guarded(notice, () =>
      whileBusy(submit, "Searching…", async () => [await from.code(), await to.code()]),
    );
    if (!codes || !form.reportValidity()) return;
    const [origin, destination] = codes;
    const { adults, children, infants, cabin } = Object.fromEntries(new FormData(form));
    const params = { origin, destination, date: date.value, adults, children, infants, cabin, sort: search.sort };
    const unchanged = new URLSearchParams(params).toString() === location.hash.split("?")[1];
    if (unchanged) dispatchEvent(new HashChangeEvent("hashchange"));
    else go("", params);
  }

  return h(
    "form",
    { class: "search-form", "aria-label": "Search flights", onsubmit: send },
    h("div", { class: "route" }, from.element, swap, to.element),
    h(
      "div",
      { class: "details" },
      field("Date", date),
      passengerFields(search),
      field(
        "Cabin",
        select(
          "cabin",
          CABINS.map((cabin) => [cabin, sentence(cabin)]),
          search.cabin,
        ),
      ),
      submit,
    ),
  );
}

/** Brings a refused field into focus, so that it can be corrected at once. */
function focusField(name) {
  const known = ["origin", "destination", "date", "adults", "children", "infants", "cabin"];
  const last = known.findLast((word) => name?.includes(word));
  const control = last && (document.getElementById(last) ?? document.querySelector(`[name=${last}]`));
  control?.setAttribute("aria-invalid", "true");
  control?.focus();
}

function sortControl(search) {
  const control = select("sort", SORTS, search.sort, { onchange: () => go("", { ...search, sort: control.value }) });
  return field("Sort by", control);
}

async function showResults(search, place, notice) {
  const offers = [];
  const list = h("div", { class: "result-list" });
  const more = h("button", { type: "button", class: "secondary", onclick: () => load(true) }, "Show more");
  const heading = h("h2", { id: "results-heading", tabindex: "-1" }, "Searching…");
  place.replaceChildren(
    h(
      "section",
      { class: "results", "aria-labelledby": "results-heading" },
      h("div", { class: "results-head" }, heading, sortControl(search)),
      list,
      h("p", { class: "more" }, more),
    ),
  );
  let after = null;

  async function load(byButton) {
    const page = () => query(SearchFlights, { input: toInput(search), first: PAGE_SIZE, after });
    const { flightSearch } = byButton
      ? ((await guarded(notice, () => whileBusy(more, "Loading…", page))) ?? {})
      : await page();
    if (!flightSearch) return;
    offers.push(...flightSearch.edges.map(({ node }) => node));
    after = flightSearch.pageInfo.endCursor;
    more.hidden = !flightSearch.pageInfo.hasNextPage;
    const { element, flights } = resultList(offers, search, (offer) => {
      update({ search, offer, hold: undefined, booking: undefined, leftToPay: undefined });
      go("seats");
    });
    list.replaceChildren(element);
    const counted = more.hidden ? count(flights, "flight") : `More than ${count(flights, "flight")}`;
    const found = offers.length ? counted : "No flights";
    heading.textContent = `${found} from ${search.origin} to ${search.destination}, ${longDay(search.date)}`;
    announce(`${found} found.`);
  }

  try {
    more.hidden = true;
    await load(false);
  } catch (error) {
    place.replaceChildren();
    showProblem(notice, error);
    if (error instanceof Refusal) focusField(error.field);
  }
}

/** The view at `#/`. */
export function render(root, { params }) {
  const search = fromParams(params);
  const notice = h("div", { class: "notice" });
  const results = h("div", null);
  const asked = search.origin && search.destination && search.date;
  root.append(
    h(
      "section",
      { class: asked ? "hero small" : "hero" },
      h(
        "div",
        { class: "hero-words" },
        h("h1", { tabindex: "-1" }, "Where are you flying?"),
        h("p", null, "Pick your very seat, live. It is yours the moment you hold it."),
      ),
      searchForm(search, notice),
    ),
    notice,
    results,
  );
  if (asked) showResults(search, results, notice);
}
