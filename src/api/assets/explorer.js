// explorer.js: asks /graphql from a page: the small explorer's whole work, and what GraphiQL asks by.
"use strict";
(() => {
  const START = `# Ctrl+Enter asks. An example:
query {
  schedules(first: 10) {
    nodes {
      id
      name
      state
      nextAt
      runs(first: 3) {
        nodes {
          state
          scheduledAt
        }
      }
    }
  }
}
`;

  // --- asking ---

  // The data of each event "next" of a stream of server-sent events.
  async function* results(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        rest += value;
        const events = rest.split("\n\n");
        rest = events.pop();
        for (const event of events) {
          const lines = event.split("\n");
          if (lines.includes("event: complete")) return;
          const data = lines.find((line) => line.startsWith("data: "));
          if (lines.includes("event: next") && data) yield JSON.parse(data.slice(6));
        }
      }
    } finally {
      reader.cancel().catch(() => {});
    }
  }

  // One result, or an iterable of them where a subscription was asked for.
  async function ask(endpoint, request, headers, signal) {
    const answer = await fetch(endpoint, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json", accept: "application/graphql-response+json, text/event-stream" },
      body: JSON.stringify(request),
      signal,
    });
    const type = answer.headers.get("content-type") ?? "";
    if (type.startsWith("text/event-stream")) return results(answer.body);
    return answer.json();
  }

  const endpoint = new URL(document.body.dataset.endpoint, location.href).href;

  // --- GraphiQL, where it is built in ---

  if (document.body.id === "graphiql") {
    const fetcher = (request, options) => ask(endpoint, request, options?.headers);
    const root = document.createElement("div");
    root.style.height = "100vh";
    document.body.style.margin = "0";
    document.body.append(root);
    ReactDOM.createRoot(root).render(React.createElement(GraphiQL, { fetcher, defaultQuery: START, isHeadersEditorEnabled: true }));
    return;
  }

  // --- the small one ---

  const $ = (id) => document.getElementById(id);
  const kept = (name) => localStorage.getItem(`carillon.graphql.${name}`);
  let running = null;

  const show = (value) => { $("answer").textContent = typeof value === "string" ? value : JSON.stringify(value, null, 2); };
  const object = (id) => ($(id).value.trim() ? JSON.parse($(id).value) : undefined);

  function busy(controller, words) {
    running = controller;
    $("stop").hidden = !controller;
    $("run").hidden = Boolean(controller);
    $("state").textContent = words;
  }

  async function listen(answer) {
    const all = [];
    for await (const one of answer) {
      all.unshift(one);
      all.length = Math.min(all.length, 100);
      show(all);
    }
  }

  async function run() {
    const controller = new AbortController();
    for (const id of ["query", "variables", "headers"]) localStorage.setItem(`carillon.graphql.${id}`, $(id).value);
    running?.abort();
    busy(controller, "asking");
    const start = performance.now();
    try {
      const answer = await ask(endpoint, { query: $("query").value, variables: object("variables") }, object("headers"), controller.signal);
      if (Symbol.asyncIterator in answer) await listen(answer);
      else show(answer);
      busy(null, `${Math.round(performance.now() - start)} ms`);
    } catch (error) {
      if (!controller.signal.aborted) show(String(error));
      if (running === controller) busy(null, controller.signal.aborted ? "stopped" : "failed");
    }
  }

  // --- the schema ---

  const TYPE = "name kind ofType { name kind ofType { name kind ofType { name kind ofType { name kind } } } }";
  const SCHEMA = `{ __schema { queryType { name } mutationType { name } subscriptionType { name } types { name kind description
    fields { name description args { name description defaultValue type { ${TYPE} } } type { ${TYPE} } }
    inputFields { name description defaultValue type { ${TYPE} } } enumValues { name description } } } }`;

  const written = (t) => (t.kind === "NON_NULL" ? `${written(t.ofType)}!` : t.kind === "LIST" ? `[${written(t.ofType)}]` : t.name);

  function element(tag, text) {
    const e = document.createElement(tag);
    if (text) e.textContent = text;
    return e;
  }

  function member(m) {
    const item = element("li");
    const args = (m.args ?? []).map((a) => `${a.name}: ${written(a.type)}${a.defaultValue ? ` = ${a.defaultValue}` : ""}`);
    const type = m.type ? `: ${written(m.type)}` : "";
    item.append(element("code", m.name + (args.length ? `(${args.join(", ")})` : "") + type));
    if (m.description) item.append(element("p", m.description));
    return item;
  }

  function typeOf(t) {
    const all = element("details");
    const list = element("ul");
    all.append(element("summary", `${t.name} `));
    if (t.description) all.append(element("p", t.description));
    list.append(...(t.fields ?? t.inputFields ?? t.enumValues ?? []).map(member));
    all.append(list);
    return all;
  }

  function find() {
    const words = $("find").value.trim().toLowerCase();
    for (const type of $("types").children) {
      type.hidden = words !== "" && !type.textContent.toLowerCase().includes(words);
      type.open = words !== "" && !type.hidden;
    }
  }

  async function tell() {
    const { data } = await ask(endpoint, { query: SCHEMA });
    const schema = data.__schema;
    const first = [schema.queryType, schema.mutationType, schema.subscriptionType].map((t) => t?.name);
    const place = (t) => (first.includes(t.name) ? first.indexOf(t.name) : first.length);
    const types = schema.types.filter((t) => !t.name.startsWith("__"));
    types.sort((a, b) => place(a) - place(b) || a.name.localeCompare(b.name));
    $("types").replaceChildren(...types.map(typeOf));
  }

  $("query").value = kept("query") ?? START;
  $("variables").value = kept("variables") ?? "";
  $("headers").value = kept("headers") ?? "";
  $("run").addEventListener("click", run);
  $("stop").addEventListener("click", () => running?.abort());
  $("find").addEventListener("input", find);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
    }
  });
  tell().catch((error) => $("types").replaceChildren(element("p", String(error))));
})();
