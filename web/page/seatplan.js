/**
 * What is known about the seats of one flight, without any drawing: the seat map and the seat list both read from here.
 *
 * Events are merged per seat by `version`: later wins, whatever order they come in. A snapshot is the whole truth of its
 * moment and replaces everything; seats that it does not name are free.
 */

const SAYS = {
  AVAILABLE: "available",
  LOCKED: "being booked by somebody else",
  BOOKED: "taken",
  CHECKED_IN: "taken",
  BLOCKED: "not for sale",
};
const POSITIONS = { WINDOW: "window", MIDDLE: "middle", AISLE: "aisle" };

export class SeatPlan extends EventTarget {
  #mine = new Set();
  #expected = new Set();

  /**
   * @param {object} flight a `Flight` with its `seatMap`
   * @param {string} cabin the cabin that was paid for: only its seats can be chosen
   * @param {number} wanted how many seats to choose
   */
  constructor(flight, cabin, wanted) {
    super();
    this.flight = flight;
    this.cabin = cabin;
    this.wanted = wanted;
    this.cabins = flight.seatMap.cabins;
    this.cursor = flight.seatMap.cursor;
    this.seats = new Map();
    this.selection = new Set();
    for (const map of this.cabins) {
      for (const row of map.rows) {
        for (const seat of row.seats) {
          this.seats.set(seat.number, { ...seat, row: row.number, exitRow: row.exitRow, cabin: map.cabin });
        }
      }
    }
  }

  /** The map of the cabin that was paid for. */
  get cabinMap() {
    return this.cabins.find(({ cabin }) => cabin === this.cabin);
  }

  /** Seats that our own hold keeps: locked for others, ours here. */
  set mine(numbers) {
    this.#mine = new Set(numbers);
    this.selection = new Set(numbers);
    this.#tell([...this.seats.keys()]);
  }

  /**
   * Seats that we are just asking for: the news that they are locked may come before the answer that they are ours.
   */
  set expected(numbers) {
    this.#expected = new Set(numbers);
  }

  /** Lets go of chosen seats that the server says are taken. */
  drop(numbers) {
    for (const number of numbers) this.selection.delete(number);
    this.#tell(numbers);
  }

  /** @returns {"mine" | "chosen" | "free" | "taken" | "blocked"} */
  look(number) {
    if (this.#mine.has(number)) return "mine";
    if (this.selection.has(number)) return "chosen";
    const { status } = this.seats.get(number);
    if (status === "AVAILABLE") return "free";
    return status === "BLOCKED" ? "blocked" : "taken";
  }

  get held() {
    return this.#mine.size > 0;
  }

  /** In words, for labels: "12A, window, extra legroom, available". The price is left to the caller. */
  describe(number) {
    const { position, extraLegroom, exitRow, accessible, status } = this.seats.get(number);
    const look = this.look(number);
    const state = look === "mine" ? "held for you" : look === "chosen" ? "chosen" : SAYS[status];
    return [
      number,
      POSITIONS[position],
      exitRow && "exit row",
      extraLegroom && "extra legroom",
      accessible && "accessible",
      state,
    ]
      .filter(Boolean)
      .join(", ");
  }

  /**
   * Chooses a seat or lets it go. With all seats chosen, the one chosen first makes room.
   * @returns {{ ok: boolean, says: string }}
   */
  toggle(number) {
    const look = this.look(number);
    if (this.held) return { ok: false, says: "Your seats are held. Release them to choose others." };
    if (look === "taken" || look === "blocked") return { ok: false, says: `${this.describe(number)}.` };
    const changed = [number];
    if (look === "chosen") {
      this.selection.delete(number);
    } else {
      if (this.selection.size === this.wanted) {
        const [first] = this.selection;
        this.selection.delete(first);
        changed.push(first);
      }
      this.selection.add(number);
    }
    this.#tell(changed);
    const verb = this.selection.has(number) ? "chosen" : "no longer chosen";
    return { ok: true, says: `Seat ${number} ${verb}. ${this.selection.size} of ${this.wanted}.` };
  }

  /**
   * Merges an event of `seatMapEvents`.
   * @returns {{ gone: string[], lost: string[] }} seats that somebody else just took; those of them we had chosen
   */
  apply({ __typename, seats }) {
    const incoming = new Map(seats.map((seat) => [seat.number, seat]));
    const snapshot = __typename === "SeatMapSnapshot";
    const changed = [];
    const gone = [];
    for (const [number, seat] of this.seats) {
      const state = incoming.get(number) ?? (snapshot ? { status: "AVAILABLE", version: 0 } : null);
      if (!state || (!snapshot && state.version <= seat.version)) continue;
      if (state.status !== seat.status) changed.push(number);
      const ours = this.#mine.has(number) || this.#expected.has(number);
      if (seat.status === "AVAILABLE" && state.status !== "AVAILABLE" && !ours) gone.push(number);
      Object.assign(seat, { status: state.status, version: state.version });
    }
    const lost = gone.filter((number) => this.selection.delete(number));
    if (changed.length) this.#tell(changed);
    return { gone, lost };
  }

  #tell(numbers) {
    this.dispatchEvent(new CustomEvent("change", { detail: numbers }));
  }
}
