// Jetway's own contract, so that the peers answer the very documents that Jetway answers.
import { readFileSync } from "node:fs";
import { makeExecutableSchema } from "@graphql-tools/schema";

export const contract = process.env.CONTRACT;

export const schema = (resolvers) =>
  makeExecutableSchema({
    typeDefs: readFileSync(contract, "utf8"),
    resolvers,
    resolverValidationOptions: { requireResolversForResolveType: "ignore" },
  });
