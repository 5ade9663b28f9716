"""Under any deeds of anybody in any order nothing is lost or half done, and every view is what a replay gives."""

import pytest
from model import TURNS
from runs import DEEP, run

from domain.association import ROWS
from registry.api.deeds import DEEDS


@pytest.mark.timeout(600 * max(DEEP, 1))
def test_nothing_is_lost_and_a_replay_gives_what_is_there(server, tmp_path):
    done, refused = run(server, tmp_path, 1, DEEDS[::2])

    assert {deed.name for deed in DEEDS[::2] if not done[deed.name]} == set()
    assert done.total() > refused.total()


def test_every_deed_has_its_row_in_the_model():
    assert {deed.name for deed in DEEDS} == set(TURNS)


def test_the_associations_of_the_machine_are_some_of_ours():
    assert set(ROWS) >= {"VA", "CT", "TX", "IE", "ALLIANCE"}
