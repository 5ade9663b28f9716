"""The code: what was promised in the vectors, byte for byte, and readable by other people's readers."""

import json
import unicodedata
from io import BytesIO
from pathlib import Path

import pytest
import zxingcpp
from certificate_facts import HOST, NUMBER, SLOT_KEY, Story, cti, seeded
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from registry.certificates import qr
from registry.certificates.keys import KeysUnusable
from registry.certificates.qr import Unprintable, printed
from registry.certificates.slots import slot
from registry.settings import LONGEST_HOST, BadSetting, Settings
from verifier.certificate import read_claims, unseal
from verifier.keys import KeyRing
from verifier.verification import verify

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "qr_v1.json").read_text())
BY_NAME = {vector["name"]: vector for vector in VECTORS["vectors"]}


@pytest.fixture(params=BY_NAME)
def vector(request):
    return BY_NAME[request.param]


def test_signed_again_it_is_the_same_text(vector):
    signer = seeded(vector["seed_label"], host=VECTORS["host"])

    text = qr.sealed(read_claims(bytes.fromhex(vector["payload_hex"])), signer, VECTORS["host"])

    assert text == vector["url"]


def test_the_symbol_has_the_promised_size(vector):
    code = qr.symbol(vector["url"])

    assert f"{code.version}-{code.error}" == vector["qr"]
    assert len(code.matrix) == vector["modules"]


def test_a_reader_of_others_reads_the_picture(vector):
    picture = qr.png(qr.symbol(vector["url"]))

    (found,) = zxingcpp.read_barcodes(Image.open(BytesIO(picture)))
    assert found.text == vector["url"]


def test_and_so_does_another(vector, tmp_path, zbar):
    (tmp_path / "qr.png").write_bytes(qr.png(qr.symbol(vector["url"])))

    assert zbar(tmp_path / "qr.png") == vector["url"]


def text_of(issued, position=17, name="Marisol Fernández-Okafor", signer=None, **hosts):
    hosts = {"host": HOST, "qr_host": HOST} | hosts
    return qr.text(issued, position, name, signer or seeded("k"), slot_key=SLOT_KEY, **hosts)


def test_the_code_says_what_the_event_its_position_and_the_name_say():
    issued = Story().issued(2, replaces=1, category="IFS+ERS")

    found = unseal(text_of(issued)).certificate

    place = slot(16, SLOT_KEY)
    assert found.issuer == "did:web:registry.example"
    assert found.number == NUMBER
    assert found.name == "Marisol Fernández-Okafor"
    assert (found.category, found.association) == ("IFS+ERS", "VA")
    assert (found.valid_from, found.expires_at) == (1780315200, 1861937999)
    assert (found.cti.hex(), found.replaces.hex()) == (cti(2), cti(1))
    assert (found.log_index, found.status_index) == (16, place.place)
    assert found.status_uri == f"https://registry.example/s/{place.list}"


def test_the_verifier_believes_it(at_noon):
    from registry.certificates.keys import trusted

    signer = seeded("k")
    verified = verify(text_of(Story().issued()), KeyRing([trusted(signer, "certificate")]), at=at_noon)

    assert verified.verdict == "status_unknown"


@pytest.fixture
def at_noon():
    from certificate_facts import NOON

    return NOON


def test_the_host_of_the_code_may_be_another_than_the_issuers():
    text = text_of(Story().issued(), qr_host="localhost:8000")

    assert text.startswith("https://localhost:8000/v1#")
    assert unseal(text).certificate.issuer == "did:web:registry.example"


LONGEST = f"{'a' * 47}.example"


@pytest.mark.parametrize("name", ["REGISTRY_PUBLIC_HOST", "REGISTRY_QR_HOST"])
def test_a_host_is_as_long_as_any_code_has_room_for(name):
    assert len(LONGEST) == LONGEST_HOST
    text = text_of(
        Story().issued(2, replaces=1, number="ECMHM-RF-7K3MQ9TD", category="ECMHM-RF+EERS", association="ALLIANCE"),
        position=1 << 40,
        name="é" * 60,
        signer=seeded("k", host=LONGEST),
        host=LONGEST,
        qr_host=f"{LONGEST}:65535",
    )
    assert unseal(text).certificate.issuer == f"did:web:{LONGEST}"
    assert qr.symbol(text)

    assert Settings.from_environment({name: LONGEST})
    with pytest.raises(BadSetting, match=f"^{name}: longer than the 55 characters"):
        Settings.from_environment({name: f"a{LONGEST}"})


def test_the_same_facts_give_the_same_text():
    assert text_of(Story().issued()) == text_of(Story().issued())


def test_a_key_of_another_host_signs_nothing():
    with pytest.raises(KeysUnusable):
        text_of(Story().issued(), signer=seeded("k", host="other.example"))


def test_a_signer_that_signs_wrongly_is_found_before_anything_leaves():
    from verifier.verdict import Unverified

    class Faulty(type(seeded("k"))):
        def sign(self, message, /):
            return super().sign(message[:-1])

    good = seeded("k")
    with pytest.raises(Unverified):
        text_of(Story().issued(), signer=Faulty(good._private, "certificate", good.controller))


# --- the printed name ---


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("  Jordan   A. Rivera ", "Jordan A. Rivera"),
        ("Zoe\u0308 Novák", "Zoë Novák"),
        ("李 雪", "李 雪"),
        ("#panic(1) $x$ *b* \\ `a`", "#panic(1) $x$ *b* \\ `a`"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("x" * 120, "x" * 120),
        ("x" * 121, "x" * 117 + "…"),
        # 3 bytes each and no blank: cut between letters.
        ("あ" * 50, "あ" * 39 + "…"),
        # A letter never loses its marks.
        ("x" + "q\u0331" * 60, "x" + "q\u0331" * 38 + "…"),
        ("Anna " * 40, "Anna " * 22 + "Anna…"),
    ],
)
def test_the_name_is_said_as_it_is_or_openly_cut(given, said):
    assert printed(given) == said


@pytest.mark.parametrize("name", ["", "   ", "a\u202eb", "a\x00b", "a\u2066b", "\ue000", "n" + "\u0331" * 80])
def test_what_is_no_name_is_refused_without_repeating_it(name):
    with pytest.raises(Unprintable) as refused:
        printed(name)
    assert not name.strip() or name not in str(refused.value)


@given(st.text(max_size=150))
def test_whatever_is_printed_fits_the_format(name):
    try:
        words = printed(name)
    except Unprintable:
        return
    assert 1 <= len(words.encode()) <= 120
    assert unicodedata.is_normalized("NFC", words)
    assert words.endswith("…") or words == unicodedata.normalize("NFC", " ".join(name.split()))
