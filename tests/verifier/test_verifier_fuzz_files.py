"""Whatever file is fed to the verifier, it holds a certificate's text or is malformed."""

from random import Random

from papers import signed_vectors, text
from test_verifier_files import code, pdf, saved
from test_verifier_fuzz import TIMES, disturbed

from verifier import files
from verifier.verdict import Unverified


def test_changed_files_raise_nothing_else():
    random = Random(20261126)
    drawn = [
        saved(code()),
        saved(code(), "JPEG"),
        saved(code(mode="P")),
        pdf(**{"qr.txt": signed_vectors()[0]["url"].encode()}),
    ]
    held = {signed_vectors()[0]["url"], text()}
    for turn in range(TIMES // 250):
        kind = random.choice(drawn[:3])
        read = files.look
        if turn % 40 == 0:
            kind, read = drawn[3], files.find  # what draws PDFs is kept out of this process, as it is in use
        try:
            assert read(disturbed(kind, random, drawn)).text in held
        except Unverified as refused:
            assert refused.verdict == "malformed"  # noqa: PT017 - thousands of times, most do raise


def test_changed_text_files_raise_nothing_else():
    random, words = (
        Random(20261127),
        [b"\xef\xbb\xbf" + vector["url"].encode() + b"\r\n" for vector in signed_vectors()],
    )
    for _ in range(TIMES // 20):
        changed = disturbed(random.choice(words), random, words)
        try:
            assert files.find(changed).text.isascii()
        except Unverified as refused:
            assert refused.verdict == "malformed"  # noqa: PT017 - as above
