// graphql-js behind the protocol of graphql_driver.c: one JSON request a line, one JSON answer a line.
//
//   node graphql.cjs SCHEMA.graphql DATA.json
"use strict";

const fs = require("node:fs");
const readline = require("node:readline");
const g = require("graphql");

Error.stackTraceLimit = 0; // thousands of them

const schema = g.buildSchema(fs.readFileSync(process.argv[2], "utf8"));
const data = JSON.parse(fs.readFileSync(process.argv[3], "utf8"));

function places(error) {
  return (error.locations || []).map((l) => [l.line, l.column]);
}

/** Rules that note under which name they reported. */
function naming(rules, found) {
  let speaking;
  const noting = (name, hook) =>
    function (...args) {
      speaking = name;
      return hook.apply(this, args);
    };
  return rules.map((rule) => (context) => {
    const name = rule.name.replace(/Rule$/, "");
    context.reportError = (error) => found.push([speaking, places(error)]);
    const visitor = rule(context);
    for (const [kind, hook] of Object.entries(visitor)) {
      if (typeof hook === "function") visitor[kind] = noting(name, hook);
      else for (const when of Object.keys(hook)) hook[when] = noting(name, hook[when]);
    }
    return visitor;
  });
}

function parse(text) {
  try {
    return [g.parse(text, { noLocation: false }), null];
  } catch (error) {
    return [null, { syntax: { message: error.message, locations: error.locations } }];
  }
}

function validate(text) {
  const [document, failed] = parse(text);
  if (failed) return failed;
  const found = [];
  try {
    g.validate(schema, document, naming(g.specifiedRules, found), { maxErrors: 100000 });
  } catch (error) {
    return { thrown: error.message };
  }
  return { rules: found };
}

function resolve(source, args, context, info) {
  const member = source[info.fieldName];
  if (member && member.__error) throw new g.GraphQLError(member.__error);
  return info.fieldName === "echo" ? args : member;
}

function execute(request) {
  const [document, failed] = parse(request.query);
  if (failed) return failed;
  try {
    const errors = g.validate(schema, document);
    if (errors.length > 0) return { errors };
  } catch (error) {
    return { thrown: error.message };
  }
  const operation = g.getOperationAST(document, request.operationName);
  return g.executeSync({
    schema,
    document,
    rootValue: data[operation ? operation.operation : "query"],
    variableValues: request.variables,
    operationName: request.operationName,
    fieldResolver: resolve,
    typeResolver: (value) => value.__typename,
  });
}

function answer(request) {
  if (request.validate !== undefined) return validate(request.validate);
  if (request.query !== undefined) return execute(request);
  // The schema that an introspection's answer describes, or our own, as SDL.
  if (request.introspected) return g.printSchema(g.buildClientSchema(request.introspected));
  if (request.introspectionQuery) return g.getIntrospectionQuery(request.introspectionQuery);
  return g.printSchema(schema);
}

readline.createInterface({ input: process.stdin, crlfDelay: Infinity }).on("line", (line) => {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + "\n");
});
