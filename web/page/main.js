/** Starts the page: shows the view that the URL names, the steps of the journey and the hold bar. */

import * as account from "./account.js";
import * as board from "./board.js";
import * as confirmation from "./confirmation.js";
import { h } from "./dom.js";
import * as findBooking from "./findbooking.js";
import { mountHoldBar } from "./hold.js";
import { showProblem } from "./notice.js";
import * as passengers from "./passengers.js";
import * as payment from "./payment.js";
import { here, href } from "./router.js";
import * as search from "./search.js";
import * as seats from "./seats.js";

const VIEWS = { "": search, seats, passengers, payment, confirmation, find: findBooking, board, account };
const STEPS = [
  ["", "Flight"],
  ["seats", "Seats"],
  ["passengers", "Passengers"],
  ["payment", "Payment"],
  ["confirmation", "Done"],
];

const main = document.getElementById("main");
let leave = () => {};
let shown = 0;

function showSteps(path) {
  const steps = document.getElementById("steps");
  const at = STEPS.findIndex(([step]) => step === path);
  steps.hidden = at < 1;
  steps.replaceChildren(
    h(
      "ol",
      null,
      STEPS.map(([, name], index) =>
        h(
          "li",
          { "aria-current": index === at ? "step" : null, "data-done": index < at ? "true" : null },
          h("span", null, name),
          index < at && h("span", { class: "visually-hidden" }, " (done)"),
        ),
      ),
    ),
  );
}

function markNavigation(path) {
  for (const link of document.querySelectorAll("#navigation a")) {
    const target = link.getAttribute("href").replace(/^#\/?/, "").split("/")[0];
    if (target === path) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/** Shows the view that the URL names. A view returns what must be stopped when it is left. */
async function show({ focus }) {
  const place = here();
  const number = (shown += 1);
  const view = VIEWS[place.path] ?? search;
  leave();
  leave = () => {};
  const root = h("div", { class: `view view-${place.path || "search"}` });
  main.replaceChildren(root);
  showSteps(place.path);
  markNavigation(place.path);
  try {
    // A view puts its heading up before it waits for anything, so that focus and title can follow at once.
    const rendering = view.render(root, place);
    const heading = root.querySelector("h1");
    if (heading) document.title = `${heading.textContent} · Jetway`;
    scrollTo(0, 0);
    if (focus) heading?.focus();
    const stop = await rendering;
    if (typeof stop !== "function") return;
    if (number === shown) leave = stop;
    else stop();
  } catch (error) {
    const notice = h("div", { class: "notice" });
    root.append(notice);
    showProblem(notice, { __typename: "Unavailable", message: "This page has stumbled. Loading it again may help." });
    throw error;
  }
}

// "#main" would be a route to the router: the skip link moves the focus itself.
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
account.mountAccountLink(document.getElementById("account-link"));
mountHoldBar(document.getElementById("hold"));
addEventListener("hashchange", () => show({ focus: true }));
if (!location.hash) history.replaceState(null, "", href(""));
show({ focus: false });
