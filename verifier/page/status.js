// The signed status list (IETF Token Status List, 2 bits) and its notes, whole lists only: nobody learns who is asked about.

import { Unverified, hasKeys, isWhole, uncose } from "./certificate.js";
import { find, holds } from "./keys.js";

const MOST = 1 << 17; // 131,072 places of at most 8 bits
const OTHER = "the list is not one of ours";
const LISTED = ["good", "revoked", "suspended", "superseded"];

const unknown = (why) => {
  throw new Unverified("unlisted", why);
};

export async function inflate(bytes, most) {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > most) {
      await reader.cancel();
      throw new Error("too long");
    }
    parts.push(value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function opened(bytes, typ, uri, last, { issuer }, ring, now) {
  if (bytes.length > (last === 65533 ? 1 << 18 : 1 << 23)) unknown(OTHER);
  let envelope;
  try {
    envelope = uncose(bytes, typ);
  } catch (error) {
    if (error instanceof Unverified) unknown(`the list is not readable: ${error.message}`);
    throw error;
  }
  const key = find(ring, "status", envelope.kid);
  if (!key || key.withdrawn || !(await holds(key, envelope))) unknown("the list is not signed by the registry's list key");
  if (![issuer, `${issuer}:status`].includes(key.controller)) unknown("the list was signed by another issuer");
  const { claims } = envelope;
  if (!hasKeys(claims, 2, 4, 6, 65534, last) || ![4, 6, 65534].every((name) => isWhole(claims.get(name)))) unknown(OTHER);
  if (claims.get(2) !== uri) unknown("the list is another one");
  if (now > claims.get(4)) unknown("the list is out of date");
  if (claims.get(6) > now + 600) unknown("this device's clock is behind the list");
  return claims;
}

// What the list says of one certificate, and as of when.
export async function look(bytes, certificate, ring, now) {
  const { uri, index } = certificate;
  const claims = await opened(bytes, "application/statuslist+cwt", uri, 65533, certificate, ring, now);
  const list = claims.get(65533);
  const bits = hasKeys(list, "bits", "lst") && list.get("bits");
  if (![1, 2, 4, 8].includes(bits) || !(list.get("lst") instanceof Uint8Array)) unknown(OTHER);
  let places;
  try {
    places = await inflate(list.get("lst"), MOST);
  } catch {
    unknown(OTHER);
  }
  const place = index * bits;
  if (place >= places.length * 8) unknown("the certificate's place is not in the list");
  const is = LISTED[(places[Math.floor(place / 8)] >> (place % 8)) & ((1 << bits) - 1)];
  if (!is) unknown("the list has a status that we do not know");
  return { is: `listed_${is}`, asOf: Number(claims.get(6)) };
}

// Why a certificate is no longer good: [reason, day, standing now, association now], or nothing.
export async function note(bytes, certificate, ring, now) {
  const claims = await opened(bytes, "iecmh-notes+cwt", `${certificate.uri}.notes`, -65538, certificate, ring, now);
  const found = claims.get(-65538)?.get(certificate.index);
  return Array.isArray(found) && found.length === 4 && found.every((part) => typeof part === "string") ? found : null;
}
