"""Puts a Registry together from its settings: store, vault, keys, clock and randomness."""

import os

from registry.certificates.keys import KeyFolder
from registry.commands import Clock, Draw, Registry
from registry.settings import Settings
from registry.store import Store
from registry.vault import Vault, now, read_master_key


def open_keys(settings: Settings) -> KeyFolder:
    """The signing keys of `HOME/keys`. Raises BadSetting without a master key."""
    return KeyFolder(settings.keys, read_master_key(settings))


def open_registry(settings: Settings, *, clock: Clock = now, draw: Draw = os.urandom) -> Registry:
    """A Registry on the writer's role. Connects when it is first used. Raises BadSetting without a master key."""
    keys = open_keys(settings)
    vault = Vault(settings, random=draw, clock=clock)
    store = Store(settings, vault, random=draw, clock=clock)
    return Registry(store, clock=clock, draw=draw, kid=lambda: keys.signer("certificate", clock()).kid)
