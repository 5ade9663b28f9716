"""Puts the parts together from the settings: a Registry, the keys, the static plane, the maker of certificates."""

import os

from domain.key import Key
from registry.certificates.agent import Agent
from registry.certificates.issue import Issuer
from registry.certificates.kept import Kept
from registry.certificates.keys import KeyFolder
from registry.certificates.letter import TEMPLATE, Letters
from registry.certificates.paper import Printer
from registry.certificates.plane import Plane
from registry.certificates.sheet import Sheets
from registry.commands import Clock, Draw, Registry
from registry.log.published import Published
from registry.settings import Settings
from registry.store import Rehearsal, Store
from registry.vault import Vault, now, read_master_key


def open_keys(settings: Settings) -> KeyFolder:
    """The signing keys of `HOME/keys`. Raises BadSetting without a master key."""
    agent = Agent(settings.signer) if settings.signer else None
    return KeyFolder(settings.keys, read_master_key(settings), agent=agent)


def open_printer(settings: Settings) -> Printer:
    """With the fonts of `HOME/fonts`; worth keeping, a page it knows takes milliseconds."""
    return Printer(settings.home / "fonts")


def open_issuer(settings: Settings, store: Store, keys: KeyFolder, printer: Printer) -> Issuer:
    """Makes certificates with proofs under the checkpoint that is published now."""
    return Issuer(
        store,
        keys,
        Published.of(settings.static),
        host=settings.public_host,
        qr_host=settings.qr_host,
        printer=printer,
        kept=Kept(settings.home / "kept"),
    )


def open_letters(settings: Settings, store: Store, keys: KeyFolder) -> Letters:
    """Makes letters of registration; worth keeping, as the printer."""
    sheets = Sheets(TEMPLATE, settings.home / "fonts")
    return Letters(store, keys, sheets, host=settings.public_host, qr_host=settings.qr_host)


def open_plane(settings: Settings, keys: KeyFolder) -> Plane:
    return Plane(
        settings.static,
        keys,
        host=settings.public_host,
        qr_host=settings.qr_host,
        witnesses=settings.witnesses,
    )


class _Announced:
    """The keys that the log knows: what another one signs nobody can check before `registry keys publish`.

    The newest is asked for first, so none is asked again for its end: its successor is known by then.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kids: set[object] = set()

    def __contains__(self, kid: object) -> bool:
        if kid not in self._kids:
            key = self._store.find(Key, str(kid))
            if key is None or key.state == "withdrawn":
                return False
            self._kids.add(kid)
        return True


def open_registry(
    settings: Settings, *, clock: Clock = now, draw: Draw = os.urandom, rehearse: bool = False
) -> Registry:
    """A Registry on the writer's role. Connects when it is first used. Raises BadSetting without a master key.

    `rehearse`: decide everything, write nothing.
    """
    keys = open_keys(settings)
    vault = Vault(settings, random=draw, clock=clock)
    store = (Rehearsal if rehearse else Store)(settings, vault, random=draw, clock=clock)
    announced = _Announced(store)
    registry = Registry(
        store,
        clock=clock,
        draw=draw,
        kid=lambda: keys.newest("certificate", clock(), announced) or keys.signer("certificate", clock()).kid,
        jwt=lambda: keys.newest("jwt", clock(), announced) or keys.newest("jwt", clock()),
    )
    registry.webhooks_local = settings.webhooks_local
    return registry
