// How many badges a second Digital Bazaar's `vc` signs: with eddsa-jcs-2022, and with eddsa-rdfc-2022.
//
// Its one argument is {"credential", "contexts": {url: path}, "seconds"}; it writes {"jcs", "rdfc"}. No network is used.

import {readFileSync} from 'node:fs';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {createSignCryptosuite as jcs} from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import {cryptosuite as rdfc} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {issue} from '@digitalbazaar/vc';

const asked = JSON.parse(process.argv[2]);
const contexts = new Map(Object.entries(asked.contexts).map(([url, path]) => [url, JSON.parse(readFileSync(path))]));

async function documentLoader(url) {
  if(!contexts.has(url)) {
    throw new Error(`${url} is not at hand`);
  }
  return {contextUrl: null, documentUrl: url, document: contexts.get(url)};
}

async function rate(sign, seconds) {
  const begun = performance.now();
  let done = 0;
  while(performance.now() - begun < 1000 * seconds) {
    await sign();
    done++;
  }
  return done / (performance.now() - begun) * 1000;
}

const controller = asked.credential.issuer.id;
const key = await Ed25519Multikey.generate({controller});
const found = {};
for(const [name, cryptosuite] of Object.entries({jcs: jcs(), rdfc})) {
  // As its manual shows; the suite may be kept, the credential is another one each time.
  const suite = new DataIntegrityProof({signer: key.signer(), cryptosuite, date: asked.credential.validFrom});
  const sign = () => issue({credential: structuredClone(asked.credential), suite, documentLoader});
  const signed = await sign();
  if(signed.proof.cryptosuite !== `eddsa-${name}-2022`) {
    throw new Error('it signed otherwise');
  }
  await rate(sign, asked.seconds);
  found[name] = await rate(sign, asked.seconds);
}
console.log(JSON.stringify(found));
