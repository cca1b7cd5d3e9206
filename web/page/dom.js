/** The few lines of DOM help that this page needs: `h()` builds elements, `announce()` speaks to screen readers. */

const SVG = "http://www.w3.org/2000/svg";

function build(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/**
 * Builds an HTML element. Text children are text nodes, so nothing from the server is ever parsed as HTML.
 * @param {string} tag
 * @param {Record<string, unknown> | null} [props] attributes; `onclick` and the like are listeners; null is left out
 * @param {...unknown} children nodes, strings, arrays of them; null and false are left out
 */
export const h = (tag, props, ...children) => build(document.createElement(tag), props, children);

/** The same for SVG elements. */
export const s = (tag, props, ...children) => build(document.createElementNS(SVG, tag), props, children);

let pending = [];
let timer;

/** Says a sentence politely. Sentences of the same half second are read together, so that a busy map is no chatter. */
export function announce(sentence) {
  pending.push(sentence);
  clearTimeout(timer);
  timer = setTimeout(() => {
    document.getElementById("announcer").textContent = pending.slice(-4).join(" ");
    pending = [];
  }, 500);
}

/** Disables `button` and says `busyText` on it while `work` runs. */
export async function whileBusy(button, busyText, work) {
  const label = [...button.childNodes];
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  button.replaceChildren(busyText);
  try {
    return await work();
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
    // The work may have given the button another label.
    if (button.textContent === busyText) button.replaceChildren(...label);
  }
}

/** A labelled form control. `hint` is tied to it by aria-describedby. */
export function field(label, control, { hint } = {}) {
  const id = control.id || `f-${control.name.replace(/\W/g, "-")}`;
  control.id = id;
  if (hint) control.setAttribute("aria-describedby", `${id}-hint`);
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    control,
    hint && h("p", { class: "hint", id: `${id}-hint` }, hint),
  );
}

/** A `<select>` from `[value, text]` pairs. */
export function select(name, options, selected, props = {}) {
  return h(
    "select",
    { name, ...props },
    options.map(([value, text]) => h("option", { value, selected: value === selected }, text)),
  );
}
