/* docs.js: the API's page, made out of openapi.json. No library; text is always set as text, never as markup. */
'use strict';

const VERBS = ['get', 'post', 'put', 'delete'];

/* make('a', {class: 'x', href: '#'}, 'text', child) */
function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === true) node.setAttribute(name, '');
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((c) => c !== undefined && c !== null));
  return node;
}

/* Of Markdown we write nothing but `code`. */
function prose(text) {
  return text.split('`').map((part, i) => (i % 2 ? make('code', null, part) : part));
}

function pretty(value) {
  return JSON.stringify(value, null, 2);
}

class Description {
  constructor(root) {
    this.root = root;
  }

  /* Follows a $ref within the document, once. */
  follow(node) {
    if (!node || !node.$ref) return node;
    return node.$ref.split('/').slice(1).reduce((at, part) => at[part.replaceAll('~1', '/').replaceAll('~0', '~')], this.root);
  }

  calls() {
    const list = [];
    for (const [path, item] of Object.entries(this.root.paths)) {
      for (const verb of VERBS) {
        if (item[verb]) list.push({ verb, path, ...item[verb] });
      }
    }
    return list;
  }

  parameters(call) {
    return (call.parameters || []).map((p) => this.follow(p));
  }
}

/* --- schemas --- */

function refName(schema) {
  return schema.$ref ? schema.$ref.split('/').pop() : '';
}

function kindOf(schema) {
  if (schema.$ref) return refName(schema);
  if (schema.anyOf) return schema.anyOf.map(kindOf).join(' or ');
  if (schema.type === 'array') return `array of ${kindOf(schema.items || {})}`;
  if (schema.additionalProperties && schema.additionalProperties.type) return `object of ${schema.additionalProperties.type}s`;
  const type = [].concat(schema.type || 'any JSON').join(' or ');
  return schema.format ? `${type} (${schema.format})` : type;
}

function limitsOf(schema) {
  const told = [];
  if (schema.minimum !== undefined) told.push(`≥ ${schema.minimum}`);
  if (schema.exclusiveMinimum !== undefined) told.push(`> ${schema.exclusiveMinimum}`);
  if (schema.maximum !== undefined) told.push(`≤ ${schema.maximum}`);
  if (schema.maxItems !== undefined) told.push(`at most ${schema.maxItems} items`);
  if (schema.default !== undefined) told.push(`default ${JSON.stringify(schema.default)}`);
  return told.join(', ');
}

/* The object's schema that a member leads to, if any. */
function objectBehind(doc, schema) {
  const inner = schema.anyOf ? schema.anyOf.find((s) => s.$ref) : schema.items || schema;
  const target = doc.follow(inner);
  return target && target.properties ? target : null;
}

function enumOf(schema) {
  if (!schema.enum) return null;
  return make('div', { class: 'about' }, 'one of ', schema.enum.flatMap((v, i) => [i ? ', ' : '', make('code', null, v)]));
}

function memberRow(doc, name, schema, required, depth) {
  const row = make('li', null, make('code', null, name), ' ', make('span', { class: 'kind' }, kindOf(schema)));
  const limits = limitsOf(schema);
  if (limits) row.append(make('span', { class: 'kind' }, ` · ${limits}`));
  if (required) row.append(make('span', { class: 'must' }, ' required'));
  if (schema.readOnly) row.append(make('span', { class: 'kind' }, ' · read only'));
  const about = schema.description || (doc.follow(schema) || {}).description;
  if (about) row.append(make('div', { class: 'about' }, prose(about)));
  const words = enumOf(schema);
  if (words) row.append(words);
  const inner = objectBehind(doc, schema);
  if (inner && depth < 6) row.append(later('its members', () => members(doc, inner, depth + 1)));
  return row;
}

/* Made when it is first opened: schemas may be deep. */
function later(title, build) {
  const box = make('details', null, make('summary', null, title));
  box.addEventListener('toggle', () => {
    if (box.open && box.childElementCount === 1) box.append(build());
  });
  return box;
}

function members(doc, schema, depth) {
  const must = new Set(schema.required || []);
  return make(
    'ul',
    { class: 'members' },
    Object.entries(schema.properties).map(([name, s]) => memberRow(doc, name, s, must.has(name), depth)),
  );
}

function schemaView(doc, schema) {
  const box = make('div', null, make('span', { class: 'kind' }, kindOf(schema)));
  const limits = limitsOf(schema);
  const object = objectBehind(doc, schema);
  if (limits) box.append(make('span', { class: 'kind' }, ` · ${limits}`));
  if (object && object.description) box.append(make('div', { class: 'about' }, prose(object.description)));
  if (object) box.append(members(doc, object, 0));
  return box;
}

/* --- a call's parts --- */

function parametersView(doc, call) {
  const list = doc.parameters(call);
  if (list.length === 0) return null;
  const rows = list.map((p) =>
    make(
      'tr',
      null,
      make('th', null, make('code', null, p.name), make('div', { class: 'kind' }, p.in)),
      make(
        'td',
        null,
        make('span', { class: 'kind' }, [kindOf(p.schema), limitsOf(p.schema)].filter(Boolean).join(' · ')),
        p.required ? make('span', { class: 'must' }, ' required') : null,
        make('div', null, prose(p.description || '')),
        enumOf(p.schema),
      ),
    ),
  );
  return [make('h3', null, 'Parameters'), make('table', null, rows)];
}

function contentOf(node) {
  const entry = Object.entries((node && node.content) || {})[0];
  return entry ? { type: entry[0], ...entry[1] } : null;
}

function bodyView(doc, call) {
  const content = contentOf(call.requestBody);
  if (!content) return null;
  const box = [make('h3', null, 'Body ', make('span', { class: 'kind' }, content.type)), schemaView(doc, content.schema)];
  if (content.example) box.push(later('example', () => make('pre', null, pretty(content.example))));
  return box;
}

function replyView(doc, status, reply) {
  const content = contentOf(reply);
  const title = [make('span', { class: `status status-${status[0]}` }, status), ' ', ...prose(reply.description || '')];
  if (!content) return make('div', { class: 'reply' }, title);
  const box = make('details', { class: 'reply' }, make('summary', null, title));
  box.addEventListener('toggle', () => {
    if (!box.open || box.childElementCount > 1) return;
    box.append(make('div', { class: 'kind' }, content.type), schemaView(doc, content.schema));
    if (content.example) box.append(make('pre', null, pretty(content.example)));
  });
  return box;
}

function repliesView(doc, call) {
  const rows = Object.entries(call.responses).map(([status, reply]) => replyView(doc, status, doc.follow(reply)));
  return [make('h3', null, 'Answers'), ...rows];
}

/* --- trying it --- */

function fieldFor(parameter) {
  const name = `${parameter.in}:${parameter.name}`;
  const example = (parameter.schema.examples || [])[0];
  const hint = parameter.schema.default ?? example ?? '';
  const control = parameter.schema.enum
    ? make('select', { name }, make('option', { value: '' }, ''), parameter.schema.enum.map((v) => make('option', { value: v }, v)))
    : make('input', { name, placeholder: String(hint), required: parameter.required, autocomplete: 'off', spellcheck: 'false' });
  return make('label', null, make('span', null, make('code', null, parameter.name)), control);
}

/* What the form says, as a request. A parameter left empty is not sent. */
function requestOf(doc, call, form) {
  const values = new FormData(form);
  const query = new URLSearchParams();
  const headers = {};
  let path = call.path;
  for (const p of doc.parameters(call)) {
    const value = values.get(`${p.in}:${p.name}`) || '';
    if (p.in === 'path') path = path.replace(`{${p.name}}`, encodeURIComponent(value));
    else if (value !== '' && p.in === 'query') query.append(p.name, value);
    else if (value !== '') headers[p.name] = value;
  }
  const text = query.toString();
  const body = values.get('body');
  if (body) headers['Content-Type'] = 'application/json';
  return { method: call.verb.toUpperCase(), path: path + (text ? `?${text}` : ''), headers, body: body || undefined };
}

/* Relative, so that the page works behind a proxy that puts a prefix before all paths. */
function urlOf(path) {
  return new URL(path.slice(1), document.baseURI);
}

function shellQuote(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function curlOf(request) {
  const parts = ['curl', '-i', '-X', request.method];
  for (const [name, value] of Object.entries(request.headers)) parts.push('-H', shellQuote(`${name}: ${value}`));
  if (request.body) parts.push('--data-raw', shellQuote(request.body));
  return [...parts, shellQuote(urlOf(request.path).href)].join(' ');
}

function bodyText(text, type) {
  if (!type.includes('json')) return text;
  try {
    return pretty(JSON.parse(text));
  } catch {
    return text;
  }
}

const SHOWN_HEADERS = ['content-type', 'etag', 'location', 'link', 'retry-after', 'allow'];

async function send(request, out) {
  const began = performance.now();
  try {
    const answer = await fetch(urlOf(request.path), { method: request.method, headers: request.headers, body: request.body, redirect: 'manual' });
    const text = await answer.text();
    const took = Math.round((performance.now() - began) * 10) / 10;
    const heads = SHOWN_HEADERS.filter((h) => answer.headers.has(h)).map((h) => `${h}: ${answer.headers.get(h)}`);
    out.replaceChildren(
      make('div', null, make('span', { class: `status status-${String(answer.status)[0]}` }, `${answer.status} ${answer.statusText}`), make('span', { class: 'kind' }, ` · ${took} ms`)),
      make('pre', null, heads.join('\n')),
    );
    if (text) out.append(make('pre', null, bodyText(text, answer.headers.get('content-type') || '')));
  } catch (error) {
    out.replaceChildren(make('p', { class: 'failed' }, `No answer: ${error.message}`));
  }
}

function tryView(doc, call) {
  const content = contentOf(call.requestBody);
  const out = make('div', { class: 'answer', 'aria-live': 'polite' });
  const form = make('form', { class: 'try' }, make('h3', null, 'Try it'), doc.parameters(call).map(fieldFor));
  if (content) {
    const area = make('textarea', { name: 'body', spellcheck: 'false' });
    area.value = pretty(content.example ?? {});
    form.append(make('label', { class: 'tall' }, make('span', null, 'Body'), area));
  }
  const go = make('button', { type: 'submit' }, 'Send');
  const curl = make('button', { type: 'button', class: 'quiet' }, 'as curl');
  form.append(go, curl, out);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    go.disabled = true;
    await send(requestOf(doc, call, form), out);
    go.disabled = false;
  });
  curl.addEventListener('click', () => out.replaceChildren(make('pre', null, curlOf(requestOf(doc, call, form)))));
  return form;
}

/* --- the page --- */

function callView(doc, call) {
  const box = make(
    'details',
    { class: 'call', id: call.operationId },
    make(
      'summary',
      null,
      make('span', { class: `verb verb-${call.verb}` }, call.verb.toUpperCase()),
      make('span', { class: 'path' }, call.path),
      make('span', { class: 'said' }, call.summary || ''),
    ),
  );
  box.addEventListener('toggle', () => {
    if (!box.open || box.childElementCount > 1) return;
    const inside = make('div', { class: 'inside' });
    if (call.description) inside.append(make('p', null, prose(call.description)));
    for (const part of [parametersView(doc, call), bodyView(doc, call), repliesView(doc, call), tryView(doc, call)]) {
      if (part) inside.append(...[].concat(part));
    }
    box.append(inside);
  });
  return box;
}

function navLink(call) {
  return make(
    'a',
    { href: `#${call.operationId}`, title: call.summary },
    make('span', { class: `verb verb-${call.verb}` }, call.verb.toUpperCase()),
    make('span', { class: 'path' }, call.path),
  );
}

function show(doc) {
  const nav = document.getElementById('nav');
  const main = document.getElementById('main');
  const calls = doc.calls();
  const shown = [];
  document.getElementById('version').textContent = doc.root.info.version;
  main.replaceChildren(make('h1', null, doc.root.info.title), make('p', null, doc.root.info.summary || ''), make('p', { class: 'note' }, prose(doc.root.info.description || '')));
  for (const tag of doc.root.tags) {
    const group = { nav: make('section', null, make('h2', null, tag.name)), main: make('section', null, make('h2', null, tag.name), make('p', null, tag.description)), calls: [] };
    for (const call of calls.filter((c) => c.tags.includes(tag.name))) {
      const entry = { text: `${call.verb} ${call.path} ${call.summary} ${call.operationId}`.toLowerCase(), link: navLink(call), box: callView(doc, call) };
      group.nav.append(entry.link);
      group.main.append(entry.box);
      group.calls.push(entry);
    }
    nav.append(group.nav);
    main.append(group.main);
    shown.push(group);
  }
  return shown;
}

function openFromHash() {
  const box = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!(box instanceof HTMLDetailsElement)) return;
  box.open = true;
  box.scrollIntoView();
}

function listenToFind(groups) {
  const find = document.getElementById('find');
  find.addEventListener('input', () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const group of groups) {
      let any = false;
      for (const call of group.calls) {
        const hit = words.every((w) => call.text.includes(w));
        call.link.hidden = !hit;
        call.box.hidden = !hit;
        any = any || hit;
      }
      group.nav.hidden = !any;
      group.main.hidden = !any;
    }
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) return;
    event.preventDefault();
    find.focus();
  });
}

async function start() {
  try {
    const answer = await fetch('openapi.json');
    if (!answer.ok) throw new Error(`openapi.json: ${answer.status}`);
    listenToFind(show(new Description(await answer.json())));
    window.addEventListener('hashchange', openFromHash);
    openFromHash();
  } catch (error) {
    document.getElementById('main').replaceChildren(make('p', { class: 'failed' }, `The description cannot be read: ${error.message}`));
  }
}

start();
