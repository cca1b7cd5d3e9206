// A page of offers that grows as somebody scrolls.
import { graphql } from "relay-runtime";

graphql`
  query SearchPageQuery($search: FlightSearchInput!, $count: Int!) {
    ...SearchPage_offers @arguments(search: $search, count: $count)
  }
`;

graphql`
  fragment SearchPage_offers on Query
  @refetchable(queryName: "SearchPageMoreQuery")
  @argumentDefinitions(
    search: { type: "FlightSearchInput!" }
    count: { type: "Int", defaultValue: 20 }
    cursor: { type: "String" }
  ) {
    flightSearch(input: $search, first: $count, after: $cursor) @connection(key: "SearchPage_flightSearch") {
      totalCount
      pricedAt
      edges {
        node {
          ...SearchPage_offer @arguments(withLines: true)
        }
      }
    }
  }
`;

graphql`
  fragment SearchPage_offer on Offer @argumentDefinitions(withLines: { type: "Boolean!", defaultValue: false }) {
    id
    total {
      amount
      currency
    }
    lines @include(if: $withLines) {
      kind
      label
    }
    slices {
      departsAt
      segments {
        flight {
          ...FlightPage_summary
        }
      }
    }
  }
`;
