"""What is not what we would have written is malformed."""

import unicodedata

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from papers import CERTIFICATE, HOST, ISSUING, of_payload, public, text

from verifier import cbor, cose
from verifier import certificate as qr
from verifier.verdict import Unverified

PAYLOAD = qr.claims(CERTIFICATE)
CLAIMS = cbor.decode(PAYLOAD)
DETAIL = CLAIMS[qr.DETAIL]
REFERENCE = CLAIMS[qr.STATUS]["status_list"]


def refused(words):
    with pytest.raises(Unverified) as caught:
        qr.unseal(words)
    assert caught.value.verdict == "malformed"
    return caught.value.why


def message(words=None):
    return qr.undigits((words or text()).partition("#")[2])


class TestTheText:
    def test_may_have_blanks_around_it(self):
        assert qr.unseal(f"\n {text()}\r\n").certificate == CERTIFICATE

    def test_keeps_a_port(self):
        assert qr.unseal(text(host="localhost:8443")).prefix == "https://localhost:8443/v1#"

    @pytest.mark.parametrize(
        "change",
        [
            lambda words: words.replace("https", "http"),
            lambda words: words.replace("https", "HTTPS"),
            lambda words: words.replace(HOST, HOST.upper()),
            lambda words: words.replace(HOST, f"{HOST}@evil.example"),
            lambda words: words.replace(HOST, "-evil.example"),
            lambda words: words.replace("/v1#", "/v2#"),
            lambda words: words.replace("/v1#", "/v1?x#"),
            lambda words: words.replace("#", "##"),
            lambda words: words.partition("#")[2],
            lambda words: words + words,
            lambda words: words + "0",
            lambda words: words[:-1],
            lambda words: words + "\x00",
            lambda words: words[:-1] + "٣",
            lambda words: words[:-1] + "²",
            lambda words: words[:-3] + "1_0",
            lambda words: words[:-3] + " 10",
            lambda words: words + "0" * 2000,
            lambda words: words.partition("#")[0] + "#" + "0" * 1247,
        ],
    )
    def test_that_is_spelled_otherwise(self, change):
        refused(change(text()))

    @given(st.binary(min_size=1, max_size=64))
    def test_bytes_are_digits_and_back(self, data):
        assert qr.undigits(qr.digits(data)) == data

    @given(st.text("0123456789", max_size=40))
    def test_digits_have_one_spelling(self, digits):
        try:
            data = qr.undigits(digits)
        except Unverified:
            return
        assert qr.digits(data) == digits

    @pytest.mark.parametrize("digits", ["9" * 17, "256", "65536", "x", "1", "12", "1234"])
    def test_digits_that_are_no_bytes(self, digits):
        with pytest.raises(Unverified):
            qr.undigits(digits)

    def test_the_longest_message_is_512_bytes(self):
        assert refused(f"{qr.prefix(HOST)}{qr.digits(b'x' * 513)}") == "longer than any certificate"
        assert refused(f"{qr.prefix(HOST)}{qr.digits(b'x' * 512)}") == "not a COSE_Sign1 message"


class TestTheEnvelope:
    def parts(self):
        return cbor.decode(message()[1:])

    def of(self, parts, tag=cose.TAG):
        return f"{qr.prefix(HOST)}{qr.digits(tag + cbor.encode(parts))}"

    @pytest.mark.parametrize(
        "change",
        [
            lambda parts: parts[:3],
            lambda parts: [*parts, b""],
            lambda parts: [cbor.decode(parts[0]), *parts[1:]],
            lambda parts: [parts[0], {1: 1}, *parts[2:]],
            lambda parts: [parts[0], [], *parts[2:]],
            lambda parts: [*parts[:2], cbor.decode(parts[2]), parts[3]],
            lambda parts: [*parts[:3], parts[3][:63]],
            lambda parts: [*parts[:3], parts[3] + b"\x00"],
            lambda parts: {1: parts},
        ],
    )
    def test_of_another_build(self, change):
        refused(self.of(change(self.parts())))

    @pytest.mark.parametrize("tag", [b"", b"\xd1", b"\xd8\x12", b"\xd2\xd2", b"\xd8\x3d\xd2"])
    def test_with_another_tag(self, tag):
        refused(self.of(self.parts(), tag))

    @pytest.mark.parametrize(
        "change",
        [
            {1: -7},
            {1: 8},
            {1: "EdDSA"},
            {1: [-8]},
            {4: b"1234567"},
            {4: "12345678"},
            {16: "application/statuslist+cwt"},
            {16: "iecmh+CWT"},
            {2: [1]},
            {5: b""},
        ],
    )
    def test_with_another_header(self, change):
        header = {1: -8, 4: cose.thumbprint(public(ISSUING)), 16: qr.TYP} | change

        refused(self.of([cbor.encode(header), *self.parts()[1:]]))

    def test_with_a_header_that_lacks_something(self):
        refused(self.of([cbor.encode({1: -8, 16: qr.TYP}), *self.parts()[1:]]))
        refused(self.of([b"", *self.parts()[1:]]))


class TestTheClaims:
    @pytest.mark.parametrize(
        "claims",
        [
            CLAIMS | {3: "aud"},
            CLAIMS | {6: 1},
            {key: value for key, value in CLAIMS.items() if key != qr.NBF},
            [CLAIMS],
            CLAIMS | {qr.ISS: b"did"},
            CLAIMS | {qr.SUB: ""},
            CLAIMS | {qr.SUB: "x" * 41},
            CLAIMS | {qr.EXP: -1},
            CLAIMS | {qr.EXP: "2027"},
            CLAIMS | {qr.NBF: b"\x00"},
            CLAIMS | {qr.CTI: bytes(15)},
            CLAIMS | {qr.CTI: "0" * 16},
            CLAIMS | {qr.STATUS: 1},
            CLAIMS | {qr.STATUS: {"status_list": REFERENCE, "more": 1}},
            CLAIMS | {qr.STATUS: {"status_list": REFERENCE | {"more": 1}}},
            CLAIMS | {qr.STATUS: {"status_list": REFERENCE | {"idx": -1}}},
            CLAIMS | {qr.STATUS: {"status_list": REFERENCE | {"uri": 1}}},
            CLAIMS | {qr.STATUS: {"other_list": REFERENCE}},
            CLAIMS | {qr.DETAIL: []},
            CLAIMS | {qr.DETAIL: DETAIL | {0: 2}},
            CLAIMS | {qr.DETAIL: DETAIL | {1: ""}},
            CLAIMS | {qr.DETAIL: DETAIL | {1: "é" * 61}},
            CLAIMS | {qr.DETAIL: DETAIL | {1: unicodedata.normalize("NFD", "Siobhán")}},
            CLAIMS | {qr.DETAIL: DETAIL | {2: 1}},
            CLAIMS | {qr.DETAIL: DETAIL | {4: -1}},
            CLAIMS | {qr.DETAIL: DETAIL | {5: bytes(17)}},
            CLAIMS | {qr.DETAIL: DETAIL | {6: 1}},
        ],
    )
    def test_of_another_shape(self, claims):
        refused(of_payload(cbor.encode(claims)))

    def test_a_name_may_have_120_bytes(self):
        assert qr.unseal(text(name="é" * 60)).certificate.name == "é" * 60

    def test_a_number_may_have_40_bytes(self):
        assert qr.unseal(text(number="x" * 40)).certificate.number == "x" * 40

    def test_the_largest_numbers_are_read(self):
        largest = CERTIFICATE._replace(expires_at=2**64 - 1, log_index=2**64 - 1, status_index=2**64 - 1)

        assert qr.unseal(text(largest)).certificate == largest

    def test_in_the_wrong_order(self):
        first, second = PAYLOAD[1:].split(b"\x02", 1)
        number = b"\x02" + second[: 1 + len(CERTIFICATE.number)]
        swapped = PAYLOAD[:1] + number + first + second[1 + len(CERTIFICATE.number) :]
        assert cbor2.loads(swapped) == CLAIMS

        assert "out of order" in refused(of_payload(swapped))

    def test_stated_twice(self):
        twice = b"\xa8" + PAYLOAD[1:2] + PAYLOAD[2:30] + PAYLOAD[1:]

        assert "out of order or twice" in refused(of_payload(twice))

    @pytest.mark.parametrize(
        "spelled",
        [
            PAYLOAD + b"\x00",
            PAYLOAD[:-1],
            b"\xbf" + PAYLOAD[1:] + b"\xff",
            PAYLOAD.replace(b"\x04\x02", b"\x04\x18\x02"),
            PAYLOAD.replace(b"\x00\x01", b"\x00\xf9\x3c\x00"),
            PAYLOAD.replace(b"bVA", b"c\xc0VA"),
            PAYLOAD.replace(b"bVA", b"b\xff\xfe"),
            PAYLOAD.replace(b"bVA", b"\xd8\x1dbVA"),
            PAYLOAD.replace(b"bVA", b"\x7fbVA\xff"),
            PAYLOAD.replace(b"bVA", b"\xf6"),
        ],
    )
    def test_in_another_spelling(self, spelled):
        assert spelled != PAYLOAD

        refused(of_payload(spelled))


WHOLE = st.integers(-(2**64), 2**64 - 1)
PLAIN = WHOLE | st.binary(max_size=40) | st.text(max_size=40)


def nested(depth):
    if depth == 0:
        return PLAIN
    inner = nested(depth - 1)
    return PLAIN | st.lists(inner, max_size=3) | st.dictionaries(PLAIN, inner, max_size=3)


VALUES = nested(4)


class TestCbor:
    @given(VALUES)
    def test_writes_what_another_library_reads(self, value):
        assert cbor2.loads(cbor.encode(value)) == value

    @given(VALUES)
    def test_reads_what_it_writes(self, value):
        assert cbor.decode(cbor.encode(value)) == value

    @given(st.binary(max_size=40))
    def test_what_it_reads_has_one_spelling(self, data):
        try:
            value = cbor.decode(data)
        except cbor.NotDeterministic:
            return
        assert cbor.encode(value) == data
        assert cbor2.loads(data) == value

    @pytest.mark.parametrize(
        "spelled",
        [
            "",  # nothing
            "1817",  # 23 in two bytes
            "1900ff",
            "1a0000ffff",
            "1b00000000ffffffff",
            "1c",
            "1f",
            "3801",
            "5f41ff",
            "61ff",
            "62c080",  # an overlong NUL
            "63eda080",  # half a surrogate pair
            "9bffffffffffffffff",
            "bbffffffffffffffff",
            "bb8000000000000000",
            "a2010101",
            "a201010101",
            "a1f600",
            "a18000",
            "c000",
            "d81c00",
            "e0",
            "f4",
            "f90000",
            "fb3ff0000000000000",
            "ff",
            "0000",
            "81" * 9 + "00",
        ],
    )
    def test_refuses(self, spelled):
        with pytest.raises(cbor.NotDeterministic):
            cbor.decode(bytes.fromhex(spelled))

    def test_depth_is_eight(self):
        assert cbor.encode(cbor.decode(bytes.fromhex("81" * 8 + "00"))) == bytes.fromhex("81" * 8 + "00")

    @pytest.mark.parametrize("value", [None, True, 1.5, {1}, {1: 1.5}, bytearray(1)])
    def test_has_no_place_for(self, value):
        with pytest.raises(TypeError):
            cbor.encode(value)

    def test_has_no_place_for_a_number_of_65_bits(self):
        with pytest.raises(OverflowError):
            cbor.encode(2**64)


def test_the_issuer_cannot_be_made_to_sign_what_it_would_not_read():
    words = text(name=unicodedata.normalize("NFD", "é"))

    assert "NFC" in refused(words)


def test_the_kid_is_the_thumbprint_of_the_cose_key():
    from hashlib import sha256

    spelled = cbor.encode({1: 1, -1: 6, -2: public(ISSUING)})

    assert cose.thumbprint(public(ISSUING)) == sha256(spelled).digest()[:8]


def test_an_error_says_verdict_and_why():
    assert str(Unverified("malformed", "not digits")) == "malformed: not digits"
