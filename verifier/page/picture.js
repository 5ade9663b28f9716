// Finds the text of a certificate in what people have at hand: a camera, a picture, a PDF, a text file.

import { inflate } from "./status.js";

const MOST = 20e6; // bytes of a file
const SIDES = [1600, 3000, 900]; // pixels of the longer side a picture is tried at
const TEXT = /^[ \t\r\n]*(https?:\/\/[^\s#]+#[0-9]+)[ \t\r\n]*$/;

export class NotRead extends Error {} // its message names the sentence to show

const detector = async () =>
  "BarcodeDetector" in globalThis && (await BarcodeDetector.getSupportedFormats()).includes("qr_code")
    ? new BarcodeDetector({ formats: ["qr_code"] })
    : null;

// Unpacked when a browser has no detector of its own.
async function decode(...words) {
  if (!globalThis.decodeQR) await unpack("decoder");
  return globalThis.decodeQR(...words);
}

function drawn(source, width, height, side) {
  const scale = Math.min(1, side / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff"; // a transparent picture is meant for white paper
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

async function codeIn(canvas, barcodes, options) {
  if (barcodes) {
    const [found] = await barcodes.detect(canvas).catch(() => []);
    if (found) return found.rawValue;
  }
  try {
    return await decode(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height), options);
  } catch {
    return null;
  }
}

async function image(file) {
  if (file.type !== "image/svg+xml") return createImageBitmap(file);
  const url = URL.createObjectURL(file);
  try {
    const picture = new Image(1600, 1600);
    picture.src = url;
    await picture.decode();
    return picture;
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function fromPicture(file) {
  let picture;
  try {
    picture = await image(file);
  } catch {
    throw new NotRead("no_code");
  }
  const barcodes = await detector();
  for (const side of SIDES) {
    const text = await codeIn(drawn(picture, picture.width, picture.height, side), barcodes, { timeLimit: 3000 });
    if (text) return text;
  }
  throw new NotRead("no_code");
}

// The certificate's PDF carries its text as the attachment qr.txt. The file's own index is not needed to find it:
// attachments are streams of their own, plain or deflated, and no other stream reads like a certificate.
async function fromPdf(bytes) {
  const latin = new TextDecoder("latin1").decode(bytes);
  const streams = /stream\r?\n/g;
  for (let tried = 0; tried < 5000 && streams.exec(latin); tried++) {
    const end = latin.indexOf("endstream", streams.lastIndex);
    if (end < 0) break;
    const raw = bytes.subarray(streams.lastIndex, end);
    const found = TEXT.exec(latin.slice(streams.lastIndex, Math.min(end, streams.lastIndex + 2100))) ?? (await deflated(raw));
    if (found) return found[1];
    streams.lastIndex = end + "endstream".length;
  }
  throw new NotRead("no_pdf_code");
}

async function deflated(raw) {
  if (raw[0] !== 0x78 || raw.length > 4096) return null;
  // What stands after the stream (a line end) is refused as junk, so its end is tried with and without it.
  for (const length of [raw.length, raw.length - 1, raw.length - 2]) {
    try {
      return TEXT.exec(new TextDecoder().decode(await inflate(raw.subarray(0, length), 4096)));
    } catch {
      // not this length
    }
  }
  return null;
}

export async function fromFile(file) {
  if (file.size > MOST) throw new NotRead("too_big");
  if (file.type.startsWith("image/")) return fromPicture(file);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 1024));
  if (start.includes("%PDF-")) return fromPdf(bytes);
  const found = bytes.length <= 4096 && TEXT.exec(new TextDecoder().decode(bytes)); // without the mark of its byte order
  if (found) return found[1];
  throw new NotRead("not_a_file");
}

// Shows the camera in `video` until a code is read or `signal` is aborted; gives the text, or null when aborted.
export async function fromCamera(video, signal) {
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: "environment", width: { ideal: 1920 }, height: { ideal: 1080 } },
  });
  try {
    video.srcObject = stream;
    await video.play();
    const barcodes = await detector();
    while (!signal.aborted) {
      if (video.videoWidth) {
        const frame = drawn(video, video.videoWidth, video.videoHeight, 1280);
        const text = await codeIn(frame, barcodes, { timeLimit: 120 });
        if (text && !signal.aborted) return text;
      }
      await new Promise((next) => setTimeout(next, 80));
    }
    return null;
  } finally {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  }
}
