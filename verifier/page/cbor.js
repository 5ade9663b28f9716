// Deterministic CBOR (RFC 8949 section 4.2.1), only what our formats use: the twin of verifier/cbor.py.

export class NotDeterministic extends Error {}

const LEAST = { 24: 24n, 25: 1n << 8n, 26: 1n << 16n, 27: 1n << 32n };
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const refuse = (why) => {
  throw new NotDeterministic(why);
};

export function decode(bytes) {
  let at = 0;

  const take = (length) => {
    if (length > bytes.length - at) refuse("cut short");
    at += length;
    return bytes.subarray(at - length, at);
  };

  const whole = (count) => {
    if (count < 24) return count;
    if (!(count in LEAST)) refuse("a length of another kind");
    let value = 0n;
    for (const byte of take(1 << (count - 24))) value = (value << 8n) | BigInt(byte);
    if (value < LEAST[count]) refuse("a number not in its shortest form");
    return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
  };

  const item = (depth) => {
    const [first] = take(1);
    const major = first >> 5;
    if (major > 5) refuse("a tag, float or simple value");
    const count = whole(first & 31);
    if (major === 0) return count;
    if (major === 1) return typeof count === "bigint" ? -1n - count : -1 - count;
    if (major === 2) return take(count);
    if (major === 3) {
      try {
        return utf8.decode(take(count));
      } catch (error) {
        if (error instanceof NotDeterministic) throw error;
        return refuse("text that is not UTF-8");
      }
    }
    if (depth === 0) refuse("nested too deep");
    if ((major - 3) * Number(count) > bytes.length - at) refuse("cut short");
    if (major === 4) return Array.from({ length: Number(count) }, () => item(depth - 1));
    const pairs = new Map();
    let last = new Uint8Array();
    for (let left = Number(count); left > 0; left--) {
      const start = at;
      const key = item(0);
      const spelled = bytes.subarray(start, at);
      if (compare(spelled, last) <= 0) refuse("map keys out of order or twice");
      last = spelled;
      pairs.set(key, item(depth - 1));
    }
    return pairs;
  };

  const value = item(8);
  if (at !== bytes.length) refuse("bytes follow the end");
  return value;
}

function compare(a, b) {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

// Only what a signature covers is ever written here: byte strings and one short text.
export function bytesHead(length) {
  if (length < 24) return [0x40 | length];
  if (length < 256) return [0x58, length];
  if (length < 65536) return [0x59, length >> 8, length & 255];
  return [0x5a, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255];
}
