/** The end of the journey: the booking as it stands, read fresh from the server, with tickets once they are issued. */

import { Booking } from "../client/documents.js";
import { query } from "../client/graphql.js";
import { bookingView } from "./bookingview.js";
import { cancelButton } from "./cancellation.js";
import { announce, h } from "./dom.js";
import { guarded } from "./notice.js";
import { go, href } from "./router.js";
import { tokenOf, trip, update } from "./store.js";

const ASK_AGAIN_MS = 1_500;
const SETTLING = ["INITIATED", "SEATS_LOCKED", "PAYMENT_PENDING"];

const HEADINGS = {
  CONFIRMED: [
    "You are going!",
    "Your seats are yours. Keep the booking reference: with your last name it finds this booking again.",
  ],
  CANCELLED: ["The booking is cancelled", "The seats are free again."],
};

/** The view at `#/confirmation`. */
export async function render(root) {
  const { booking: known } = trip();
  if (!known) return go("find");
  const token = tokenOf(known.id);
  const heading = h("h1", { tabindex: "-1" }, "One moment…");
  const lead = h("p");
  const notice = h("div", { class: "notice" });
  const place = h("div");
  root.append(h("header", { class: "step-head" }, heading, lead), notice, place);

  let timer;
  function show(booking) {
    update({ booking: { ...booking, accessToken: token } });
    const [title, words] = HEADINGS[booking.status] ?? ["Your booking", "It is not confirmed yet."];
    if (heading.textContent !== title) announce(title);
    heading.textContent = title;
    lead.textContent = words;
    place.replaceChildren(
      bookingView(booking),
      h(
        "div",
        { class: "actions end" },
        cancelButton(booking, token, notice, show),
        h("a", { class: "button primary", href: href("") }, "Book another flight"),
      ),
    );
    // The payment may be captured a moment before the tickets are issued.
    if (SETTLING.includes(booking.status)) timer = setTimeout(load, ASK_AGAIN_MS);
  }
  async function load() {
    const data = await guarded(notice, () => query(Booking, { id: known.id, token }));
    if (data?.booking && root.isConnected) show(data.booking);
  }
  await load();
  return () => clearTimeout(timer);
}
