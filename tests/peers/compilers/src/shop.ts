// A shopper's program over the typed documents of graphql-codegen: what it reads, the compiler has checked.
import { randomUUID } from "node:crypto";
import {
  HoldSeatsDocument, ReleaseHoldDocument, SearchFlightsDocument, SeatMapDocument, SeatMapEventsDocument,
  type HoldSeatsMutation, type TypedDocumentString,
} from "./typed/graphql";
import { date, finish, firstEvent, post, type Answer } from "./wire";

const idOf = (document: TypedDocumentString<unknown, never>): string => document.__meta__?.["hash"] as string;

function told<Data>({ data, errors }: Answer<Data>): Data {
  if (!data || errors) throw new Error(JSON.stringify(errors));
  return data;
}

const ask = async <Data, Variables extends object>(document: TypedDocumentString<Data, Variables>, variables: Variables) =>
  told(await post<Data>(idOf(document), variables));

function describe(outcome: NonNullable<HoldSeatsMutation["holdSeats"]>): string {
  switch (outcome.__typename) {
    case "Hold":
      return `held until ${outcome.expiresAt}`;
    case "SeatsTaken":
      return `taken: ${outcome.taken.flatMap(({ seats }) => seats).join(" ")}`;
    default:
      return `${outcome.code}: ${outcome.message}`;
  }
}

async function shop() {
  const input = { slices: [{ origin: "JFK", destination: "LAX", date }], passengers: { adults: 1 } };
  const { flightSearch } = await ask(SearchFlightsDocument, { input, first: 3 });
  const offer = flightSearch?.edges[0]?.node;
  const flightId = offer?.slices[0]?.segments[0]?.flight.id ?? "";
  const { flight } = await ask(SeatMapDocument, { flightId });
  const seats = flight?.seatMap?.cabins.flatMap(({ rows }) => rows.flatMap((row) => row.seats)) ?? [];
  const free = seats.find(({ status }) => status === "AVAILABLE")?.number ?? "";
  const wanted = { flights: [{ flightId, seats: [free] }] };

  const { holdSeats } = await ask(HoldSeatsDocument, { input: { ...wanted, idempotencyKey: randomUUID() } });
  const rival = await ask(HoldSeatsDocument, { input: { ...wanted, idempotencyKey: randomUUID() } });
  if (holdSeats?.__typename !== "Hold" || !rival.holdSeats) throw new Error(JSON.stringify(holdSeats));
  const event = told(await firstEvent<{ seatMapEvents: { __typename: string } }>(idOf(SeatMapEventsDocument), { flightId }));
  const { releaseHold } = await ask(ReleaseHoldDocument, { input: { holdId: holdSeats.id, token: holdSeats.token ?? null } });
  return {
    cents: Number.isInteger(offer?.total.minorUnits),
    amount: typeof offer?.total.amount,
    mine: describe(holdSeats).slice(0, 10),
    rival: describe(rival.holdSeats) === `taken: ${free}`,
    event: event.seatMapEvents.__typename,
    released: releaseHold?.__typename,
  };
}

finish(shop());
