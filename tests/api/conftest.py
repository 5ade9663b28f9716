"""The fixtures of both faces."""

from faces import address, client, desk, life, registry, views

__all__ = ["address", "client", "desk", "life", "registry", "views"]
