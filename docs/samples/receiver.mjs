// A receiver that acts once: Node's own modules only.
//
//     SECRET=whsec_... LEDGER=ledger.jsonl PORT=3000 node receiver.mjs
import { createHmac, timingSafeEqual } from "node:crypto";
import { existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { createServer } from "node:http";

const secrets = process.env.SECRET.split(",").map((s) => Buffer.from(s.replace(/^whsec_/, ""), "base64"));

// Standard Webhooks: one of the signatures is by a secret of ours, over what came, and fresh.
function isOurs(headers, body) {
  const sentAt = headers["webhook-timestamp"] ?? "";
  if (!/^\d+$/.test(sentAt) || Math.abs(Date.now() / 1000 - Number(sentAt)) > 300) return false;
  const given = (headers["webhook-signature"] ?? "").split(" ").map((g) => Buffer.from(g));
  return secrets.some((secret) => {
    const mac = createHmac("sha256", secret).update(`${headers["webhook-id"]}.${sentAt}.`).update(body).digest("base64");
    const expected = Buffer.from(`v1,${mac}`);
    return given.some((g) => g.length === expected.length && timingSafeEqual(g, expected));
  });
}

// The work is a line of the ledger, and the key is in it: both are there, or neither. (With a database: one transaction, and
// the key under a unique constraint.)
const path = process.env.LEDGER;
const done = new Set();
if (existsSync(path)) {
  for (const line of readFileSync(path, "utf8").split("\n").filter(Boolean)) done.add(JSON.parse(line).key);
}
const ledger = openSync(path, "a");

function actOnce(key, body) {
  if (done.has(key)) return false;
  writeSync(ledger, JSON.stringify({ key, body: body.toString() }) + "\n");
  fsyncSync(ledger);
  done.add(key);
  return true;
}

const server = createServer(async (request, response) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const body = Buffer.concat(pieces);
  if (!isOurs(request.headers, body)) response.writeHead(401).end("not signed by us\n");
  else response.writeHead(200).end(actOnce(request.headers["idempotency-key"], body) ? "done\n" : "done before\n");
});
server.listen(Number(process.env.PORT), "127.0.0.1", () => console.log(`listening on ${server.address().port}`));
