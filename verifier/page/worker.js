// The service worker of the page: keeps the page, the keys and every list, so that it works without a connection.
// It keeps what is published and nothing else: everything under its path alone, without the code behind the mark.

const PAGE = "/v1";
const KEYS = "/keys.json";
const KEPT_AT = "/v1-kept-at"; // no file of the registry: when all was fetched last
const OURS = /^\/(v1(\.html)?|keys\.json|s\/[1-9]\d{0,8}(\.notes)?)$/;
const AN_HOUR = 3600e3;
const POOR = 4000; // ms: with a copy at hand nobody waits longer for a poor connection

const store = () => caches.open("v1");

async function fetched(path, patience = 10000) {
  const answer = await fetch(path, { cache: "no-cache", credentials: "omit", redirect: "error", signal: AbortSignal.timeout(patience) });
  if (answer.ok) await (await store()).put(path, answer.clone());
  return answer;
}

async function keepAll() {
  if (![await fetched(PAGE), await fetched(KEYS)].every(({ ok }) => ok)) throw new Error("nothing to keep");
  for (let number = 1; (await fetched(`/s/${number}`)).ok; number++) await fetched(`/s/${number}.notes`);
  await (await store()).put(KEPT_AT, new Response(String(Date.now())));
}

async function keepUp() {
  const last = await (await store()).match(KEPT_AT);
  if (!last || Date.now() - Number(await last.text()) > AN_HOUR) await keepAll().catch(() => {});
}

// The network first: a kept list is believed only as long as its issuer's signature says, which the page checks.
async function answered(path) {
  const copy = await (await store()).match(path);
  try {
    const answer = await fetched(path, copy && POOR);
    if (answer.ok || !copy) return answer;
  } catch (error) {
    if (!copy) throw error;
  }
  const headers = new Headers(copy.headers);
  headers.set("X-Kept", "1");
  return new Response(copy.body, { headers });
}

self.oninstall = (event) => {
  self.skipWaiting();
  event.waitUntil(keepAll());
};
self.onactivate = (event) => event.waitUntil(self.clients.claim());
self.onfetch = (event) => {
  const { origin, pathname } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== location.origin || !OURS.test(pathname)) return;
  event.respondWith(answered(pathname === "/v1.html" ? PAGE : pathname));
  if (event.request.mode === "navigate") event.waitUntil(keepUp());
};
