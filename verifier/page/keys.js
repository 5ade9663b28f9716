// The key ring: from keys.json, or from the two did documents; which key may sign what, and under whose name.

import { hex } from "./certificate.js";

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const ED25519 = /^z6Mk[1-9A-HJ-NP-Za-km-z]{44}$/;
const PREFIX = /^https:\/\/[a-z0-9.-]+(:\d{1,5})?\/v1#$/;
const HOST = /^did:web:([a-z0-9.-]+)(?:%3[Aa](\d{1,5}))?(?::|$)/;

const refuse = () => {
  throw new Error("not a key file of ours");
};

const isText = (...values) => values.every((value) => typeof value === "string");

// A Multikey (z, base58btc) of Ed25519: 0xed 0x01, then 32 bytes.
function ed25519(multibase) {
  let value = 0n;
  if (!ED25519.test(multibase)) refuse();
  for (const letter of multibase.slice(1)) value = value * 58n + BigInt(BASE58.indexOf(letter));
  const text = value.toString(16);
  if (!/^ed01.{64}$/.test(text)) refuse();
  return Uint8Array.from(text.slice(4).match(/../g), (pair) => parseInt(pair, 16));
}

// The kid is the thumbprint of the key (RFC 9679), never what a file says it is.
async function thumbprint(key) {
  const preimage = Uint8Array.from([0xa3, 1, 1, 0x20, 6, 0x21, 0x58, 0x20, ...key]);
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", preimage)).subarray(0, 8));
}

const isList = ({ id }) => id.endsWith(":status");

function address({ id }) {
  const [, host, port] = HOST.exec(id) ?? refuse();
  return `https://${host}${port ? `:${port}` : ""}/v1#`;
}

// The rows of one file: keys.json, or a did document, which does not say what a key may sign, so its own name does.
function stated({ id, specimen, keys, prefixes, verificationMethod, assertionMethod }) {
  if (keys) {
    if (typeof specimen !== "boolean" || !prefixes.length || !prefixes.every((prefix) => PREFIX.test(prefix))) refuse();
    if (!keys.every((row) => isText(row.kid, row.controller, row.id) && /^(certificate|status|log|jwt)$/.test(row.use))) refuse();
    return keys.filter(({ use }) => use !== "jwt"); // P-256: nothing that is read here was signed by one
  }
  if (![undefined, true, false].includes(specimen)) refuse();
  return verificationMethod
    .filter((row) => (assertionMethod.includes(row.id) || row.revoked) && row.type === "Multikey" && /^z6Mk/.test(row.publicKeyMultibase))
    .map((row) => (row.controller === id ? { ...row, kid: null, use: isList({ id }) ? "status" : "certificate", withdrawn: row.revoked } : refuse()));
}

// A key has one use and one owner, whichever file says so; one that knows of a withdrawal is enough.
export async function keyRing(documents) {
  const keys = new Map();
  for (const row of documents.flatMap(stated)) {
    const key = ed25519(row.publicKeyMultibase);
    const kid = await thumbprint(key);
    const known = keys.get(kid) ?? { ...row, key };
    if ((row.kid ?? kid) !== kid || known.use !== row.use || known.controller !== row.controller || !isText(row.withdrawn ?? "")) refuse();
    known.withdrawn ||= row.withdrawn;
    keys.set(kid, known);
  }
  if (!keys.size) refuse();
  const prefixes = documents.flatMap((document) => document.prefixes ?? []);
  return {
    keys,
    prefixes: prefixes.length ? prefixes : documents.filter((document) => !isList(document)).map(address),
    specimen: documents.some(({ specimen }) => specimen),
  };
}

export function find({ keys }, use, kid) {
  const key = keys.get(kid);
  return key?.use === use ? key : undefined;
}

export async function holds({ key }, { signed, signature }) {
  const imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", imported, signature, signed);
}
