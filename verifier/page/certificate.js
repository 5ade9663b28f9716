// The QR certificate, version 1, and its COSE_Sign1 envelope: the twin of verifier/certificate.py and cose.py.

import { NotDeterministic, bytesHead, decode } from "./cbor.js";

export class Unverified extends Error {
  constructor(condition, why) {
    super(why);
    this.condition = condition; // of the verdict table
  }
}

const URL_ = /^(https:\/\/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?\/v1#)([0-9]+)$/;
const TAILS = { 0: 0, 3: 1, 5: 2, 8: 3, 10: 4, 13: 5, 15: 6 };
const NO_DIGITS = "digits that are no message";
const TOO_LONG = "longer than any certificate";
const STATUS = 65535;
const DETAIL = -65537;
const LETTER = "iecmh-letter+cwt"; // of registration: an application is open, no endorsement

const malformed = (why) => {
  throw new Unverified("misshapen", why);
};

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

// Seven bytes, read little-endian, are 17 digits (the QR coding of FIDO CTAP 2.2).
function undigits(text) {
  const bytes = [];
  if (!(text.length % 17 in TAILS)) malformed(NO_DIGITS);
  for (let at = 0; at < text.length; at += 17) {
    const group = text.slice(at, at + 17);
    let value = BigInt(group);
    for (let left = group.length === 17 ? 7 : TAILS[group.length]; left > 0; left--) {
      bytes.push(Number(value & 255n));
      value >>= 8n;
    }
    if (value) malformed(NO_DIGITS);
  }
  return Uint8Array.from(bytes);
}

function decoded(bytes) {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof NotDeterministic) malformed(`CBOR: ${error.message}`);
    throw error;
  }
}

const isBytes = (value, length) => value instanceof Uint8Array && (length === undefined || value.length === length);
export const hasKeys = (value, ...keys) =>
  value instanceof Map && value.size === keys.length && keys.every((key) => value.has(key));

export function uncose(message, ...types) {
  if (message[0] !== 0xd2) malformed("not a COSE_Sign1 message");
  const parts = decoded(message.subarray(1));
  const [header, unprotected, payload, signature] = Array.isArray(parts) && parts.length === 4 ? parts : [];
  if (!isBytes(header) || !hasKeys(unprotected) || !isBytes(payload) || !isBytes(signature, 64))
    malformed("not the four parts of a COSE_Sign1 message");
  const stated = decoded(header);
  if (!hasKeys(stated, 1, 4, 16) || ![-8, -19].includes(stated.get(1)) || !isBytes(stated.get(4), 8) || !types.includes(stated.get(16)))
    malformed("another header than ours");
  const signed = Uint8Array.from([
    ...[0x84, 0x6a, ...new TextEncoder().encode("Signature1")],
    ...bytesHead(header.length),
    ...header,
    0x40,
    ...bytesHead(payload.length),
    ...payload,
  ]);
  return { kid: hex(stated.get(4)), typ: stated.get(16), claims: decoded(payload), signed, signature };
}

const text = (value, most) => {
  const size = typeof value === "string" ? new TextEncoder().encode(value).length : -1;
  if (size < 0 || (most && (size < 1 || size > most))) malformed("a claim that is not a text of the right size");
  return value;
};

export const isWhole = (value) => (typeof value === "number" || typeof value === "bigint") && value >= 0;

const whole = (value) => (isWhole(value) ? value : malformed("a claim that is not a whole number"));

const id = (value) => (isBytes(value, 16) ? hex(value) : malformed("a claim that is not an id of 16 bytes"));

function stated(claims) {
  if (!hasKeys(claims, 1, 2, 4, 5, 7, STATUS, DETAIL)) malformed("not the claims of version 1");
  const status = claims.get(STATUS);
  const reference = hasKeys(status, "status_list") && status.get("status_list");
  if (!hasKeys(reference, "idx", "uri")) malformed("not a reference to a status list");
  const detail = claims.get(DETAIL);
  if (!(hasKeys(detail, 0, 1, 2, 3, 4) || hasKeys(detail, 0, 1, 2, 3, 4, 5)) || detail.get(0) !== 1) malformed("not the details of version 1");
  const name = text(detail.get(1), 120);
  if (name !== name.normalize("NFC")) malformed("a name that is not in Unicode NFC");
  return {
    issuer: text(claims.get(1)),
    number: text(claims.get(2), 40),
    name,
    category: text(detail.get(2)),
    association: text(detail.get(3)),
    validFrom: Number(whole(claims.get(5))),
    expiresAt: Number(whole(claims.get(4))),
    cti: id(claims.get(7)),
    uri: text(reference.get("uri")),
    index: Number(whole(reference.get("idx"))),
    logIndex: whole(detail.get(4)),
    replaces: detail.has(5) ? id(detail.get(5)) : null,
  };
}

export function unsealDigits(digits) {
  if (!/^[0-9]+$/.test(digits)) malformed(NO_DIGITS);
  const message = undigits(digits);
  if (message.length > 512) malformed(TOO_LONG);
  const envelope = uncose(message, "iecmh+cwt", LETTER);
  return { envelope, certificate: { ...stated(envelope.claims), kind: envelope.typ === LETTER ? "letter" : "certificate" } };
}

export function unseal(received) {
  if (received.length > 2048) malformed(TOO_LONG);
  const parts = URL_.exec(received.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ""));
  if (!parts) malformed("not the address and digits of a certificate");
  return { prefix: parts[1], ...unsealDigits(parts[2]) };
}
