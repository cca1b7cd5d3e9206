/** A modal `<dialog>`: the browser keeps focus inside, closes on Escape and gives focus back. */

import { h } from "./dom.js";

let opened = 0;

/**
 * @param {string} title
 * @param {unknown[]} content
 * @param {{ onclose?: () => void, wide?: boolean }} [options]
 * @returns {HTMLDialogElement} open; `close()` removes it
 */
export function openDialog(title, content, { onclose, wide = false } = {}) {
  const id = `dialog-${(opened += 1)}`;
  const dialog = h(
    "dialog",
    { "aria-labelledby": id, class: wide ? "wide" : null },
    h(
      "header",
      { class: "dialog-head" },
      h("h2", { id }, title),
      h("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: () => dialog.close() }, "✕"),
    ),
    content,
  );
  const leave = () => dialog.close();
  addEventListener("hashchange", leave);
  dialog.addEventListener("close", () => {
    removeEventListener("hashchange", leave);
    dialog.remove();
    onclose?.();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
