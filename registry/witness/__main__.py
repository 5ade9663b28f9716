"""A witness beside a demo: on a free port of this machine, for as long as whoever started it keeps its input open."""

import os
import signal
import sys
import threading
from pathlib import Path

from registry.witness.server import serve
from registry.witness.witness import Witness


def main() -> None:
    witness = Witness.open(Path(sys.argv[1]))
    threading.Thread(target=_end_with_the_input, daemon=True).start()
    serve(witness, host="127.0.0.1", port=0, started=_say)


def _say(address: str) -> None:
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()


def _end_with_the_input() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
