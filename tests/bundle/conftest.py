"""The fixtures of bundles."""

from moved import lived, pins, registry, sample, static, taken

__all__ = ["lived", "pins", "registry", "sample", "static", "taken"]
