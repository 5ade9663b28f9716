"""Lets the tests here import `facts`, and gives them the proxy."""

import sys
from pathlib import Path

from proxy import proxy

sys.path.insert(0, str(Path(__file__).parent))

__all__ = ["proxy"]
