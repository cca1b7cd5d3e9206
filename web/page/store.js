/**
 * The trip that this tab is putting together: search, offer, hold, booking.
 *
 * Kept in sessionStorage, so that a reload finds the hold again and another tab is another trip. The tokens of a
 * guest's hold and booking are in it: they are what makes them ours. What passengers typed is not kept.
 */

const STORE = "jetway.trip";
const TOKENS = "jetway.bookings";

/** Fires "change" after every change. */
export const changes = new EventTarget();

/**
 * @typedef {object} Trip
 * @property {object} [search]  { origin, destination, date, adults, children, infants, cabin }
 * @property {object} [offer]   the chosen `Offer`
 * @property {object} [hold]    the `Hold`, with its token
 * @property {object} [booking] the `Booking`, with its accessToken
 * @property {{ bookingId: string, paymentMethod: string }} [leftToPay] while the payer is on a gateway's own page
 */

/** @returns {Trip} */
export const trip = () => JSON.parse(sessionStorage.getItem(STORE) ?? "{}");

/** Merges `patch` into the trip; a key set to undefined is removed. */
export function update(patch) {
  sessionStorage.setItem(STORE, JSON.stringify({ ...trip(), ...patch }));
  changes.dispatchEvent(new Event("change"));
}

/** Remembers a guest's right to change a booking, until this tab is closed. */
export function keepToken({ id, accessToken }) {
  if (!accessToken) return;
  const tokens = JSON.parse(sessionStorage.getItem(TOKENS) ?? "{}");
  sessionStorage.setItem(TOKENS, JSON.stringify({ ...tokens, [id]: accessToken }));
}

/** @returns {string | undefined} the token with which this tab may change booking `id` */
export const tokenOf = (id) => JSON.parse(sessionStorage.getItem(TOKENS) ?? "{}")[id];

/** All flights of an offer or booking, in order. */
export const flightsOf = ({ slices }) => slices.flatMap(({ segments }) => segments.map(({ flight }) => flight));

/** How many passengers need a seat: everybody but infants on a lap. */
export const seatedPassengers = ({ adults, children }) => adults + children;
