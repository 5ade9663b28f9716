"""Every event has one place in one list, no two the same, and the place tells nothing."""

import json
from itertools import pairwise
from pathlib import Path

from certificate_facts import SLOT_KEY
from hypothesis import given
from hypothesis import strategies as st

from registry.certificates.slots import SLOTS, shuffle, slot

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "slots.json").read_text())


def test_the_slots_of_the_vectors_never_change():
    key = bytes.fromhex(VECTORS["key"])

    assert [[leaf, *slot(leaf, key)] for leaf, _, _ in VECTORS["slots"]] == VECTORS["slots"]


def test_a_list_is_a_permutation_of_all_its_places():
    assert sorted(shuffle(rest, 1, SLOT_KEY) for rest in range(SLOTS)) == list(range(SLOTS))


@given(st.integers(1, 2**32), st.binary(min_size=32, max_size=32), st.integers(0, SLOTS - 1), st.integers(0, SLOTS - 1))
def test_no_two_events_share_a_place_under_any_key(number, key, one, other):
    assert (shuffle(one, number, key) == shuffle(other, number, key)) == (one == other)


@given(st.integers(0, 2**40))
def test_every_131072_events_begin_a_list(leaf):
    place = slot(leaf, SLOT_KEY)

    assert place.list == leaf // 131_072 + 1
    assert 0 <= place.place < 131_072


def test_neighbours_in_the_log_are_strangers_in_the_list():
    places = [slot(leaf, SLOT_KEY).place for leaf in range(1000)]

    assert sum(abs(a - b) < 500 for a, b in pairwise(places)) < 30


def test_what_one_list_gives_away_does_not_help_with_the_next():
    assert [shuffle(n, 1, SLOT_KEY) for n in range(100)] != [shuffle(n, 2, SLOT_KEY) for n in range(100)]
