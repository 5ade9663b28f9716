// The numbered checks of one certificate, in the order of the verdict table (verifier/verdict.py).

import { Unverified, unseal, unsealDigits } from "./certificate.js";
import { find, holds } from "./keys.js";
import { look, note } from "./status.js";

// A list is fetched from the host this page came from; that it is the one the certificate names, it says itself.
const LIST = /^https:\/\/[^/?#]+(\/s\/[1-9]\d{0,8})$/;

// world: ring() gives the key ring or throws; complete says whether a key that is not in it is unknown for certain;
// own says that the digits stood in the page's own address, which whoever opened it has already chosen;
// bytes(path) gives a file of the static plane or throws; now is in seconds.
export async function verify(text, world) {
  const { now, own } = world;
  const report = { checks: [], certificate: null, asOf: null, notice: null };
  const check = (name, holds, verdict, why) => {
    report.checks.push({ name, holds });
    if (!holds) throw new Unverified(verdict, why);
  };
  try {
    // 1. it has the shape of a certificate
    const { prefix, envelope, certificate } = own ? unsealDigits(text) : unseal(text);
    check("shape", true);

    let ring;
    try {
      ring = await world.ring();
    } catch (error) {
      throw new Unverified("cannot_check", `no keys: ${error.message}`);
    }
    // 2. its address is one the registry prints
    if (!own) check("address", ring.prefixes.includes(prefix), "wrong_domain", prefix);

    // 3. it names a key we trust for this use; a copy of the page may not know the newest
    const key = find(ring, "certificate", envelope.kid);
    if (!key && !ring.complete) throw new Unverified("cannot_check", `key ${envelope.kid} is newer than this copy`);
    check("key", key, "unknown_key", envelope.kid);

    // 4. that key signed these claims
    let signed;
    try {
      signed = await holds(key, envelope);
    } catch (error) {
      throw new Unverified("cannot_check", `this browser can't check the signature: ${error.message}`);
    }
    check("signature", signed, "tampered", envelope.kid);

    // 5. the key is the issuer's
    check("issuer", certificate.issuer === key.controller, "issuer_mismatch", certificate.issuer);
    report.certificate = certificate;

    // 6. the key has not been withdrawn
    check("withdrawn", !key.withdrawn, "key_revoked", key.withdrawn);

    // 7. its time has begun
    check("begun", now >= certificate.validFrom, "not_yet_valid", "");

    // 8. the registry's list says it is good
    let unknown = null;
    try {
      const path = LIST.exec(certificate.uri)?.[1];
      if (!path) throw new Error("there is no list to look it up in");
      const listed = await look(await world.bytes(path), certificate, ring, now);
      report.asOf = listed.asOf;
      if (listed.is !== "valid") report.notice = await world.bytes(`${path}.notes`).then((bytes) => note(bytes, certificate, ring, now)).catch(() => null);
      check("status", listed.is === "valid", listed.is, "");
    } catch (error) {
      if (error instanceof Unverified && error.verdict !== "status_unknown") throw error;
      unknown = error.message;
    }
    // 9. its time has not ended
    check("current", now <= certificate.expiresAt, "expired", "");

    // 10. without a fresh list nothing is said about today
    check("status", unknown === null, "status_unknown", unknown);
    return { ...report, verdict: "valid", why: "" };
  } catch (error) {
    // What we did not foresee is never a word about the certificate.
    return { ...report, verdict: error.verdict ?? "cannot_check", why: error.message };
  }
}
