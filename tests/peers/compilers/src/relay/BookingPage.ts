// Somebody's booking, and giving it back.
import { graphql } from "relay-runtime";

graphql`
  query BookingPageQuery($id: ID!, $token: String) {
    booking(id: $id, token: $token) {
      ...BookingPage_booking
    }
    me {
      name
    }
  }
`;

graphql`
  fragment BookingPage_booking on Booking @refetchable(queryName: "BookingPageRefetchQuery") {
    pnr
    status
    total {
      amount
      currency
    }
    passengers {
      firstName
      seats {
        number
        flight {
          ...FlightPage_summary
        }
      }
    }
    payments {
      status
    }
  }
`;

graphql`
  mutation BookingPageCancelMutation($input: CancelBookingInput!) {
    cancelBooking(input: $input) {
      __typename
      ...BookingPage_booking @alias
      ... on Problem {
        code
        message
      }
    }
  }
`;
