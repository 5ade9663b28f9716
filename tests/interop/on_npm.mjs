// What verifiers on npm make of our files: Digital Bazaar's, DCC's verifier-core, jose. Nothing of ours runs here.
//
// Reads {"plane": folder, "contexts": {url: path}, "schemas": {url: path}, "questions": [[who, file]]}, and writes one
// list: {"accepts", "why"} for each. `accepts` is what a caller concludes who reads all of the library's answer.
// There is no network: every address is a file of the plane, whose host is that of its did document.

import {readFileSync} from 'node:fs';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {createVerifyCryptosuite as jcs} from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import {cryptosuite as rdfc} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {verifyCredential} from '@digitalbazaar/vc';
import {checkStatus} from '@digitalbazaar/vc-bitstring-status-list';
import {createLocalJWKSet, jwtVerify} from 'jose';

const asked = JSON.parse(readFileSync(0, 'utf8'));
const did = JSON.parse(readFileSync(`${asked.plane}/.well-known/did.json`, 'utf8'));
const home = `https://${did.id.split(':')[2]}/`;
const read = path => JSON.parse(readFileSync(path, 'utf8'));

function fetched(url) {
  const known = asked.contexts[url] ?? asked.schemas[url];
  if(known) {
    return read(known);
  }
  if(!url.startsWith(home)) {
    throw new Error(`NotFoundError: ${url} is not on the plane`);
  }
  try {
    return read(`${asked.plane}/${url.slice(home.length)}`);
  } catch {
    throw new Error(`NotFoundError: ${url} is not on the plane`);
  }
}

async function documentLoader(url) {
  let document;
  if(url.startsWith('did:')) {
    document = url === did.id ? did : did.verificationMethod.find(one => one.id === url);
    if(!document) {
      throw new Error(`unknown key ${url}`);
    }
    // A key by itself needs the context that the document gives it.
    document = {'@context': 'https://w3id.org/security/multikey/v1', ...document};
  } else {
    document = fetched(url);
  }
  return {contextUrl: null, documentUrl: url, document};
}

const suites = {rdfc: new DataIntegrityProof({cryptosuite: rdfc}), jcs: new DataIntegrityProof({cryptosuite: jcs()})};

function digitalBazaar(...names) {
  const suite = names.map(name => suites[name]);
  return async file => {
    const options = {credential: read(file), suite, documentLoader, checkStatus};
    const found = await verifyCredential({...options, verifyMatchingIssuers: true});
    const errors = [found.error, found.statusResult?.error].flatMap(deep);
    const failed = found.results.filter(one => !one.verified).flatMap(one => deep(one.error));
    // `verified` is true for a revoked credential, and where one of two proofs is good.
    const revoked = (found.statusResult?.results ?? []).some(one => one.status);
    const why = [...errors, ...failed, ...(revoked ? ['revoked'] : [])];
    return {accepts: found.verified && !revoked, why: [...new Set(why)].join('; ')};
  };
}

function deep(error) {
  return error ? [error.message, ...[error.errors, error.cause].flat().flatMap(deep)] : [];
}

async function verifierCore() {
  // Whatever it asks of the network, its own schemas and registries included, is answered from here.
  globalThis.fetch = async request => {
    const url = String(request.url ?? request);
    try {
      return new Response(JSON.stringify(fetched(url)), {headers: {'content-type': 'application/json'}});
    } catch(error) {
      return new Response(error.message, {status: 404});
    }
  };
  const core = await import('@digitalcredentials/verifier-core');
  return async file => {
    const found = await core.verifyCredential({credential: read(file), knownDIDRegistries: []});
    const errors = (found.errors ?? []).map(one => one.name);
    const steps = (found.log ?? []).filter(one => one.id !== 'registered_issuer');  // we are in no registry of theirs
    const failed = steps.filter(one => one.valid !== true).map(one => one.error?.name ?? one.id);
    const schemas = (found.additionalInformation ?? []).flatMap(one => one.results);
    const invalid = schemas.filter(one => one.result?.valid !== true).map(() => 'schema_check');
    const why = [...errors, ...failed, ...invalid];
    return {accepts: why.length === 0 && steps.length > 0, why: why.join('; ')};
  };
}

function jose() {
  const asserted = did.verificationMethod.filter(one => one.publicKeyJwk && did.assertionMethod.includes(one.id));
  const keys = createLocalJWKSet({keys: asserted.map(one => ({...one.publicKeyJwk, kid: one.id, alg: 'ES256'}))});
  return async file => {
    const text = readFileSync(file, 'utf8').trim();
    await jwtVerify(text, keys, {algorithms: ['ES256'], issuer: did.id, requiredClaims: ['exp', 'jti', 'nbf', 'sub']});
    return {accepts: true, why: ''};
  };
}

const makers = {
  'digitalbazaar': () => digitalBazaar('rdfc', 'jcs'),
  'digitalbazaar-rdfc': () => digitalBazaar('rdfc'),
  'digitalbazaar-jcs': () => digitalBazaar('jcs'),
  'verifier-core': verifierCore,
  jose,
};
const answers = [];
const ready = {};
for(const [who, file] of asked.questions) {
  try {
    ready[who] ??= await makers[who]();
    answers.push(await ready[who](file));
  } catch(error) {
    answers.push({accepts: false, why: deep(error).join('; ')});
  }
}
process.stdout.write(JSON.stringify(answers));
