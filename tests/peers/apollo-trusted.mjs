// Apollo Client with a manifest of its own: it names documents by the manifest's ids and never sends a text.
import { ApolloClient, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { readFileSync } from "node:fs";

const [, , url, file] = process.argv;
const { operations } = JSON.parse(readFileSync(file, "utf8"));
const ids = new Map(operations.map(({ name, id }) => [name, id]));
const nameOf = (document) => document.definitions.find(({ kind }) => kind === "OperationDefinition").name.value;

const sent = [];
const watched = async (target, options) => {
  sent.push(Object.keys(JSON.parse(options.body)).sort());
  return await fetch(target, options);
};
const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: new PersistedQueryLink({
    generateHash: async (document) => ids.get(nameOf(document)) ?? "0".repeat(64),
    retry: () => false,
  }).concat(new HttpLink({ uri: url, fetch: watched })),
});

const { data } = await client.query({ query: gql(operations[0].body), variables: { search: "JFK" } });
const unknown = await client.query({ query: gql("query Unknown { me { name } }") }).catch((error) => error);
console.log(JSON.stringify({ data, sent, unknown: unknown.errors?.[0]?.extensions?.code ?? String(unknown) }));
process.exit(0);
