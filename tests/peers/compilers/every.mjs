// Sources for relay-compiler that follow the schema: each type of Node refetched, each connection paged.
import {
  astFromValue, buildSchema, getNamedType, getNullableType, isLeafType, isObjectType, isRequiredArgument, print,
} from "graphql";
import { readFileSync, writeFileSync } from "node:fs";

const schema = buildSchema(readFileSync("schema.graphql", "utf8"));
const objects = Object.values(schema.getTypeMap()).filter((type) => isObjectType(type) && !type.name.startsWith("__"));
const upper = (name) => name[0].toUpperCase() + name.slice(1);
const fields = (type) => Object.values(type.getFields());

function refetched(type) {
  const plain = fields(type).filter((field) => isLeafType(getNamedType(field.type)) && !field.args.some(isRequiredArgument));
  return `fragment EveryNode_${type.name} on ${type.name} @refetchable(queryName: "EveryNode${type.name}Query") {
    ${plain.map((field) => field.name).join(" ")}
  }`;
}

function argument({ name, type, defaultValue }) {
  if (defaultValue === undefined || defaultValue === null) return `${name}: { type: "${type}" }`;
  return `${name}: { type: "${getNullableType(type)}", defaultValue: ${print(astFromValue(defaultValue, type))} }`;
}

function paged(type, field) {
  const named = `${type.name}${upper(field.name)}`;
  return `fragment EveryConnection_${named} on ${type.name}
  @refetchable(queryName: "EveryConnection${named}Query")
  @argumentDefinitions(${field.args.map(argument).join(" ")}) {
    ${field.name}(${field.args.map(({ name }) => `${name}: $${name}`).join(" ")}) @connection(key: "EveryConnection_${field.name}") {
      edges { node { __typename } }
    }
  }`;
}

function write(name, documents) {
  const tagged = documents.map((text) => `graphql\`\n  ${text}\n\`;\n`);
  writeFileSync(`src/relay/${name}.ts`, `import { graphql } from "relay-runtime";\n\n${tagged.join("\n")}`);
}

const nodes = objects.filter((type) => type.getInterfaces().some(({ name }) => name === "Node"));
const connections = objects.flatMap((type) =>
  fields(type).filter((field) => getNamedType(field.type).name.endsWith("Connection")).map((field) => [type, field]),
);
write("EveryNode", nodes.map(refetched));
write("EveryConnection", connections.map(([type, field]) => paged(type, field)));
