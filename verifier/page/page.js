// The page itself: takes a code from the address, the camera, a file or text, and says the verdict in plain words.

import { NotRead, fromCamera, fromFile } from "./picture.js";
import { keyRing } from "./keys.js";
import { verify } from "./verify.js";
import { NAMES, NOTICE, VERDICTS, WORDS } from "built";

const $ = (id) => document.getElementById(id);
const saved = location.protocol === "file:"; // a copy on this device: no server to ask
const embedded = JSON.parse($("embedded").textContent); // a copy's keys; an offline kit has lists too
const kit = embedded?.kit;

// Every verdict has one of four looks; each is a word, a shape, a sign and a colour.
const OCTAGON = "M15 3h18l12 12v18L33 45H15L3 33V15Z";
const LOOKS = {
  good: ["M24 2a22 22 0 1 1 0 44 22 22 0 0 1 0-44Z", "m13 25 8 8 14-17"],
  stop: [OCTAGON, "m16 16 16 16m0-16L16 32"],
  warn: ["M24 3 46 43H2Z", "M24 17v12m0 6v1"],
  unsure: ["M10 4h28a6 6 0 0 1 6 6v28a6 6 0 0 1-6 6H10a6 6 0 0 1-6-6V10a6 6 0 0 1 6-6Z", "M18 18a6 6 0 1 1 9 5c-2 1-3 3-3 5m0 6v1"],
};
const BADGE = /^\s*(\{|eyJ)/; // JSON, or a JWT: no code of ours

let language = new URLSearchParams(location.search).get("lang") ?? navigator.language.slice(0, 2);
if (!Object.hasOwn(WORDS, language)) language = "en";
let report = null; // the last result
let progress = ""; // the word shown while something goes on, or after it failed
let ring = null;
let source = ""; // where the ring came from
let kept = false; // whether the last file came from this device
let camera = null;

// The English words stand in the page already; the script carries them only where it alone shows them.
for (const element of document.querySelectorAll("[data-t]")) WORDS.en[element.dataset.t] ??= element.textContent;

const word = (name, ...values) => WORDS[language][name].replace(/\{(\d)\}/g, (_, at) => values[at]);

// --- keys and lists ---

async function file(path, limit = 1 << 23) {
  if (saved) throw new Error("no server");
  const answer = await fetch(path, { cache: "no-cache", credentials: "omit", redirect: "error", signal: AbortSignal.timeout(10000) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (bytes.length > limit) throw new Error(`${path}: too large`);
  kept = answer.headers.has("X-Kept"); // by our service worker, from an earlier visit
  return bytes;
}

// A list of the day the kit was made stands in for one that can't be fetched: it says itself how long it is good.
async function list(path) {
  try {
    return await file(path);
  } catch (error) {
    if (!kit?.files[path]) throw error;
    return Uint8Array.from(atob(kit.files[path]), (letter) => letter.charCodeAt(0));
  }
}

const json = async (path) => JSON.parse(new TextDecoder().decode(await file(path)));

async function fetchedRing() {
  try {
    return await keyRing([await json("/keys.json")]);
  } catch (error) {
    return await keyRing([await json("/.well-known/did.json"), await json("/status/did.json")]).catch(() => {
      throw error;
    });
  }
}

function use(found, from) {
  ring = found;
  source = from;
  $("specimen").hidden = !ring.specimen;
}

let loading = null;
const loadRing = () => (loading ??= loaded().finally(() => (loading = null)));

async function loaded() {
  if (source === "chosen") return;
  try {
    use(await fetchedRing(), kept ? "kept" : "network");
  } catch (error) {
    if (embedded) use(await keyRing([embedded]), "embedded");
    else if (!ring) throw error;
  }
}

// --- one check ---

async function check(text, own = false) {
  stopCamera();
  if (BADGE.test(text)) return refer("not_a_file", text);
  say("checking");
  report = await verify(text, {
    rows: VERDICTS,
    ring: async () => {
      await loadRing();
      return { ...ring, complete: !["embedded", "kept"].includes(source) };
    },
    bytes: list,
    own,
    now: Math.floor(Date.now() / 1000),
  });
  report.at = new Date();
  offerServer(report.verdict === "cannot_check" && (own ? `https://${location.host}/v1#${text}` : text));
  say("");
  show();
  scrollTo(0, 0);
  $("verdict").focus({ preventScroll: true });
}

// Where this page can't check (an old browser, no https, a badge file), the server can: its form is opened, filled in.
function offerServer(text, files) {
  $("server").open = Boolean(text || files);
  $("server-text").value = text || "";
  if (files) $("server-file").files = files;
  else $("server-file").value = "";
}

function refer(why, text, files) {
  say(why);
  offerServer(text, files);
}

async function checkFile(files) {
  if (!files.length) return;
  say("reading");
  try {
    await check(await fromFile(files[0]));
  } catch (error) {
    if (!(error instanceof NotRead)) throw error;
    refer(error.message, "", files);
  }
}

async function scan() {
  if (camera) return stopCamera();
  camera = new AbortController();
  const { signal } = camera;
  say("");
  show();
  try {
    const text = await fromCamera($("view"), signal);
    if (text) await check(text);
  } catch {
    if (signal.aborted) return;
    stopCamera();
    say("no_camera");
  }
}

function stopCamera() {
  camera?.abort();
  camera = null;
  show();
}

function again() {
  report = null;
  $("text").value = $("file").value = "";
  offerServer();
  show();
  $("scan").focus();
}

// The code in our own address is read once and taken out of it, the history and any screenshot.
function own() {
  const { hash } = location;
  if (hash.length < 2) return;
  history.replaceState(null, "", location.pathname + location.search);
  check(hash.slice(1), true);
}

// --- what is shown ---

function say(name) {
  progress = name;
  $("progress").textContent = name && word(name);
}

const locale = () => (navigator.language.startsWith(language) ? navigator.language : language);

// The far future ends with the year 9999, as in the Python verifier.
const date = (seconds) => new Date(Math.min(seconds, 253402300799) * 1000);

const moment = (seconds) => date(seconds).toLocaleString(locale(), { dateStyle: "long", timeStyle: "short" });

const day = (seconds) => date(seconds).toLocaleDateString(locale(), { dateStyle: "long", timeZone: "UTC" });

// A certificate ends with a day where its association is. Twelve hours before that midnight it is that day in
// UTC too, from Hawaii to Sydney, so the paper and every reader's screen show the same day.
const lastDay = ({ expiresAt }) => day(expiresAt - 43200);

// A code we have no name for is shown as it is.
const named = (names, code) => (Object.hasOwn(names, code) ? names[code] : undefined);

const association = (code) => named(NAMES.associations, code)?.replace("~", NAMES.phrase) ?? code;

// "IFS+ERS" is a category with an add-on; an association may have titles of its own.
const category = (code, by) =>
  code
    .split("+")
    .map((part) => named(named(NAMES.titles, by) ?? {}, part) ?? named(NAMES.categories, part) ?? part)
    .join(" + ");

function fill(list, rows) {
  list.replaceChildren(
    ...rows.flatMap(([name, value, label]) => {
      const [term, detail] = [document.createElement("dt"), document.createElement("dd")];
      term.textContent = label || word(name);
      const isolated = document.createElement("bdi");
      isolated.textContent = value;
      detail.className = name;
      if (name === "category" || name === "association") detail.lang = "en"; // titles are not translated
      detail.append(isolated);
      return [term, detail];
    }),
  );
}

const host = (prefix) => prefix.replace(/^https:\/\/|\/v1#$/g, "");

// What the issuer's signed notes say: why, when, and where the endorsement is now.
function noticed({ verdict, notice, kind }) {
  if (!notice || kind === "letter") return "";
  const [reason, on, standing, now] = notice;
  const said = NOTICE[language];
  const values = {
    on: day(Date.parse(on) / 1000),
    standing: named(said.standings, standing) ?? standing,
    association: association(now),
  };
  const filled = (template) => template.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  values.reason = filled(named(said.reasons, reason) ?? reason);
  return filled(verdict === "superseded" ? said.replaced : said.sentence);
}

function showResult() {
  const { verdict, certificate, asOf, row, kind } = report;
  const { look } = row;
  const [big, ...said] = row[`${kind}_${language}`] ?? row[language];
  $("result").dataset.verdict = verdict;
  $("card").className = look;
  $("shape").setAttribute("d", LOOKS[look][0]);
  $("sign").setAttribute("d", LOOKS[look][1]);
  const head = $("verdict");
  head.textContent = big;
  document.title = `${head.textContent} - ${word("title")}`;
  if (verdict === "expired") {
    const when = document.createElement("small");
    when.textContent = word("expired_on", lastDay(certificate));
    head.append(" ", when);
  }
  $("sentence").replaceChildren(
    ...said.flatMap((part) => {
      const line = document.createElement("span");
      line.textContent = part;
      return [line, " "];
    }),
  );
  $("notice").textContent = verdict === "wrong_domain" ? word("leads", host(report.why), ring.prefixes.map(host).join(", ")) : noticed(report);
  $("facts").hidden = $("meaning").hidden = !certificate;
  $("compare").hidden = !certificate || verdict === "valid"; // its sentence says so already
  const letter = kind === "letter";
  $("issued").textContent = word(letter ? "tells_letter" : "tells_1");
  $("stood").hidden = !asOf || letter;
  $("recognized").hidden = verdict !== "valid";
  fill(
    $("facts"),
    certificate
      ? [
          ["name", certificate.name],
          ["category", category(certificate.category, certificate.association), letter && word("applied")],
          ["association", association(certificate.association)],
          ["number", certificate.number, letter && word("application")],
          verdict === "not_yet_valid" ? ["from", moment(certificate.validFrom)] : ["through", lastDay(certificate)],
        ]
      : [],
  );
  $("when").textContent = [
    word("checked", moment(report.at / 1000)),
    certificate && (asOf ? word("as_of", moment(asOf)) : word("no_list")),
    source && source !== "network" && word(`keys_${source}`),
  ]
    .filter(Boolean)
    .join(" ");
  $("checks").replaceChildren(
    ...report.checks.map(({ name, holds }) => {
      const item = document.createElement("li");
      item.textContent = `${word(`step_${name}`)}: ${word(holds === null ? "unchecked" : holds ? "yes" : "no")}`;
      return item;
    }),
  );
  fill($("technical"), [
    ["why", report.why || verdict],
    ...(certificate
      ? [
          ["category", certificate.category],
          ["association", certificate.association],
          ["issuer", certificate.issuer],
          ["valid_from", date(certificate.validFrom).toISOString()],
          ["through", date(certificate.expiresAt).toISOString()],
          ["cti", certificate.cti],
          ["log_index", String(certificate.logIndex)],
          ...(certificate.replaces ? [["replaces", certificate.replaces]] : []),
        ]
      : []),
  ]);
}

function show() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = word(element.dataset.t);
  $("language").lang = language === "en" ? "es" : "en";
  document.title = word("title");
  $("host").textContent = saved ? (kit ? word("copy_kit", moment(kit.made)) : word("copy")) : word("host", location.host);
  $("scan").textContent = word(camera ? "stop" : "scan");
  $("camera").hidden = !camera;
  $("start").hidden = Boolean(report);
  $("lead").className = report ? "aside" : "";
  $("result").hidden = !report;
  $("server").hidden = $("kit").hidden = saved;
  say(progress);
  if (report) showResult();
}

// --- what people do ---

$("language").onclick = () => {
  language = language === "en" ? "es" : "en";
  show();
};
$("scan").onclick = scan;
$("again").onclick = again;
$("print").onclick = () => print();
$("file").onchange = ({ target }) => checkFile(target.files);
$("typed").onsubmit = (event) => {
  event.preventDefault();
  check($("text").value);
};
$("keys-file").onchange = async ({ target }) => {
  try {
    use(await keyRing(await Promise.all(Array.from(target.files, async (chosen) => JSON.parse(await chosen.text())))), "chosen");
    say("");
  } catch {
    say("bad_keys");
  }
};
document.ondragover = (event) => event.preventDefault();
document.ondrop = (event) => {
  event.preventDefault();
  checkFile(event.dataTransfer.files);
};
document.onpaste = ({ clipboardData }) => checkFile(clipboardData.files);
onhashchange = own;

$("no-script").remove();
$("language").hidden = false;
$("server").open = false;
$("keys-way").hidden = !saved;
show();
loadRing().catch(() => {}); // early, so that a trial registry says so before anything is checked
own();
if (!saved) navigator.serviceWorker?.register("/v1-worker.js", { scope: "/v1" }).catch(() => {});
