/**
 * GraphiQL against this server: queries and mutations over POST, subscriptions over `graphql-transport-ws`.
 *
 * The scripts in vendor/graphiql are classic ones that define globals; graphiql.html defers them, so they have run before
 * this module does. To act as a signed-in user put {"authorization": "Bearer <accessToken>"} under Headers; GraphiQL
 * sends headers with HTTP requests, and as the payload of `connection_init` with subscriptions.
 */

import { examples } from "./examples.js";

const { React, ReactDOM, GraphiQL, graphqlWs } = globalThis;

const url = new URL("/graphql", location.href);
const socketUrl = new URL(url);
socketUrl.protocol = url.protocol.replace("http", "ws");

/** One socket per subscription, opened with the headers of its tab, so that it speaks for who the tab says. */
function subscribe(operation, { headers = {} } = {}) {
  const client = graphqlWs.createClient({ url: socketUrl.href, connectionParams: headers, retryAttempts: 3 });
  const events = client.iterate(operation);
  return {
    [Symbol.asyncIterator]: () => events,
    next: () => events.next(),
    async return() {
      const end = await events.return();
      client.dispose();
      return end;
    },
  };
}

const isSubscription = ({ query, operationName }) => {
  const operations = [...query.matchAll(/^\s*(query|mutation|subscription)\b\s*(\w*)/gm)];
  const chosen = operations.find(([, , name]) => name === operationName) ?? operations[0];
  return chosen?.[1] === "subscription";
};

const post = GraphiQL.createFetcher({ url: url.href });
const fetcher = (operation, options) =>
  isSubscription(operation) ? subscribe(operation, options) : post(operation, options);

// GraphiQL keeps its tabs in localStorage. On the very first visit it would show the first tab without its variables.
const firstVisit = localStorage.getItem("graphiql:tabState") === null;

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultTabs: examples,
    defaultEditorToolsVisibility: "variables",
    ...(firstVisit && { query: examples[0].query, variables: examples[0].variables }),
  }),
);
