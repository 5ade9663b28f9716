"""Whatever is changed in a valid file, nothing is believed that was not signed, and nothing is raised but our error.

`make test` makes 10^5 changed inputs with those of `tests/verifier/test_verifier_fuzz.py`, the same each time;
`make test-deep` 10^6 new ones.
"""

import os
from collections import Counter
from random import Random
from resource import RUSAGE_SELF, getrusage

import pytest
from mutations import FORMS

TIMES = int(os.environ.get("CORPUS_FUZZ", "20000"))
SEED = int(os.environ.get("CORPUS_FUZZ_SEED", "20261122"))
MOST_MEMORY = 200 << 20


@pytest.mark.parametrize("form", FORMS)
def test_changed_files_are_never_believed(form):
    change, read, share = FORMS[form]
    before = getrusage(RUSAGE_SELF).ru_maxrss
    found = Counter()
    for run in range(TIMES * share // 1000):
        seed = f"{form} {SEED} {run}"
        content = change(Random(seed))
        try:
            found[read(content)] += 1
        except Exception as unforeseen:
            raise AssertionError(f"Random({seed!r}): {unforeseen!r}, of {content!r:.3000}") from unforeseen
    assert (getrusage(RUSAGE_SELF).ru_maxrss - before) << 10 < MOST_MEMORY
    assert len(found) > 1, found  # not all of one kind: then nothing would be tried
