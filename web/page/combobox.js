/**
 * An airport field with suggestions: an editable combobox with a list, after the ARIA Authoring Practices.
 * https://www.w3.org/WAI/ARIA/apg/patterns/combobox/
 *
 * Focus stays in the text field; the list's active option is told by aria-activedescendant. Arrow keys move, Enter
 * takes, Escape closes. Typing a bare code ("LAX") and leaving the field works without opening the list.
 */

import { Airports } from "../client/documents.js";
import { query } from "../client/graphql.js";
import { announce, h } from "./dom.js";
import { count } from "./format.js";

const TYPING_PAUSE_MS = 120;
const caption = ({ iataCode, city }) => `${city} (${iataCode})`;

/** @returns {Promise<object[]>} airports that `text` may mean */
async function suggest(text) {
  const { airports } = await query(Airports, { search: text, first: 8 });
  return airports ?? [];
}

/**
 * @param {{ id: string, label: string, code?: string }} options `code` is an airport to start with
 * @returns {{ element: HTMLElement, input: HTMLInputElement, code: () => Promise<string>, set: (code: string) => void }}
 */
export function airportField({ id, label, code = "" }) {
  let chosen = code;
  let options = [];
  let active = -1;
  let timer;
  let asked = 0;

  const listbox = h("ul", { id: `${id}-list`, role: "listbox", "aria-label": `${label}: suggestions`, hidden: true });
  const input = h("input", {
    id,
    type: "text",
    role: "combobox",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    required: true,
    placeholder: "City or airport code",
    "aria-expanded": "false",
    "aria-controls": listbox.id,
    "aria-autocomplete": "list",
    value: code,
  });

  function close() {
    listbox.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function choose(airport) {
    chosen = airport.iataCode;
    input.value = caption(airport);
    input.setCustomValidity("");
    close();
  }

  function activate(index) {
    listbox.children[active]?.setAttribute("aria-selected", "false");
    active = (index + options.length) % options.length;
    const option = listbox.children[active];
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  }

  function open(airports) {
    options = airports;
    active = -1;
    listbox.replaceChildren(
      ...airports.map((airport, index) =>
        h(
          "li",
          {
            id: `${id}-option-${index}`,
            role: "option",
            "aria-selected": "false",
            // mousedown, not click: a click would take the focus out of the field first and close the list
            onmousedown: (event) => {
              event.preventDefault();
              choose(airport);
            },
          },
          h("span", { class: "code" }, airport.iataCode),
          h("span", null, airport.city, h("small", null, airport.name)),
        ),
      ),
    );
    listbox.hidden = airports.length === 0;
    input.setAttribute("aria-expanded", String(airports.length > 0));
    input.removeAttribute("aria-activedescendant");
    announce(airports.length ? `${count(airports.length, "suggestion")}.` : "No airport found.");
  }

  async function look() {
    const text = input.value.trim();
    const number = (asked += 1);
    if (!text) return close();
    const airports = await suggest(text);
    if (number === asked && document.activeElement === input) open(airports);
    return undefined;
  }

  input.addEventListener("input", () => {
    chosen = "";
    input.setCustomValidity("");
    clearTimeout(timer);
    // A failed suggestion is no failure of the search: the field still takes a plain code.
    timer = setTimeout(() => look().catch(close), TYPING_PAUSE_MS);
  });
  input.addEventListener("focus", () => input.select());
  input.addEventListener("blur", () => {
    if (active >= 0 && !listbox.hidden) choose(options[active]);
    close();
  });
  input.addEventListener("keydown", (event) => {
    const shown = !listbox.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!shown) look().catch(close);
      else activate(event.key === "ArrowDown" ? active + 1 : active < 0 ? -1 : active - 1);
    } else if (event.key === "Enter" && shown && active >= 0) {
      event.preventDefault();
      choose(options[active]);
    } else if (event.key === "Escape" && shown) {
      event.preventDefault();
      close();
    }
  });

  /** The IATA code that was meant: the chosen one, a bare code, or the first suggestion for the text. */
  async function resolve() {
    clearTimeout(timer);
    asked += 1;
    if (chosen) return chosen;
    const text = input.value.trim();
    const [, bare] = text.match(/^(?:.*\()?([A-Za-z]{3})\)?$/) ?? [];
    if (bare) return (chosen = bare.toUpperCase());
    const [first] = await suggest(text);
    if (first) choose(first);
    else input.setCustomValidity("We know no airport by that name. Try its city or its three-letter code.");
    return chosen;
  }

  async function set(newCode) {
    chosen = newCode;
    input.value = newCode;
    if (!newCode) return;
    const airport = (await suggest(newCode)).find(({ iataCode }) => iataCode === newCode);
    if (airport && chosen === newCode) choose(airport);
  }
  // The bare code is already in the field; its city is a nicety that may fail.
  const setQuietly = (newCode) => set(newCode).catch(close);
  if (code) setQuietly(code);

  const element = h("div", { class: "field combobox" }, h("label", { for: id }, label), input, listbox);
  return { element, input, code: resolve, set: setQuietly, current: () => chosen };
}
