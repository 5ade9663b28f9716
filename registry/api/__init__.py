"""The JSON API and the application that serves it with the pages."""

from registry.api.app import create_app

__all__ = ["create_app"]
