"""10^6 changed inputs, led by what they reach in the verifier (atheris), or without it by `test_corpus_fuzz.py`.

`python tests/corpus/deep.py [RUNS]` gives each form its share, in a process of its own; `deep.py RUNS FORM` runs one.
Each says every tenth of its way. A finding stops its form and is printed, the others go on, and the exit is 1; once
mended it becomes a file of the corpus.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random
from time import monotonic

RUNS = 1_000_000
MOST_MEMORY = 400  # MiB in all: 200 above what the libraries hold at the start


def fuzz(form: str, runs: int) -> None:
    import atheris

    with atheris.instrument_imports(include=["verifier"], enable_loader_override=False):
        import mutations
    change, read, share = mutations.FORMS[form]
    of = runs * share // 1000
    done, began = 0, monotonic()

    def told(content: bytes) -> None:
        nonlocal done
        done += 1
        if done % max(of // 10, 1) == 0:
            print(f"{form}: {done:,} of {of:,} runs, {monotonic() - began:.0f} s", flush=True)
        read(content)

    def changed(_: bytes, longest: int, seed: int) -> bytes:
        return change(Random(seed))[:longest]

    words = [
        f"-runs={of}",
        "-max_len=65536",
        f"-rss_limit_mb={MOST_MEMORY}",
        f"-artifact_prefix={Path(__file__).parents[2] / 'build'}/",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *words], told, custom_mutator=changed)
    atheris.Fuzz()


def main() -> int:
    runs = int(sys.argv[1]) if sys.argv[1:] else RUNS
    here = Path(__file__).parent
    if sys.argv[2:]:
        fuzz(sys.argv[2], runs)
        return 0
    try:
        import atheris  # noqa: F401 - only whether it is there
    except ImportError:
        words = ["-m", "pytest", "--timeout", "7200", "-r", "fEs", str(here / "test_corpus_fuzz.py")]
        settings = {"CORPUS_FUZZ": str(runs), "CORPUS_FUZZ_SEED": str(Random().randrange(1 << 32))}
        return subprocess.run([sys.executable, *words], env=os.environ | settings, check=False).returncode
    (here.parent.parent / "build").mkdir(exist_ok=True)
    forms = ("message", "json", "jwt", "lists", "svg", "png", "jpeg", "pdf")
    failed = [
        form for form in forms if subprocess.run([sys.executable, __file__, str(runs), form], check=False).returncode
    ]
    print(f"{runs} runs: " + (f"found something in {', '.join(failed)}" if failed else "nothing found"))
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
