// A GraphQL server of graphql-js over the REST API's answers, for one of ours to be held against: one JSON request
// {query, variables, operationName} a line, one JSON answer a line.
//
//   node graphql_rest.cjs SCHEMA.graphql URL
//
// It knows names by rule (retryWait is retry_wait, delay-recur is DELAY_RECUR), what stands for absent members from
// openapi.json, and pages by ids; all else is graphql-js.
"use strict";

const fs = require("node:fs");
const readline = require("node:readline");
const g = require("graphql");

Error.stackTraceLimit = 0;

const schema = g.buildSchema(fs.readFileSync(process.argv[2], "utf8"));
const url = process.argv[3];
const LIMIT = 1000;

async function rest(path, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(url + path, body ? { method: "POST", headers, body: JSON.stringify(body) } : {});
  const json = await answer.json();
  if (answer.status === 404) return null;
  if (!answer.ok) throw new g.GraphQLError(json.detail || json.title);
  return json;
}

// --- what is there, read once ---

const data = {};

async function load() {
  data.schedules = await rest(`/schedules?limit=${LIMIT}`);
  data.runs = await rest(`/runs?limit=${LIMIT}`);
  data.events = await rest(`/history?limit=${LIMIT}`);
  data.instances = await rest("/instances");
  data.version = await rest("/version");
  data.defaults = {};
  const schemas = (await rest("/openapi.json")).components.schemas;
  for (const [name, s] of Object.entries(schemas)) {
    const found = (data.defaults[name] = {});
    const parts = [s, ...(s.allOf || [])];
    for (const part of parts.map((p) => (p.$ref ? schemas[p.$ref.split("/").pop()] : p)))
      for (const [member, v] of Object.entries(part.properties || {})) if ("default" in v) found[member] = v.default;
  }
  for (const list of [data.schedules, data.runs, data.events])
    if (list.length >= LIMIT) throw new Error("more than this reads");
}

// --- names ---

const snake = (name) => name.replace(/[A-Z]/g, (c) => "_" + c.toLowerCase());
const spell = (text) => text.toUpperCase().replaceAll("-", "_");
const SHOWN_AS = { Target: "Connection" };
const MEMBERS = { "Schedule.runCount": "runs", "Schedule.openRunCount": "open_runs" };

function leaf(type, value) {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map((v) => leaf(type, v));
  return g.isEnumType(g.getNamedType(type)) ? spell(value) : value;
}

function member(source, info) {
  const type = info.parentType.name;
  const name = MEMBERS[`${type}.${info.fieldName}`] || snake(info.fieldName);
  let value = source[name];
  if ((value === null || value === undefined) && g.isNonNullType(info.returnType))
    value = (data.defaults[SHOWN_AS[type] || type] || {})[name];
  return leaf(info.returnType, value);
}

// --- lists ---

function connection(items, before, args) {
  if (args.first < 1 || args.first > LIMIT) throw new g.GraphQLError("first");
  let after = null;
  if (args.after !== undefined && args.after !== null) {
    if (!/^i[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(args.after)) throw new g.GraphQLError("after");
    after = args.after.slice(1).toLowerCase();
  }
  const behind = items.filter((item) => after === null || before(after, item.id));
  const page = behind.slice(0, args.first);
  const cursor = (item) => (item ? "i" + item.id : null);
  return {
    nodes: page,
    edges: page.map((node) => ({ node, cursor: cursor(node) })),
    page_info: {
      has_next_page: behind.length > page.length,
      has_previous_page: false,
      start_cursor: cursor(page[0]),
      end_cursor: cursor(page[page.length - 1]),
    },
  };
}

const older = (a, b) => a > b;
const younger = (a, b) => a < b;
const of = (args, ...tests) => (item) => tests.every(([wanted, value]) => wanted === undefined || wanted === null || value(item) === wanted);

function runs(args, scheduleId) {
  const fits = of(args, [scheduleId, (r) => r.schedule_id], [args.state, (r) => spell(r.state)]);
  return connection(data.runs.filter(fits), older, args);
}

function events(args, scheduleId) {
  const fits = of(args, [scheduleId, (e) => e.schedule_id], [args.kind, (e) => spell(e.kind)]);
  return connection(data.events.filter(fits), older, args);
}

const uuid = (text) => (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text) ? text.toLowerCase() : text);
const byId = (list, id) => list.find((item) => item.id === id) || null;
const CLIENT = ["operation", "application", "group", "key", "type"];
const client = (s) => Object.fromEntries(CLIENT.map((m) => [m, (s.client || {})[m] || ""]));

function counts(states, list) {
  return states.map((state) => ({ state: state.toLowerCase(), count: list.filter((i) => spell(i.state) === state).length }));
}

function toRest(value, key) {
  if (Array.isArray(value)) return value.map((v) => toRest(v));
  if (value === null || typeof value !== "object") return key === "type" && typeof value === "string" ? value.toLowerCase().replaceAll("_", "-") : value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== null)
      .map(([k, v]) => [snake(k), k === "client" ? v : toRest(v, k)]),
  );
}

const READ_ONLY = ["id", "version", "state", "created_at", "updated_at", "next_at", "last", "runs", "open_runs", "missed"];

const resolvers = {
  "Query.schedule": (_, args) => byId(data.schedules, uuid(args.id)),
  "Query.scheduleByClient": (_, args) =>
    data.schedules.find((s) => CLIENT.every((m) => client(s)[m] === (args.client[m] || ""))) || null,
  "Query.schedules": (_, args) => {
    const f = args.filter || {};
    const members = CLIENT.map((m) => [f[m], (s) => client(s)[m]]);
    const fits = of(args, ...members, [f.state, (s) => spell(s.state)]);
    return connection(
      data.schedules.filter((s) => fits(s) && (f.name === undefined || f.name === null || s.name.startsWith(f.name))),
      younger,
      args,
    );
  },
  "Query.run": (_, args) => byId(data.runs, uuid(args.id)),
  "Query.runs": (_, args) => runs(args),
  "Query.deadLetters": (_, args) => runs({ ...args, state: "DEAD" }, args.scheduleId && uuid(args.scheduleId)),
  "Query.history": (_, args) => events(args, args.scheduleId && uuid(args.scheduleId)),
  "Query.preview": (_, args) => {
    const query = new URLSearchParams({ n: args.first, ...(args.from ? { from: args.from } : {}) });
    return rest(`/preview?${query}`, toRest(args.definition));
  },
  "Query.instances": () => data.instances,
  "Query.stats": () => ({}),
  "Query.version": () => data.version,
  "Stats.schedules": (_, args, __, info) => counts(statesOf(info), data.schedules),
  "Stats.runs": (_, args, __, info) =>
    counts(
      statesOf(info).filter((s) => ["PENDING", "RUNNING", "RETRYING", "DEAD"].includes(s)),
      data.runs,
    ),
  "Schedule.runs": (s, args) => runs(args, s.id),
  "Schedule.history": (s, args) => events(args, s.id),
  "Schedule.client": client,
  "Schedule.definition": (s) => Object.fromEntries(Object.entries(s).filter(([k]) => !READ_ONLY.includes(k))),
  "Schedule.missed": (s) => Object.entries(s.missed).map(([reason, count]) => ({ reason, count })),
  "Target.tlsInsecure": (t) => (t.tls || {}).insecure ?? null,
  "Run.schedule": (r) => byId(data.schedules, r.schedule_id),
  "Event.schedule": (e) => byId(data.schedules, e.schedule_id),
};

function statesOf(info) {
  const field = g.getNamedType(info.returnType).getFields().state;
  return g.getNamedType(field.type).getValues().map((v) => v.name);
}

function resolve(source, args, context, info) {
  const own = resolvers[`${info.parentType.name}.${info.fieldName}`];
  return own ? own(source, args, context, info) : member(source, info);
}

async function execute(request) {
  const document = g.parse(request.query);
  const errors = g.validate(schema, document);
  if (errors.length > 0) return { errors };
  const asked = { variableValues: request.variables, operationName: request.operationName };
  return g.execute({ schema, document, rootValue: {}, fieldResolver: resolve, ...asked });
}

async function main() {
  await load();
  for await (const line of readline.createInterface({ input: process.stdin, crlfDelay: Infinity }))
    process.stdout.write(JSON.stringify(await execute(JSON.parse(line))) + "\n");
}

main();
