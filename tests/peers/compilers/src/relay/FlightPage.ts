// A flight with its seat map, which lives.
import { graphql } from "relay-runtime";

graphql`
  query FlightPageQuery($id: ID!) {
    node(id: $id) {
      __typename
      ...FlightPage_summary @alias
      ...FlightPage_flight @arguments(cabin: ECONOMY) @alias
    }
  }
`;

graphql`
  fragment FlightPage_summary on Flight {
    designator
    departsAt
    origin {
      ...FlightPage_airport
    }
    destination {
      ...FlightPage_airport
    }
  }
`;

graphql`
  fragment FlightPage_airport on Airport @inline {
    iataCode
    city
  }
`;

graphql`
  fragment FlightPage_flight on Flight
  @refetchable(queryName: "FlightPageRefetchQuery")
  @argumentDefinitions(cabin: { type: "Cabin!" }) {
    seatsLeft(cabin: $cabin)
    seatMap {
      cursor
      cabins {
        cabin
        rows {
          seats {
            ...FlightPage_seats
          }
        }
      }
    }
  }
`;

graphql`
  fragment FlightPage_seats on Seat @relay(plural: true) {
    number
    status
    version
    price {
      minorUnits
      currency
    }
  }
`;

graphql`
  subscription FlightPageSeatsSubscription($flightId: ID!, $after: String) {
    seatMapEvents(flightId: $flightId, after: $after) {
      __typename
      ... on SeatMapSnapshot {
        cursor
        reset
        seats {
          number
          status
          version
        }
      }
      ... on SeatsChanged {
        cursor
        seats {
          number
          status
          version
        }
      }
    }
  }
`;

graphql`
  subscription FlightPageStatusSubscription($flightIds: [ID!]!) {
    flightStatusEvents(flightIds: $flightIds) {
      cursor
      flight {
        ...FlightPage_summary
        status
      }
    }
  }
`;

graphql`
  mutation FlightPageHoldMutation($input: HoldSeatsInput!) @raw_response_type {
    holdSeats(input: $input) {
      __typename
      ... on Hold {
        id
        token
        expiresAt
      }
      ... on SeatsTaken {
        taken {
          flightId
          seats
        }
      }
      ... on Problem {
        code
        message
      }
    }
  }
`;
