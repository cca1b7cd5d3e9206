// Apollo Client: HttpLink, and graphql-sse's client as the link for subscriptions, as its documentation has it.
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { createClient } from "graphql-sse";
import { print } from "graphql";
import { Observable } from "rxjs";
import { codeOf, ENDLESS, INVALID, MUTATION, PARTIAL, QUERY, report, SUBSCRIPTION, url } from "./documents.mjs";

const events = createClient({ url, retryAttempts: 0 });
const eventsLink = new ApolloLink(
  ({ query, variables, operationName }) =>
    new Observable((sink) => events.subscribe({ query: print(query), variables, operationName }, sink)),
);
const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: ApolloLink.split(({ operationType }) => operationType === "subscription", eventsLink, new HttpLink({ uri: url })),
});

const document = (text) => gql(text);
const query = await client.query({ query: document(QUERY), variables: { name: "Ada" } });
const mutation = await client.mutate({ mutation: document(MUTATION), variables: { by: 2 } });
const partial = await client.query({ query: document(PARTIAL), errorPolicy: "all" });
const invalid = await client.query({ query: document(INVALID) }).catch((error) => error);
const counted = await new Promise((resolve, reject) => {
  const seen = [];
  client.subscribe({ query: document(SUBSCRIPTION), variables: { to: 3 } }).subscribe({
    next: ({ data }) => seen.push(data.count.number),
    complete: () => resolve(seen),
    error: reject,
  });
});
const first = await new Promise((resolve, reject) => {
  const running = client.subscribe({ query: document(ENDLESS) }).subscribe({
    next: ({ data }) => {
      running.unsubscribe();
      resolve(data.forever);
    },
    error: reject,
  });
});
report({
  query: query.data.hello,
  mutation: mutation.data.change,
  partial: [partial.data.hello, codeOf(partial.error.errors)],
  invalid: CombinedGraphQLErrors.is(invalid) ? codeOf(invalid.errors) : String(invalid),
  subscription: counted,
  first,
});
