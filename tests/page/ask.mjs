// Asks the page's own modules, in Node.js, for the verdict on every case given on standard input as JSON.

import { readFileSync } from "node:fs";
import { keyRing } from "../../verifier/page/keys.js";
import { verify } from "../../verifier/page/verify.js";

const asked = JSON.parse(readFileSync(0, "utf8"));
const { keys, lists, now, rows, texts } = asked;
if (asked.rings) {
  const answers = asked.rings.map((documents) =>
    keyRing(documents).then(
      (ring) => ({ ...ring, keys: [...ring.keys].map(([kid, { use, controller, withdrawn }]) => [kid, use, controller, withdrawn || null]) }),
      () => null,
    ),
  );
  process.stdout.write(JSON.stringify(await Promise.all(answers)));
  process.exit();
}
const ring = { ...(await keyRing(keys)), complete: true };
const world = {
  rows,
  ring: async () => ring,
  bytes: async (path) => {
    if (!(path in lists)) throw new Error("no such list");
    return Uint8Array.from(Buffer.from(lists[path], "base64"));
  },
  now,
};
const answers = [];
for (const text of texts) {
  const { verdict, certificate, asOf, notice, checks } = await verify(text, world);
  answers.push({ verdict, certificate, asOf, notice, checks: checks.length });
}
process.stdout.write(JSON.stringify(answers, (_, value) => (typeof value === "bigint" ? String(value) : value)));
