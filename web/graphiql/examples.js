/** The operations that GraphiQL opens with. Each can be run as it stands; ids are copied from one tab to the next. */

const inDays = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

const tab = (query, variables) => ({ query: query.trim(), variables: JSON.stringify(variables, null, 2) });

export const examples = [
  tab(
    `
# What may be booked. An offer is a signed token that keeps its price until expiresAt.
# Take a flight's id from the answer to the next tabs.
query SearchFlights($input: FlightSearchInput!, $first: Int = 20, $after: String) {
  flightSearch(input: $input, first: $first, after: $after) {
    totalCount
    edges {
      node {
        id
        expiresAt
        seatsLeft
        total { amount currency }
        lines { kind label amount { amount currency } }
        fareFamily { name refundable changeable checkedBags }
        slices {
          departsAt
          arrivesAt
          segments { cabin bookingClass flight { id designator aircraft { name } } }
        }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}`,
    {
      input: {
        slices: [{ origin: "JFK", destination: "LAX", date: inDays(7) }],
        passengers: { adults: 2, children: 0, infants: 0 },
        cabin: "ECONOMY",
        sort: "PRICE",
      },
      first: 5,
    },
  ),
  tab(
    `
# The departures board.
query Departures($airport: String!, $first: Int) {
  departures(airport: $airport, first: $first) {
    id
    designator
    destination { iataCode city }
    departsAt
    estimatedDepartureAt
    status
    departureGate
  }
}`,
    { airport: "JFK", first: 10 },
  ),
  tab(
    `
# The seat map, with what each seat costs.
query SeatMap($flightId: ID!) {
  flight(id: $flightId) {
    designator
    seatMap {
      cursor
      cabins {
        cabin
        rows { number exitRow seats { number position status version extraLegroom price { amount currency } } }
      }
    }
  }
}`,
    { flightId: "a flight's id" },
  ),
  tab(
    `
# Live: first a snapshot, then every change. Come back with \`after\` = the last cursor to miss nothing.
subscription SeatMapEvents($flightId: ID!, $after: String) {
  seatMapEvents(flightId: $flightId, after: $after) {
    __typename
    ... on SeatMapSnapshot { cursor reset seats { number status version } }
    ... on SeatsChanged { cursor seats { number status version } }
  }
}`,
    { flightId: "a flight's id" },
  ),
  tab(
    `
# Hold: all the seats or none. A guest keeps the token. Draw a new idempotencyKey (UUIDv4) for every new intent.
mutation HoldSeats($input: HoldSeatsInput!) {
  holdSeats(input: $input) {
    __typename
    ... on Hold { id token expiresAt flights { flight { id } seats } }
    ... on SeatsTaken { taken { flightId seats } }
    ... on Problem { code message }
  }
}`,
    {
      input: {
        flights: [{ flightId: "a flight's id", seats: ["12A", "12B"] }],
        minutes: 15,
        idempotencyKey: crypto.randomUUID?.() ?? "a UUIDv4",
      },
    },
  ),
];
