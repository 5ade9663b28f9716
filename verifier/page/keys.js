// The key ring: from keys.json, or from the two did documents; which key may sign what, and under whose name.

import { hex } from "./certificate.js";

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

// A Multikey (z, base58btc) of Ed25519: 0xed 0x01, then 32 bytes.
function ed25519(multibase) {
  if (typeof multibase !== "string" || multibase[0] !== "z" || multibase.length > 64) return null;
  let value = 0n;
  for (const letter of multibase.slice(1)) {
    const digit = BASE58.indexOf(letter);
    if (digit < 0) return null;
    value = value * 58n + BigInt(digit);
  }
  const text = value.toString(16);
  return /^ed01[0-9a-f]{64}$/.test(text) ? Uint8Array.from(text.slice(4).match(/../g), (pair) => parseInt(pair, 16)) : null;
}

// The kid is the thumbprint of the key (RFC 9679), never what a file says it is.
async function kid(key) {
  const preimage = Uint8Array.from([0xa3, 1, 1, 0x20, 6, 0x21, 0x58, 0x20, ...key]);
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", preimage)).subarray(0, 8));
}

function stated(document) {
  if (Array.isArray(document.keys)) return document.keys;
  const allowed = document.assertionMethod;
  if (!Array.isArray(document.verificationMethod) || !Array.isArray(allowed)) throw new Error("not a key file of ours");
  // A did document does not say what a key may sign, so its own name does.
  const use = document.id.endsWith(":status") ? "status" : "certificate";
  return document.verificationMethod
    .filter((method) => allowed.includes(method.id) && method.publicKeyMultibase)
    .map((method) => ({ ...method, use, controller: document.id, withdrawn: method.revoked }));
}

export async function keyRing(documents) {
  const keys = [];
  for (const entry of documents.flatMap(stated)) {
    const key = ed25519(entry.publicKeyMultibase);
    if (key) keys.push({ ...entry, key, kid: await kid(key) });
  }
  if (!keys.length) throw new Error("no key in it");
  const [first] = documents;
  return {
    keys,
    prefixes: first.prefixes ?? documents.map(({ id }) => `https://${id.split(":")[2]}/v1#`),
    specimen: documents.some((document) => document.specimen === true),
  };
}

export const find = (ring, use, kid) => ring.keys.find((entry) => entry.use === use && entry.kid === kid);

export async function holds({ key }, { signed, signature }) {
  const imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", imported, signature, signed);
}
