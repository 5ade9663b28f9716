"""The other half of the runs of `test_laws_machine.py`: a file of its own, so that they run side by side."""

import pytest
from runs import DEEP, run

from registry.api.deeds import DEEDS


@pytest.mark.timeout(600 * max(DEEP, 1))
def test_nothing_is_lost_in_other_runs_either(server, tmp_path):
    done, refused = run(server, tmp_path, 2, DEEDS[1::2])

    assert {deed.name for deed in DEEDS[1::2] if not done[deed.name]} == set()
    assert done.total() > refused.total()
