"""What the registry serves of all this: its own check, and its DID documents."""

import json
from datetime import UTC, datetime

import pytest
from papers import CERTIFICATE, HOST, ISSUING, NOW, event, keys_json, listed, log_proof, preimage, public, spelled, text
from test_verifier_files import pdf

from registry.api.check import Checker
from registry.certificates.documents import KnownKeys
from verifier.keys import multikey, read_did
from verifier.verdict import LANGUAGES, PROOF_REFUSED, VERDICTS


@pytest.fixture
def checker(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "keys.json").write_bytes(spelled(keys_json()))
    (tmp_path / "s" / "1").write_bytes(listed())
    return Checker(tmp_path)


def test_a_refused_log_proof_has_words_of_its_own(checker):
    def asked(proof):
        return checker.check(pdf(**{"qr.txt": text().encode(), "proof.tlog-proof": proof.encode()}), NOW)

    own, another = asked(log_proof()), asked(log_proof(preimage(event(cti="f" * 32))))

    assert (own["verdict"], own["log_position"]) == ("valid", CERTIFICATE.log_index + 1)
    assert (another["verdict"], another["sentences"]) == (
        "tampered",
        {lang: words.sentence for lang, words in PROOF_REFUSED.items()},
    )


def test_a_forgery_has_the_words_of_its_verdict(checker):
    refused = checker.check(text()[:-17].encode() + b"0" * 17, NOW)

    assert refused["sentences"] == {lang: VERDICTS["tampered"].words(lang).sentence for lang in LANGUAGES}


@pytest.mark.parametrize("demo", [True, False])
def test_did_documents_of_a_demo_say_so(demo):
    known = KnownKeys()
    published = {
        "kid": "0" * 16,
        "use": "certificate",
        "public": multikey(public(ISSUING)),
        "controller": f"did:web:{HOST}",
        "from": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
        "specimen": demo,
    }
    known.advance([(1, f"key/{published['kid']}", "key.published", json.dumps(published).encode())])

    (key,) = read_did(known.did("certificate", HOST))
    assert key.specimen is demo
