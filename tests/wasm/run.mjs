// Verifies the golden receipts of docs/receipt.md with the module given, and fails unless each verdict is
// the documented one.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const golden = {};
const document = readFileSync(new URL("../../docs/receipt.md", import.meta.url), "utf8");
for (const [, block] of document.matchAll(/```golden\n(.*?)```/gs)) {
  let name;
  for (const line of block.trimEnd().split("\n")) {
    const [found, value] = line.split(" = ");
    if (value === undefined) golden[name] += line.trim();
    else golden[(name = found)] = value;
  }
}

const begun = performance.now();
const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]));
const { memory, allocate, verify } = instance.exports;

function put(bytes) {
  const at = allocate(bytes.length);
  new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
  return [at, bytes.length];
}

function report(receipt, policy) {
  const place = BigInt.asUintN(64, verify(...put(receipt), ...put(Buffer.from(JSON.stringify(policy)))));
  const at = Number(place >> 32n);
  const bytes = new Uint8Array(memory.buffer, at, Number(place & 0xffffffffn));
  return JSON.parse(new TextDecoder().decode(bytes));
}

const one = Buffer.from(golden["receipt of one event"], "hex");
const four = Buffer.from(golden["receipt of four events"], "hex");
const ledger = one.subarray(4, 36).toString("hex");
const pin = (tx) => `${tx}:${golden[`alh of transaction ${tx}`]}`;

const first = report(one, { ledger, pins: [pin(2)] });
const took = performance.now() - begun;
assert.deepEqual([first.verdict, first.code], ["verified_by_pinned_state", "5a"]);
const [{ tx, entry, verdict, anchor, author, event }] = first.events;
assert.deepEqual([first.events.length, tx, entry, verdict], [1, 2, 0, "verified_by_pinned_state"]);
assert.deepEqual(anchor, { by: "pinned_state", state: pin(2) });
assert.deepEqual(author, { authorship: "unsigned" });
assert.deepEqual([event.cover.domain, event.cover.root, event.event_type], ["shipment", "SSCC-1", "Departed"]);
assert.equal(report(one, { ledger }).verdict, "intact_unanchored");
assert.equal(report(four, { ledger, pins: [pin(6)] }).reason, "table");
const words = (policy) => report(four, { ledger, table: 1, ...policy }).events.map((event) => event.verdict);
const pinned = Array(3).fill("verified_by_pinned_state");
assert.deepEqual(words({ pins: [pin(9)] }), [...pinned, "payload_unavailable"]);
assert.deepEqual(words({ pins: [pin(3)] }), [...pinned, "extends_pin_unconfirmed"]);
assert.equal(report(one, { ledger: ledger.replace(/^./, (c) => (c === "0" ? "1" : "0")) }).reason, "policy");
for (const name of ["an earlier", "a later"]) {
  const parted = Buffer.from(golden[`receipt with another chain before ${name} state`], "hex");
  const { verdict, reason, events } = report(parted, { ledger, table: 1 });
  assert.deepEqual([verdict, reason, events], ["broken", `${name.split(" ")[1]}_state`, []]);
}
for (let bit = 0; bit < one.length * 8; bit += 7) {
  const flipped = Buffer.from(one);
  flipped[bit >> 3] ^= 1 << (bit & 7);
  assert.ok(["broken", "cannot_decide"].includes(report(flipped, { ledger, pins: [pin(2)] }).verdict), bit);
}
assert.ok("error" in report(one, { ledger, pin: [pin(2)] }), "an unknown key of a policy");
console.error(`the first verdict after ${took.toFixed(1)} ms`);
