// What public tools make of a server's /graphql. graphql_http.cjs WHAT URL: prints JSON.
//
//   audit   the name and verdict of each audit of graphql-http
//   schema  the schema as graphql-js prints it, from an introspection
//   listen  reads {query, variables} a line; by graphql-sse's client says {ready}, then each result a line
"use strict";

const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");

async function audit(url) {
  const { auditServer } = require("graphql-http");
  const results = await auditServer({ url });
  say(await Promise.all(results.map(async (r) => ({
    id: r.id, name: r.name, status: r.status, reason: r.reason ?? null,
    answered: r.response ? r.response.status : null,
  }))));
}

async function schema(url) {
  const { buildClientSchema, getIntrospectionQuery, printSchema } = require("graphql");
  const query = getIntrospectionQuery({ specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true });
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/graphql-response+json" },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(JSON.stringify(errors));
  say(printSchema(buildClientSchema(data)));
}

async function listen(url) {
  const { createClient } = require("graphql-sse");
  const lines = require("node:readline").createInterface({ input: process.stdin });
  for await (const line of lines) {
    const client = createClient({ url, retryAttempts: 0, onMessage: undefined });
    const request = JSON.parse(line);
    client.subscribe(request, {
      next: (value) => say({ next: value }),
      error: (error) => say({ error: String(error.message ?? error) }),
      complete: () => say({ complete: true }),
    }, {
      connecting: () => say({ connecting: true }),
      connected: () => say({ connected: true }),
    });
  }
}

({ audit, schema, listen })[process.argv[2]](process.argv[3]).catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
