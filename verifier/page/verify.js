// The numbered checks of one certificate, in the order of the verdict table (verifier/verdict.py), which decides.

import { Unverified, unseal, unsealDigits } from "./certificate.js";
import { find, holds } from "./keys.js";
import { look, note } from "./status.js";

// A list is fetched from the host this page came from; that it is the one the certificate names, it says itself.
const LIST = /^https:\/\/[^/?#]+(\/s\/[1-9]\d{0,8})$/;
const NOTED = ["listed_revoked", "listed_suspended", "listed_superseded"];

// The first row whose condition was found. Where no fresh list says anything, the status is unknown.
export const decide = (rows, conditions) =>
  rows.find(
    ({ condition }) =>
      conditions.has(condition) || (condition === "unlisted" && ![...conditions.keys()].some((found) => found.startsWith("listed_"))),
  );

// world: rows of the table; ring() gives the key ring or throws; complete says whether a key that is not in it is
// unknown for certain; own says that the digits stood in the page's own address, which whoever opened it has already
// chosen; bytes(path) gives a file of the static plane or throws; now is in seconds.
export async function verify(text, world) {
  const { rows, now, own } = world;
  const report = { checks: [], certificate: null, asOf: null, notice: null, kind: "certificate" };
  const conditions = new Map(); // and why
  const check = (name, holds, condition, why = "") => {
    report.checks.push({ name, holds });
    if (!holds) conditions.set(condition, why);
  };
  const must = (name, holds, condition, why) => {
    report.checks.push({ name, holds });
    if (!holds) throw new Unverified(condition, why);
  };
  let path;
  try {
    // 1. it has the shape of a certificate
    const { prefix, envelope, certificate } = own ? unsealDigits(text) : unseal(text);
    must("shape", true);

    let ring;
    try {
      ring = await world.ring();
    } catch (error) {
      throw new Unverified("unequipped", `no keys: ${error.message}`);
    }
    // 2. its address is one the registry prints
    if (!own) must("address", ring.prefixes.includes(prefix), "elsewhere", prefix);

    // 3. it names a key we trust for this use; a copy of the page may not know the newest
    const key = find(ring, "certificate", envelope.kid);
    if (!key && !ring.complete) throw new Unverified("unequipped", `key ${envelope.kid} is newer than this copy`);
    must("key", key, "untrusted_key", envelope.kid);

    // 4. that key signed these claims
    let signed;
    try {
      signed = await holds(key, envelope);
    } catch (error) {
      throw new Unverified("unequipped", `this browser can't check the signature: ${error.message}`);
    }
    must("signature", signed, "bad_signature", envelope.kid);

    // 5. the key is the issuer's
    must("issuer", certificate.issuer === key.controller, "other_issuer", certificate.issuer);
    report.certificate = certificate;
    report.kind = certificate.kind;
    if (certificate.kind === "letter") conditions.set("letter", "");

    // 6. the key has not been withdrawn
    check("withdrawn", !key.withdrawn, "key_withdrawn", key.withdrawn);

    // 7. its time has begun
    check("begun", now >= certificate.validFrom, "early");

    // 8. the registry's list says it is good; without a fresh list nothing is said about today
    try {
      path = LIST.exec(certificate.uri)?.[1];
      if (!path) throw new Error("there is no list to look it up in");
      const listed = await look(await world.bytes(path), certificate, ring, now);
      report.asOf = listed.asOf;
      check("status", listed.is === "listed_good", listed.is);
      conditions.set(listed.is, "");
    } catch (error) {
      check("status", null, "unlisted", error.message);
    }
    // 9. its time has not ended
    check("current", now <= certificate.expiresAt, "late");

    if (NOTED.includes(decide(rows, conditions).condition))
      report.notice = await world.bytes(`${path}.notes`).then((bytes) => note(bytes, certificate, ring, now)).catch(() => null);
  } catch (error) {
    // What we did not foresee is never a word about the certificate.
    conditions.set(error.condition ?? "unequipped", error.message);
  }
  const row = decide(rows, conditions);
  return { ...report, row, verdict: row.name, why: conditions.get(row.condition) };
}
