// Apollo Client over its GraphQLWsLink: subscriptions, queries and mutations alike.
import { ApolloClient, CombinedGraphQLErrors, gql, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { codeOf, ENDLESS, INVALID, MUTATION, PARTIAL, QUERY, report, SUBSCRIPTION, url } from "./documents.mjs";

globalThis.WebSocket ??= WebSocket; // browsers have it, and Apollo's link relies on that
const link = new GraphQLWsLink(createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0, lazy: false }));
const client = new ApolloClient({ cache: new InMemoryCache(), link });

const query = await client.query({ query: gql(QUERY), variables: { name: "Ada" } });
const mutation = await client.mutate({ mutation: gql(MUTATION), variables: { by: 2 } });
const partial = await client.query({ query: gql(PARTIAL), errorPolicy: "all" });
const invalid = await client.query({ query: gql(INVALID) }).catch((error) => error);
const counted = await new Promise((resolve, reject) => {
  const seen = [];
  client.subscribe({ query: gql(SUBSCRIPTION), variables: { to: 3 } }).subscribe({
    next: ({ data }) => seen.push(data.count.number),
    complete: () => resolve(seen),
    error: reject,
  });
});
const first = await new Promise((resolve, reject) => {
  const running = client.subscribe({ query: gql(ENDLESS) }).subscribe({
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
