"""A registry with keys in its log, and its static plane."""

import pytest
from certificate_facts import DAY, HOST, NOON

from registry.certificates.keys import KeyFolder, announce
from registry.certificates.plane import Plane
from registry.certificates.reissue import Signatures
from registry.certificates.succession import Succession

MASTER = bytes(range(32))


@pytest.fixture
def keys(settings, store, randomness):
    folder = KeyFolder(settings.keys, MASTER)
    folder.init(HOST, NOON, specimen=True, random=randomness)
    announce(store, folder, on=DAY, by="operator")
    return folder


@pytest.fixture
def new_plane(settings, keys):
    def make(**options):
        return Plane(settings.static, keys, host=HOST, qr_host=HOST, **options)

    return make


@pytest.fixture
def plane(new_plane):
    return new_plane()


@pytest.fixture
def static(settings):
    return settings.static


@pytest.fixture
def database_connection(connect):
    return connect("projector")


@pytest.fixture
def succession(store, keys, randomness):
    return Succession(store, keys, host=HOST, by="operator", random=randomness)


@pytest.fixture
def read(connect):
    """Who signs what, and the keys, as the log has them now."""

    def read():
        signatures = Signatures()
        signatures.advance(connect("reader"))
        return signatures

    return read
