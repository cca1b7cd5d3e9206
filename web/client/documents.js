/**
 * Every GraphQL operation that this page sends, in one place.
 *
 * An operation is `{ operationName, query, keyed }`. `keyed` marks the mutations whose input carries an
 * `idempotencyKey`; `mutate()` in graphql.js fills it in, so that a repeated click or a lost reply never acts twice.
 */

const MONEY = /* GraphQL */ `
  fragment MoneyFields on Money { amount currency minorUnits }`;

const PLACE = /* GraphQL */ `
  fragment PlaceFields on Airport { iataCode name city timeZone }`;

const FLIGHT = /* GraphQL */ `
  fragment FlightFields on Flight {
    id
    designator
    airline { iataCode name }
    origin { ...PlaceFields }
    destination { ...PlaceFields }
    departsAt
    arrivesAt
    durationMinutes
    status
    aircraft { name }
  }${PLACE}`;

const OFFER = /* GraphQL */ `
  fragment OfferFields on Offer {
    id
    expiresAt
    seatsLeft
    total { ...MoneyFields }
    lines { kind label amount { ...MoneyFields } }
    fareFamily { code name refundable changeable checkedBags cancellationFee { ...MoneyFields } }
    slices {
      departsAt
      arrivesAt
      durationMinutes
      stops
      segments { cabin bookingClass flight { ...FlightFields } }
    }
  }`;

const BOOKING = /* GraphQL */ `
  fragment BookingFields on Booking {
    id
    pnr
    status
    expiresAt
    total { ...MoneyFields }
    lines { kind label amount { ...MoneyFields } }
    contact { email phone }
    passengers {
      id
      type
      title
      firstName
      lastName
      seats { flight { id designator } number }
      tickets { number status flight { id designator } }
    }
    payments { id status amount { ...MoneyFields } refunded { ...MoneyFields } }
    slices { departsAt arrivesAt durationMinutes stops segments { cabin bookingClass flight { ...FlightFields } } }
  }${MONEY}${FLIGHT}`;

const HOLD = /* GraphQL */ `
  fragment HoldFields on Hold {
    id
    token
    status
    expiresAt
    extensionsLeft
    flights { flight { id } seats }
  }`;

const PROBLEM = /* GraphQL */ `
  fragment ProblemFields on Problem {
    __typename
    code
    message
    ... on InvalidInput { field }
    ... on RateLimited { retryAfterSeconds }
    ... on Unavailable { retryAfterSeconds }
  }`;

const SIGNED_IN = /* GraphQL */ `
  fragment SignedInFields on SignedIn {
    user { id email name }
    accessToken
    accessTokenExpiresAt
    refreshToken
  }`;

/** @typedef {{ operationName: string, query: string, keyed: boolean }} Operation */

/** @returns {Operation} */
function operation(query, { keyed = false } = {}) {
  const [, operationName] = query.match(/(?:query|mutation|subscription)\s+(\w+)/);
  return Object.freeze({ operationName, query, keyed });
}

export const Airports = operation(/* GraphQL */ `
  query Airports($search: String!, $first: Int) {
    airports(search: $search, first: $first) { ...PlaceFields country }
  }${PLACE}`);

export const SearchFlights = operation(/* GraphQL */ `
  query SearchFlights($input: FlightSearchInput!, $first: Int = 20, $after: String) {
    flightSearch(input: $input, first: $first, after: $after) {
      totalCount
      pricedAt
      edges { cursor node { ...OfferFields } }
      pageInfo { hasNextPage endCursor }
    }
  }${OFFER}${MONEY}${FLIGHT}`);

export const SeatMap = operation(/* GraphQL */ `
  query SeatMap($flightId: ID!) {
    flight(id: $flightId) {
      ...FlightFields
      seatMap {
        cursor
        cabins {
          cabin
          columns
          aislesAfter
          rows {
            number
            exitRow
            seats { number column position status version extraLegroom accessible price { ...MoneyFields } }
          }
        }
      }
    }
  }${MONEY}${FLIGHT}`);

export const HoldSeats = operation(
  /* GraphQL */ `
  mutation HoldSeats($input: HoldSeatsInput!) {
    holdSeats(input: $input) {
      __typename
      ...HoldFields
      ... on SeatsTaken { taken { flightId seats } }
      ...ProblemFields
    }
  }${HOLD}${PROBLEM}`,
  { keyed: true },
);

export const ExtendHold = operation(
  /* GraphQL */ `
  mutation ExtendHold($input: ExtendHoldInput!) {
    extendHold(input: $input) { __typename ...HoldFields ...ProblemFields }
  }${HOLD}${PROBLEM}`,
  { keyed: true },
);

export const ReleaseHold = operation(/* GraphQL */ `
  mutation ReleaseHold($input: ReleaseHoldInput!) {
    releaseHold(input: $input) { __typename ... on HoldReleased { holdId } ...ProblemFields }
  }${PROBLEM}`);

export const Hold = operation(/* GraphQL */ `
  query Hold($id: ID!, $token: String) {
    hold(id: $id, token: $token) { ...HoldFields }
  }${HOLD}`);

export const CreateBooking = operation(
  /* GraphQL */ `
  mutation CreateBooking($input: CreateBookingInput!) {
    createBooking(input: $input) {
      __typename
      ... on Booking { ...BookingFields accessToken }
      ... on PriceChanged { offer { ...OfferFields } }
      ...ProblemFields
    }
  }${BOOKING}${OFFER}${PROBLEM}`,
  { keyed: true },
);

export const PaymentSettings = operation(/* GraphQL */ `
  query PaymentSettings {
    paymentSettings { gateway sandbox testMethods { paymentMethod label outcome } }
  }`);

export const PaymentMethods = operation(/* GraphQL */ `
  query PaymentMethods($id: ID!, $token: String) {
    paymentMethods(bookingId: $id, bookingToken: $token) { kind paymentMethod redirects }
  }`);

export const PayBooking = operation(
  /* GraphQL */ `
  mutation PayBooking($input: PayBookingInput!) {
    payBooking(input: $input) {
      __typename
      ... on Payment { id status redirectUrl booking { ...BookingFields } }
      ... on PaymentDeclined { declineCode retryable }
      ...ProblemFields
    }
  }${BOOKING}${PROBLEM}`,
  { keyed: true },
);

export const Booking = operation(/* GraphQL */ `
  query Booking($id: ID!, $token: String) {
    booking(id: $id, token: $token) { ...BookingFields papers { kind url } }
  }${BOOKING}`);

export const BookingByPnr = operation(/* GraphQL */ `
  query BookingByPnr($pnr: String!, $lastName: String!) {
    bookingByPnr(pnr: $pnr, lastName: $lastName) { ...BookingFields }
  }${BOOKING}`);

export const QuoteCancellation = operation(/* GraphQL */ `
  mutation QuoteCancellation($input: QuoteCancellationInput!) {
    quoteCancellation(input: $input) {
      __typename
      ... on CancellationQuote { id expiresAt refund { ...MoneyFields } fee { ...MoneyFields } reason }
      ...ProblemFields
    }
  }${MONEY}${PROBLEM}`);

export const CancelBooking = operation(
  /* GraphQL */ `
  mutation CancelBooking($input: CancelBookingInput!) {
    cancelBooking(input: $input) { __typename ... on Booking { ...BookingFields } ...ProblemFields }
  }${BOOKING}${PROBLEM}`,
  { keyed: true },
);

export const Departures = operation(/* GraphQL */ `
  query Departures($airport: String!, $from: DateTime, $first: Int) {
    departures(airport: $airport, from: $from, first: $first) {
      id
      designator
      airline { iataCode name }
      destination { ...PlaceFields }
      departsAt
      estimatedDepartureAt
      status
      departureGate
      departureTerminal
    }
  }${PLACE}`);

export const Register = operation(/* GraphQL */ `
  mutation Register($input: RegisterInput!) {
    register(input: $input) { __typename ...SignedInFields ...ProblemFields }
  }${SIGNED_IN}${PROBLEM}`);

export const SignIn = operation(/* GraphQL */ `
  mutation SignIn($input: SignInInput!) {
    signIn(input: $input) { __typename ...SignedInFields ...ProblemFields }
  }${SIGNED_IN}${PROBLEM}`);

export const RefreshSession = operation(/* GraphQL */ `
  mutation RefreshSession($input: RefreshSessionInput!) {
    refreshSession(input: $input) { __typename ...SignedInFields ...ProblemFields }
  }${SIGNED_IN}${PROBLEM}`);

export const SignOut = operation(/* GraphQL */ `
  mutation SignOut($input: SignOutInput!) {
    signOut(input: $input) { __typename ... on SignedOut { everywhere } ...ProblemFields }
  }${PROBLEM}`);

export const SeatMapEvents = operation(/* GraphQL */ `
  subscription SeatMapEvents($flightId: ID!, $after: String) {
    seatMapEvents(flightId: $flightId, after: $after) {
      __typename
      ... on SeatMapSnapshot { cursor reset seats { number status version } }
      ... on SeatsChanged { cursor seats { number status version } }
    }
  }`);

export const FlightStatusEvents = operation(/* GraphQL */ `
  subscription FlightStatusEvents($flightIds: [ID!]!, $after: String) {
    flightStatusEvents(flightIds: $flightIds, after: $after) {
      cursor
      reset
      flight { id designator status departsAt estimatedDepartureAt departureGate departureTerminal }
    }
  }`);
