"""Lists and notes: read whole, believed only when signed by the issuer's list key."""

import os
import zlib

import pytest
from papers import HOST, ISSUING, LIST, LISTED, LISTING, STRANGER, TRANSFERRED, at_hand, listed, noted, ring, token

from verifier import cbor, status
from verifier.verdict import Unverified

CLAIMS = cbor.decode(status.token_list({1: 1}, LIST, LISTED))


def unknown(act, *arguments):
    with pytest.raises(Unverified) as caught:
        act(*arguments)
    assert caught.value.verdict == "status_unknown"
    return caught.value.why


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_list_gives_back_what_was_put_in(bits):
    most = (1 << bits) - 1
    statuses = {0: most, 1: 1, 7: most, 8: 1, 131_071: most}

    read = status.read_list(listed(statuses, bits=bits), ring())

    assert {index: read[index] for index in range(131_072) if read[index]} == statuses
    assert (read.uri, read.issued_at, read.expires_at) == (LIST, LISTED, LISTED + 48 * 3600)


def test_packed_as_the_draft_packs():
    """The example of the Token Status List draft, section 4: 1 0 0 1 1 1 0 1, 1 1 0 0 0 1 0 1."""
    bits = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]

    assert status.pack(dict(enumerate(bits)), size=16, bits=1).hex() == "b9a3"
    assert status.pack(dict(enumerate([1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3])), size=12, bits=2).hex() == "c944f9"


@pytest.mark.parametrize("statuses", [{-1: 1}, {131_072: 1}, {0: 4}, {0: -1}])
def test_what_has_no_place_in_a_list(statuses):
    with pytest.raises(ValueError, match="no place"):
        status.pack(statuses)


def test_an_index_out_of_range_is_unknown():
    read = status.read_list(listed(), ring())

    for index in (131_072, 2**64 - 1):
        assert "no such entry" in unknown(read.__getitem__, index)


@pytest.mark.parametrize(
    "claims",
    [
        CLAIMS | {1: "iss"},
        {key: value for key, value in CLAIMS.items() if key != 4},
        [CLAIMS],
        CLAIMS | {2: b"uri"},
        CLAIMS | {4: "tomorrow"},
        CLAIMS | {6: -1},
        CLAIMS | {65533: []},
        CLAIMS | {65533: {"bits": 2}},
        CLAIMS | {65533: CLAIMS[65533] | {"bits": 3}},
        CLAIMS | {65533: CLAIMS[65533] | {"lst": "text"}},
        CLAIMS | {65533: CLAIMS[65533] | {"aggregation_uri": "https://x"}},
        CLAIMS | {65533: CLAIMS[65533] | {"lst": b"not zlib"}},
        CLAIMS | {65533: CLAIMS[65533] | {"lst": CLAIMS[65533]["lst"][:-1]}},
        CLAIMS | {65533: CLAIMS[65533] | {"lst": CLAIMS[65533]["lst"] + b"x"}},
        CLAIMS | {65533: CLAIMS[65533] | {"lst": b""}},
        CLAIMS | {65533: CLAIMS[65533] | {"lst": zlib.compress(bytes((1 << 17) + 1))}},
        CLAIMS | {65533: CLAIMS[65533] | {"lst": zlib.compress(bytes(50_000_000), 9)}},
    ],
)
def test_a_list_of_another_shape_is_unknown(claims):
    unknown(status.read_list, token(cbor.encode(claims)), ring())


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"\xd2",
        listed()[:-1],
        listed() + b"\x00",
        listed(by=STRANGER),
        listed(by=ISSUING),
        listed()[:-64] + bytes(64),
        noted({}),
        b"\xd2" + b"\x9f" * 1000,
        b"\xd2" * (1 << 18) + b"\xd2",
    ],
)
def test_a_list_that_cannot_be_believed_is_unknown(bad):
    unknown(status.read_list, bad, ring())
    assert not status.tokens([bad])(f"https://{HOST}/s/2")


def test_notes_give_back_what_was_put_in():
    read = status.read_notes(noted({7: TRANSFERRED, 131_071: TRANSFERRED}), ring())

    assert (read.get(7), read.get(131_071), read.get(8)) == (TRANSFERRED, TRANSFERRED, None)


@pytest.mark.parametrize("entry", [1, [], ["transferred"], ["transferred", "2026-11-20", "active", 1], {1: 2}])
def test_a_note_of_another_shape_is_none(entry):
    claims = cbor.decode(status.notes({}, f"{LIST}.notes", LISTED)) | {-65538: {7: entry}}

    assert status.read_notes(token(cbor.encode(claims), status.NOTES_TYP), ring()).get(7) is None


@pytest.mark.parametrize("entries", [1, [], "x"])
def test_notes_of_another_shape_are_unknown(entries):
    claims = cbor.decode(status.notes({}, f"{LIST}.notes", LISTED)) | {-65538: entries}

    unknown(status.read_notes, token(cbor.encode(claims), status.NOTES_TYP), ring())


class TestSources:
    def test_a_list_is_checked_once(self, monkeypatch):
        keys, statuses = ring(), at_hand(listed({1: 1}))
        first = statuses.list_at(LIST, keys)
        monkeypatch.setattr(status, "read_list", None)

        assert statuses.list_at(LIST, keys) is first

    def test_and_again_with_other_keys(self):
        statuses = at_hand(listed())
        statuses.list_at(LIST, ring())

        unknown(statuses.list_at, LIST, ring(list_key_withdrawn="2026-11-01"))

    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
    @pytest.mark.parametrize("apart", [True, False])
    def test_the_newest_that_can_be_believed_counts(self, order, apart):
        """An old list left in a folder, or one that nobody signed, does not hide the newer one."""
        lists = [listed({1: 1}), listed({1: 2}, iat=LISTED + 1), listed({1: 3}, iat=LISTED + 2, by=STRANGER)]
        lists = [lists[at] for at in order]
        sources = [status.tokens([one]) for one in lists] if apart else [status.tokens(lists)]

        assert status.Statuses(status.tokens([]), *sources).list_at(LIST, ring())[1] == 2

    def test_a_folder_is_read_again_when_it_changes(self, tmp_path):
        keys, statuses = ring(), status.Statuses(status.folder(tmp_path))
        unknown(statuses.list_at, LIST, keys)
        (tmp_path / "s").mkdir()
        path = tmp_path / "s" / "1"
        path.write_bytes(listed({1: 1}))
        (tmp_path / "s" / "1.notes").write_bytes(noted({1: TRANSFERRED}))
        first = statuses.list_at(LIST, keys)

        assert statuses.list_at(LIST, keys) is first
        assert statuses.notes_of(LIST, keys).get(1) == TRANSFERRED
        fresh = tmp_path / "fresh"
        fresh.write_bytes(listed({1: 2}, by=LISTING))
        os.utime(fresh, ns=(1, 1))
        fresh.replace(path)
        assert statuses.list_at(LIST, keys)[1] == 2
        path.write_bytes(listed(by=STRANGER))
        unknown(statuses.list_at, LIST, keys)

    @pytest.mark.parametrize(
        "uri",
        [
            f"https://{HOST}/s/../keys.json",
            f"https://{HOST}/s/0",
            f"https://{HOST}/s/1/notes",
            f"https://{HOST}/s/1.notes.notes",
            f"https://{HOST}/s/1?x",
            f"https://{HOST}/t/1",
            f"https://{HOST}/s/9999999999",
            "file:///s/1",
            "",
        ],
    )
    def test_a_folder_holds_nothing_else(self, tmp_path, uri):
        (tmp_path / "s").mkdir()
        (tmp_path / "s" / "1").write_bytes(listed())

        assert not status.folder(tmp_path)(uri)

    def test_a_file_larger_than_any_list_is_not_read(self, tmp_path):
        (tmp_path / "s").mkdir()
        with (tmp_path / "s" / "1").open("wb") as file:
            file.truncate((1 << 23) + 1)

        assert not status.folder(tmp_path)(LIST)
