// What an application does with the service, by a public GraphQL client: prints what came of it as JSON.
//
//   node graphql_clients.cjs graphql-request|urql URL TARGET
"use strict";

const [, , name, url, target] = process.argv;

const REGISTER = `mutation Register($definition: ScheduleInput!) {
  registerSchedule(definition: $definition) { created schedule { id version state } } }`;
const READ = `query Read($id: ID!) { schedule(id: $id) { name nextAt task { connection { headers } } runs(first: 5) { nodes { state status } } } }`;
const PAGE = `query Page($after: String) { schedules(filter: { group: "pages" }, first: 3, after: $after) {
  nodes { name } pageInfo { hasNextPage endCursor } } }`;
const TRIGGER = `mutation Trigger($id: ID!) { triggerSchedule(id: $id) { id scheduleId } }`;
const DELETE = `mutation Delete($id: ID!) { deleteSchedule(id: $id) { count } }`;
const EVENTS = `subscription Events($id: ID!) { events(scheduleId: $id) { kind status } }`;

const definition = (key, more = {}) => ({
  name: `schedule ${key}`,
  client: { group: "pages", key },
  type: "CRON",
  schedule: "0 0 1 1 *",
  task: { type: "REST", connection: { host: target, headers: { Authorization: "Bearer secret" } }, data: { key } },
  ...more,
});

// Each client: ask(document, variables) gives data or throws {errors}; subscribe, if it can, calls back for each event.

function graphqlRequest() {
  const { GraphQLClient, ClientError } = require("graphql-request");
  const client = new GraphQLClient(url);
  return {
    ask: async (document, variables) => {
      try {
        return await client.request(document, variables);
      } catch (error) {
        if (error instanceof ClientError) throw { status: error.response.status, errors: error.response.errors };
        throw error;
      }
    },
  };
}

function urql() {
  const u = require("@urql/core");
  const options = { url, fetchSubscriptions: true, exchanges: [u.cacheExchange, u.fetchExchange] };
  const client = u.createClient(options);
  return {
    ask: async (document, variables) => {
      const act = document.startsWith("mutation") ? client.mutation : client.query;
      // What an instance of this client has seen it need not ask again: each step wants to know how things are now.
      const result = await act.call(client, document, variables, { requestPolicy: "network-only" }).toPromise();
      if (!result.error) return result.data;
      if (result.error.networkError) throw result.error.networkError;
      throw { errors: result.error.graphQLErrors };
    },
    subscribe: (document, variables, next) => {
      const { unsubscribe } = client.subscription(document, variables).subscribe((result) => {
        if (result.error) throw result.error;
        next(result.data);
      });
      return unsubscribe;
    },
  };
}

async function refusalOf(work) {
  try {
    await work;
    return null;
  } catch (refused) {
    if (!refused.errors) throw refused;
    const { message, path, extensions } = refused.errors[0];
    return { status: refused.status, message, path, code: extensions && extensions.code, pointer: extensions && extensions.pointer };
  }
}

async function until(condition) {
  for (;;) {
    const found = await condition();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function main() {
  const client = { "graphql-request": graphqlRequest, urql }[name]();
  const told = { client: name, events: [] };
  const registered = await client.ask(REGISTER, { definition: definition("one") });
  const { id } = registered.registerSchedule.schedule;
  told.registered = registered.registerSchedule;
  told.again = (await client.ask(REGISTER, { definition: definition("one") })).registerSchedule.created;
  told.wrongValue = await refusalOf(client.ask(REGISTER, { definition: definition("two", { schedule: "61 * * * *" }) }));
  told.wrongType = await refusalOf(client.ask(REGISTER, { definition: definition("two", { type: "SOMETIMES" }) }));
  told.wrongDocument = await refusalOf(client.ask("query Wrong { nothing }", {}));

  let stop = () => {};
  if (client.subscribe) {
    stop = client.subscribe(EVENTS, { id }, (data) => told.events.push(data.events));
    // A stream tells what happens from its opening on, which it does not announce: until it has told something.
    await until(async () => {
      await client.ask(TRIGGER, { id });
      return told.events.length > 0;
    });
    await until(() => told.events.some((e) => e.kind === "SUCCEEDED"));
  } else {
    await client.ask(TRIGGER, { id });
  }
  stop();
  told.read = await until(async () => {
    const { schedule } = await client.ask(READ, { id });
    return schedule.runs.nodes.every((r) => r.state === "SUCCEEDED") && schedule;
  });

  for (const key of ["a", "b", "c", "d", "e", "f"]) await client.ask(REGISTER, { definition: definition(key) });
  told.pages = [];
  for (let after = null; ; ) {
    const { schedules } = await client.ask(PAGE, { after });
    told.pages.push(schedules.nodes.map((n) => n.name));
    if (!schedules.pageInfo.hasNextPage) break;
    after = schedules.pageInfo.endCursor;
  }
  told.deleted = (await client.ask(DELETE, { id })).deleteSchedule.count;
  told.gone = (await client.ask(READ, { id })).schedule;
  console.log(JSON.stringify(told));
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
