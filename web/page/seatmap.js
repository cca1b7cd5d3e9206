/**
 * The seat map as SVG, operable by mouse, touch and keyboard.
 *
 * To assistive technology it is a grid (https://www.w3.org/WAI/ARIA/apg/patterns/grid/): one tab stop, arrow keys move
 * from seat to seat, Home and End to the row's ends, Page Up and Down by five rows, Space or Enter chooses. Status is told
 * by shape and by words as well as by colour: a tick for yours, a cross for taken, a bar for seats not for sale.
 */

import { announce, s } from "./dom.js";
import { money, sentence } from "./format.js";

const SEAT = 40;
const GAP = 6;
const STEP = SEAT + GAP;
const AISLE = 34;
const TOP = 96;
const SIDE = 26;
const PAGE_ROWS = 5;

const MARKS = {
  mine: "M12 21 l6 6 l11 -13",
  chosen: "M12 21 l6 6 l11 -13",
  taken: "M14 14 l12 12 m0 -12 l-12 12",
  blocked: "M12 20 h16",
};

/** x of each column; the aisle after a column widens the way to the next, and row numbers stand in the first aisle. */
function columnPlaces({ columns, aislesAfter }) {
  let x = SIDE;
  const places = new Map();
  const aisles = [];
  for (const column of columns) {
    places.set(column, x);
    x += STEP;
    if (aislesAfter.includes(column)) {
      aisles.push(x - GAP + (AISLE + GAP) / 2 - GAP / 2);
      x += AISLE;
    }
  }
  return { places, aisles, width: x - GAP + SIDE };
}

const priceWords = (seat) => (seat.price && Number(seat.price.minorUnits) > 0 ? money(seat.price) : "");

const label = (plan, seat) =>
  [plan.describe(seat.number), seat.status === "AVAILABLE" && priceWords(seat)].filter(Boolean).join(", ");

function drawSeat(seat, x, y) {
  const legroom = seat.extraLegroom ? " legroom" : "";
  const price = priceWords(seat);
  return s(
    "g",
    {
      role: "gridcell",
      class: `seat${legroom}`,
      transform: `translate(${x} ${y})`,
      tabindex: "-1",
      "data-seat": seat.number,
    },
    s("rect", { class: "focus", x: -4, y: -4, width: SEAT + 8, height: SEAT + 8, rx: 13 }),
    s("rect", { class: "shell", x: 1, y: 1, width: SEAT - 2, height: SEAT - 2, rx: 9 }),
    s("path", { class: "rest", d: `M8 ${SEAT - 5} h${SEAT - 16}` }),
    s("text", { class: "letter", x: SEAT / 2, y: price ? 18 : 24 }, seat.column),
    price && s("text", { class: "cost", x: SEAT / 2, y: 30 }, price.replace(/\.00$/, "")),
    s("path", { class: "mark", d: "" }),
  );
}

function dress(plan, cell, seat) {
  const look = plan.look(seat.number);
  cell.dataset.look = look;
  cell.setAttribute("aria-label", label(plan, seat));
  cell.setAttribute("aria-selected", String(look === "mine" || look === "chosen"));
  if (look === "taken" || look === "blocked") cell.setAttribute("aria-disabled", "true");
  else cell.removeAttribute("aria-disabled");
  cell.querySelector(".mark").setAttribute("d", MARKS[look] ?? "");
}

/** A closed band for a cabin that was not paid for: it is there, and nothing in it can be chosen. */
function band({ cabin, rows }, width, y) {
  const words = `${sentence(cabin)} · rows ${rows[0].number}–${rows.at(-1).number}`;
  return s(
    "g",
    { class: "band", "aria-hidden": "true" },
    s("rect", { x: SIDE, y, width: width - 2 * SIDE, height: 34, rx: 10 }),
    s("text", { x: width / 2, y: y + 22 }, words),
  );
}

function hull(width, height) {
  const nose = `M6 ${TOP} C6 40 ${width * 0.32} 4 ${width / 2} 4 S${width - 6} 40 ${width - 6} ${TOP}`;
  return s("path", { class: "hull", "aria-hidden": "true", d: `${nose} V${height - 6} H6 Z` });
}

/**
 * @param {import("./seatplan.js").SeatPlan} plan
 * @returns {SVGElement}
 */
export function seatMap(plan) {
  const map = plan.cabinMap;
  const { places, aisles, width } = columnPlaces(map);
  const cells = new Map();
  let y = TOP;
  const before = [];
  const after = [];
  for (const other of plan.cabins) {
    if (other !== map) (other.rows[0].number < map.rows[0].number ? before : after).push(other);
  }
  const parts = [];
  for (const other of before) {
    parts.push(band(other, width, y));
    y += 34 + 14;
  }
  parts.push(
    s(
      "g",
      { class: "columns", "aria-hidden": "true" },
      map.columns.map((column) => s("text", { x: places.get(column) + SEAT / 2, y: y + 12 }, column)),
    ),
  );
  y += 24;

  const rows = map.rows.map((row) => {
    if (row.exitRow) y += 12;
    const top = y;
    y += STEP;
    return s(
      "g",
      { role: "row", "aria-label": `Row ${row.number}${row.exitRow ? ", exit row" : ""}` },
      row.seats.map((seat) => {
        const cell = drawSeat(seat, places.get(seat.column), top);
        cells.set(seat.number, cell);
        return cell;
      }),
      aisles.map((x) => s("text", { class: "row-number", "aria-hidden": "true", x, y: top + 25 }, String(row.number))),
      row.exitRow &&
        [6, width - 6].map((x) =>
          s("path", { class: "exit", "aria-hidden": "true", d: `M${x} ${top + 4} v${SEAT - 8}` }),
        ),
    );
  });
  const grid = s(
    "g",
    {
      role: "grid",
      "aria-label": `Seats in ${sentence(map.cabin)} on ${plan.flight.designator}. Arrow keys move, Space chooses.`,
      "aria-multiselectable": "true",
    },
    rows,
  );
  y += 12;
  for (const other of after) {
    parts.push(band(other, width, y));
    y += 34 + 14;
  }
  const height = y + 24;
  const element = s(
    "svg",
    { class: "seat-map", viewBox: `0 0 ${width} ${height}`, style: `max-width: ${width * 1.15}px` },
    hull(width, height),
    parts,
    grid,
  );

  for (const [number, cell] of cells) dress(plan, cell, plan.seats.get(number));
  operate(plan, map, grid, cells);
  plan.addEventListener("change", ({ detail }) => {
    for (const number of detail) {
      if (cells.has(number)) dress(plan, cells.get(number), plan.seats.get(number));
    }
  });
  return element;
}

/** Mouse, touch and keys, with a roving tabindex. */
function operate(plan, map, grid, cells) {
  const layout = map.rows.map(({ seats }) => seats.map(({ number }) => number));
  const firstFree = [...cells.keys()].find((number) => plan.look(number) === "free") ?? layout[0][0];
  let current = firstFree;
  cells.get(current).setAttribute("tabindex", "0");

  function focus(number) {
    cells.get(current).setAttribute("tabindex", "-1");
    current = number;
    cells.get(current).setAttribute("tabindex", "0");
    cells.get(current).focus();
  }

  function choose(number) {
    announce(plan.toggle(number).says);
  }

  /** The seat in another row that is nearest by column: rows may lack seats. */
  function across(row, number) {
    const wanted = map.columns.indexOf(plan.seats.get(number).column);
    const distance = (other) => Math.abs(map.columns.indexOf(plan.seats.get(other).column) - wanted);
    return layout[row].reduce((best, other) => (distance(other) < distance(best) ? other : best));
  }

  const clamp = (value, most) => Math.min(Math.max(value, 0), most);
  const moves = {
    ArrowLeft: (row, place) => layout[row][clamp(place - 1, layout[row].length - 1)],
    ArrowRight: (row, place) => layout[row][clamp(place + 1, layout[row].length - 1)],
    ArrowUp: (row) => across(clamp(row - 1, layout.length - 1), current),
    ArrowDown: (row) => across(clamp(row + 1, layout.length - 1), current),
    PageUp: (row) => across(clamp(row - PAGE_ROWS, layout.length - 1), current),
    PageDown: (row) => across(clamp(row + PAGE_ROWS, layout.length - 1), current),
    Home: (row) => layout[row][0],
    End: (row) => layout[row].at(-1),
  };

  grid.addEventListener("keydown", (event) => {
    const row = layout.findIndex((numbers) => numbers.includes(current));
    if (event.key === " " || event.key === "Enter") choose(current);
    else if (event.ctrlKey && event.key === "Home") focus(layout[0][0]);
    else if (event.ctrlKey && event.key === "End") focus(layout.at(-1).at(-1));
    else if (moves[event.key] && !event.altKey && !event.metaKey)
      focus(moves[event.key](row, layout[row].indexOf(current)));
    else return;
    event.preventDefault();
  });
  grid.addEventListener("click", ({ target }) => {
    const number = target.closest("[data-seat]")?.dataset.seat;
    if (!number) return;
    focus(number);
    choose(number);
  });
}
