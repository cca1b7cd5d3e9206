// graphql-codegen's client preset, run as its command does: strict scalars, typed documents, and their manifest.
// src/typed is made of documents/; src/everything of each root field, selected as deep as it goes in four steps.
import { codegen } from "@graphql-codegen/core";
import { preset } from "@graphql-codegen/client-preset";
import { buildOperationNodeForField } from "@graphql-tools/utils";
import { buildSchema, Kind, parse, print } from "graphql";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const DEPTH = 4;
const sdl = readFileSync("schema.graphql", "utf8");
const schema = buildSchema(sdl);
const scalars = { BigInt: "number", CurrencyCode: "string", Date: "string", DateTime: "string", Decimal: "string" };

function written() {
  return readdirSync("documents").sort().map((name) => source(`documents/${name}`, readFileSync(`documents/${name}`, "utf8")));
}

function everything() {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  return roots.flatMap((root) =>
    Object.keys(root.getFields()).map((field) => {
      const operation = buildOperationNodeForField({ schema, kind: root.name.toLowerCase(), field, depthLimit: DEPTH });
      // It declares a variable again for each member of a union that has the same field.
      const variables = new Map(operation.variableDefinitions.map((one) => [one.variable.name.value, one]));
      const definitions = [{ ...operation, variableDefinitions: [...variables.values()] }];
      return source(field, print({ kind: Kind.DOCUMENT, definitions }));
    }),
  );
}

const source = (location, rawSDL) => ({ location, document: parse(rawSDL), rawSDL });

async function generate(baseOutputDir, documents) {
  const sections = await preset.buildGeneratesSection({
    baseOutputDir,
    schema: parse(sdl),
    schemaAst: schema,
    documents,
    config: { documentMode: "string", enumType: "string-literal", scalars, strictScalars: true, useTypeImports: true },
    presetConfig: { fragmentMasking: false, persistedDocuments: { hashAlgorithm: "sha256" } },
    plugins: [],
    pluginMap: {},
    documentTransforms: [],
  });
  const contents = await Promise.all(sections.map(codegen));
  sections.forEach(({ filename }, index) => {
    mkdirSync(dirname(filename), { recursive: true });
    writeFileSync(filename, contents[index]);
  });
}

await generate("src/typed/", written());
await generate("src/everything/", everything());
