"""Every flag of the command `verify` for every form a certificate comes in."""

import io
import json

import pytest
from papers import (
    CERTIFICATE,
    HOST,
    ISSUER,
    LISTING,
    NOW,
    SIGNING,
    badge,
    badge_jwt,
    bits,
    bits_jwt,
    did,
    document,
    event,
    jwk,
    keys_json,
    laid_out,
    listed,
    log_proof,
    p256_row,
    preimage,
    ring,
    spelled,
    text,
    urn,
)
from test_verifier_files import BLANK, baked, code, element, pdf, saved, svg

from registry.api.check import Checker
from verifier import files
from verifier.__main__ import main
from verifier.verdict import VERDICTS

AT = "2026-11-22T12:00:00Z"
HERE = CERTIFICATE.status_index
AGAIN = document() | {"id": urn(bytes(range(16, 32)))}
"""The badge that was issued again for the same paper."""


def forms(**attached):
    return {
        "qr.txt": text().encode(),
        "qr.png": saved(code()),
        "photo.jpg": saved(code().rotate(5, expand=True, fillcolor="white"), "JPEG"),
        "certificate.pdf": pdf(**{"qr.txt": text().encode(), "credential.json": badge()} | attached),
        "printed.pdf": pdf(code()),
        "badge.png": baked(badge()),
        "cut-out.png": baked(badge_jwt(), image=BLANK),
        "badge.svg": svg(element(badge())),
        "qr.svg": svg(f"<metadata>{text()}</metadata>"),
        "credential.json": badge(),
        "credential.jwt": badge_jwt(),
    }


FORMS = forms()


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch):
    monkeypatch.setattr(files, "_find_apart", files.look)  # these files are our own, and there are many


@pytest.fixture
def static(tmp_path):
    document = did()
    document["verificationMethod"].append(
        {"id": p256_row(SIGNING)["id"], "type": "JsonWebKey", "controller": ISSUER} | jwk(SIGNING)
    )
    document["assertionMethod"].append(p256_row(SIGNING)["id"])
    files = {
        "keys.json": spelled(keys_json()),
        "did.json": spelled(document),
        "status.json": spelled(did(LISTING, f"{ISSUER}:status")),
        "s/1": listed(),
        "status/revocation/1": bits(),
        "proof": log_proof().encode(),
    }
    return laid_out(tmp_path / "static", files)


@pytest.fixture
def papers(tmp_path):
    for name, content in FORMS.items():
        (tmp_path / f"{name}.bin").write_bytes(content)  # a name tells nothing
    return [str(tmp_path / f"{name}.bin") for name in FORMS]


@pytest.fixture
def said(capsys):
    def run(*words, at=AT):
        exit_code = main([*map(str, words), "--at", at, "--json"])
        report = json.loads(capsys.readouterr().out)
        assert report["exit"] == exit_code
        return [one["verdict"] for one in report.get("results", [report])]

    return run


class TestFlags:
    def test_static(self, said, static, papers):
        assert said(*papers, "--static", static) == ["valid"] * len(papers)
        (static / "s/1").write_bytes(listed({HERE: 2}))
        assert said(*papers, "--static", static) == ["suspended"] * len(papers)
        (static / "s/1").write_bytes(listed({HERE: 1}))
        (static / "status/revocation/1").write_bytes(bits({HERE}))
        assert said(*papers, "--static", static) == ["revoked"] * len(papers)

    def test_did_and_status(self, said, static, papers):
        words = ["--did", static / "did.json", "--did", static / "status.json"]
        lists = ["--status", static / "s/1", "--status", static / "status/revocation/1"]

        assert said(*papers, *words) == ["status_unknown"] * len(papers)
        assert said(*papers, *words, *lists) == ["valid"] * len(papers)
        (static / "status/revocation/1").write_bytes(bits_jwt({HERE}))
        known = said(*papers, *words, *lists)
        assert dict(zip(FORMS, known, strict=True)) == {
            name: "valid" if name in {"qr.txt", "qr.png", "qr.svg", "photo.jpg", "printed.pdf"} else "superseded"
            for name in FORMS
        }

    def test_host(self, said, static, papers):
        assert said(*papers, "--static", static, "--host", HOST) == ["valid"] * len(papers)
        assert said(*papers, "--static", static, "--host", "other.example") == ["wrong_domain"] * len(papers)

    def test_at(self, said, static, papers):
        assert said(*papers, "--static", static, at="2028-01-01T00:00:00Z") == ["expired"] * len(papers)
        assert said(*papers, "--static", static, at="2026-01-01T00:00:00Z") == ["not_yet_valid"] * len(papers)

    def test_proof(self, said, static, papers, tmp_path):
        for name in papers:
            assert said(name, "--static", static, "--proof", static / "proof") == ["valid"]
        other = tmp_path / "other"
        other.write_text(log_proof(preimage(event(cti="f" * 32))))
        for name in papers:
            assert said(name, "--static", static, "--proof", other) == ["tampered"]

    def test_lang_and_words_for_people(self, static, papers, capsys):
        for lang in ("en", "es"):
            main([*papers, "--static", str(static), "--at", AT, "--lang", lang])
            assert capsys.readouterr().out.count(VERDICTS["valid"].words(lang).what) == len(papers)

    def test_standard_input(self, said, static, monkeypatch):
        for content in FORMS.values():
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
            assert said("-", "--static", static) == ["valid"]

    def test_the_text_itself(self, said, static):
        for given in (text(), badge_jwt().decode(), badge().decode()):
            assert said("--text", given, "--static", static) == ["valid"]

    def test_what_is_said_of_a_badge(self, static, papers, capsys):
        main([papers[-2], "--static", str(static), "--at", AT, "--json"])
        report = json.loads(capsys.readouterr().out)

        assert (report["kind"], report["as_of"], report["log_position"]) == ("badge", "2026-11-22T06:00:00Z", None)
        assert report["certificate"] == {
            "name": CERTIFICATE.name,
            "number": CERTIFICATE.number,
            "category": "IFS+ERS",
            "association": "VA",
            "valid_from": "2026-11-02T03:14:15Z",
            "expires_at": "2027-12-31T23:59:59Z",
            "issuer": ISSUER,
            "badge": CERTIFICATE.cti.hex(),
            "status": {"uri": f"https://{HOST}/status/revocation/1", "index": HERE},
        }

    def test_the_server_says_the_same(self, static):
        checker = Checker(static)
        for content in FORMS.values():
            assert checker.check(content, NOW)["verdict"] == "valid"
        (static / "s/1").write_bytes(listed({HERE: 3}))
        for content in FORMS.values():
            assert checker.check(content, NOW)["verdict"] == "superseded"


class TestCodeAndBadgeTogether:
    """Where a file has both, both must be good, and of one certificate."""

    @pytest.fixture
    def both(self, said, static, tmp_path):
        def check(badge, words=None):
            held = {
                "x.png": baked(badge, image=code(words)),
                "x.pdf": pdf(**{"qr.txt": (words or text()).encode(), "credential.json": badge}),
            }
            for name, content in held.items():
                (tmp_path / name).write_bytes(content)
            found = said(*(tmp_path / name for name in held), "--static", static)
            assert len(set(found)) == 1
            return found[0]

        return check

    @pytest.mark.parametrize(
        "changes",
        [
            {"name": "Another"},
            {"cti": bytes(16)},
            {"number": "IFS-2026-000513"},
            {"category": "IFS"},
            {"association": "CT"},
        ],
    )
    def test_of_two_certificates_are_malformed(self, both, changes):
        assert both(badge(document(CERTIFICATE._replace(**changes)))) == "malformed"
        assert both(badge_jwt(document(CERTIFICATE._replace(**changes)))) == "malformed"

    def test_one_that_is_not_authentic_refuses_both(self, both):
        assert both(badge().replace(b"It is told", b"It is tols")) == "tampered"
        assert both(badge(), text()[:-17] + "0" * 17) == "tampered"
        assert both(b"{}") == "malformed"

    def test_a_badge_issued_again_is_of_the_same_certificate(self, both):
        assert both(badge(AGAIN)) == "valid"

    def test_what_either_is_found_to_be_counts(self, both, static):
        (static / "status/revocation/1").write_bytes(bits({HERE}))
        assert both(badge()) == "superseded"  # the paper is good again, this badge is not

        (static / "status/revocation/1").unlink()
        assert both(badge()) == "valid"  # the list of the code speaks for the certificate

        (static / "s/1").unlink()
        assert both(badge()) == "status_unknown"

    def test_the_proof_is_that_of_the_code(self, said, static, tmp_path):
        attached = {"qr.txt": text().encode(), "proof.tlog-proof": log_proof().encode()}
        for one in (badge(), badge(AGAIN)):
            (tmp_path / "x.pdf").write_bytes(pdf(**attached, **{"credential.json": one}))
            assert said(tmp_path / "x.pdf", "--static", static) == ["valid"]


def test_the_ring_of_these_tests_has_the_key_of_jwts():
    assert any(key.use == "jwt" for key in ring())
