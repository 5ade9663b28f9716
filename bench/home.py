"""A home for one measurement, with an embedded server of its own; gone afterwards."""

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from registry import database
from registry.settings import Settings


@contextmanager
def at_home(**settings: Any) -> Iterator[Settings]:
    with tempfile.TemporaryDirectory(prefix="registry-bench-") as folder:
        Path(folder).chmod(0o755)
        home = Settings(home=Path(folder), **settings)
        try:
            yield home
        finally:
            database.stop(home)


def tell(found: Mapping[str, Any], asked: argparse.Namespace) -> None:
    print(json.dumps(found) if asked.json else "\n".join(f"{name}: {value}" for name, value in found.items()))
