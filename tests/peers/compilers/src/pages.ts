// Relay's runtime over what relay-compiler made: two pages become one list in its store, and a node is found again.
import {
  createOperationDescriptor, Environment, fetchQuery, getRequest, getSingularSelector, Network, RecordSource, Store,
  type GraphQLTaggedNode, type OperationType,
} from "relay-runtime";
import FlightPageRefetchQuery, { type FlightPageRefetchQuery as FlightRefetched } from "./relay/__generated__/FlightPageRefetchQuery.graphql";
import SearchPageMoreQuery from "./relay/__generated__/SearchPageMoreQuery.graphql";
import SearchPageQuery, { type SearchPageQuery as Searched } from "./relay/__generated__/SearchPageQuery.graphql";
import SearchPage_offers, { type SearchPage_offers$data } from "./relay/__generated__/SearchPage_offers.graphql";
import { date, finish, post } from "./wire";

const environment = new Environment({
  network: Network.create(async (request, variables) => (await post<object>(request.id ?? "", variables)) as never),
  store: new Store(new RecordSource()),
});

async function ask<Operation extends OperationType>(query: GraphQLTaggedNode, variables: Operation["variables"]) {
  const answer = await fetchQuery<Operation>(environment, query, variables).toPromise();
  if (!answer) throw new Error("no answer");
  return answer as Operation["response"];
}

// What a component that shows the offers reads from the store.
function offers(variables: Searched["variables"]): SearchPage_offers$data["flightSearch"] {
  const page = environment.lookup(createOperationDescriptor(getRequest(SearchPageQuery), variables).fragment);
  const selector = getSingularSelector(SearchPage_offers, page.data);
  if (!selector) throw new Error("nothing to read");
  return (environment.lookup(selector).data as unknown as SearchPage_offers$data).flightSearch;
}

async function browse() {
  const search = { slices: [{ origin: "JFK", destination: "LAX", date }], passengers: { adults: 1 } };
  const variables = { search, count: 2 };
  environment.retain(createOperationDescriptor(getRequest(SearchPageQuery), variables));
  await ask<Searched>(SearchPageQuery, variables);
  const first = offers(variables);
  const { endCursor } = (first as unknown as { pageInfo: { endCursor: string } }).pageInfo;
  await ask(SearchPageMoreQuery, { search, count: 3, cursor: endCursor });
  const both = offers(variables);

  const records = environment.getStore().getSource();
  const flights = records.getRecordIDs().filter((id) => records.get(id)?.["__typename"] === "Flight");
  const flight = await ask<FlightRefetched>(FlightPageRefetchQuery, { id: flights[0] ?? "", cabin: "ECONOMY" });
  return { first: first?.edges.length, both: both?.edges.length, total: (both?.totalCount ?? 0) >= 5, node: flight.node !== null };
}

finish(browse());
