// The QR decoder of others, packed beside the page's script: see picture.js.

import decodeQR from "qr/decode.js";

globalThis.decodeQR = decodeQR;
