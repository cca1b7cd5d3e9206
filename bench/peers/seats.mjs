// A stream of made-up seats, as the live peers tell it: one event when somebody comes, then one for each seat told.
import { EventEmitter, on } from "node:events";

export const typeDefs = `
  type SeatState { number: String! status: String! version: Float! }
  type SeatsChanged { cursor: String! seats: [SeatState!]! }
  type Query { tell(seats: Int!): Boolean }
  type Subscription { seatMapEvents(flightId: ID!): SeatsChanged! }
`;

const told = new EventEmitter();
told.setMaxListeners(0);
let version = 1_000_000_000;

const event = () => ({
  cursor: Buffer.from(`p${++version}`).toString("base64"),
  seats: [{ number: `${10 + (version % 20)}A`, status: "LOCKED", version }],
});

export const tell = (seats) => {
  for (let seat = 0; seat < seats; seat++) told.emit("seat", event());
  return true;
};

export async function* watch() {
  yield { seatMapEvents: event() };
  for await (const [change] of on(told, "seat")) yield { seatMapEvents: change };
}
