"""A history in a database of its own, and a publisher of it."""

import pytest
from histories import ORIGIN, History, LogKey

from registry.log.publish import Publisher


@pytest.fixture
def key():
    return LogKey()


@pytest.fixture
def static(settings):
    return settings.static


@pytest.fixture
def publisher(static, key):
    return Publisher(static, ORIGIN, key)


@pytest.fixture
def events(connect):
    return History(connect())
