"""One key after the other: rotated, retired, withdrawn. A file first, then the events, and only then is it used.

Killed anywhere and repeated, each deed ends where it would have ended: a key file that no event names is thrown away,
one that an event names is taken up, and what ended is destroyed.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from domain.errors import Invalid, NotFound
from domain.key import Key, KeyUse, WithdrawalReason
from registry.certificates.keys import KeyFolder, KeysExist, Random, refuse_unfit
from registry.store import Store

AHEAD: Final = timedelta(days=7)
"""Between the publication of a key and its first use (credentials.md 7): offline kits and caches follow meanwhile."""

_A_SECOND: Final = timedelta(seconds=1)


class Done(msgspec.Struct):
    """What a deed came to, by kid. `completed`: keys that an earlier run announced and could not take up."""

    made: str = ""
    start: datetime | None = None
    retired: dict[str, datetime] = {}
    withdrawn: str = ""
    destroyed: list[str] = []
    completed: list[str] = []


class Succession:
    """The keys of one folder, as the log knows them."""

    def __init__(
        self, store: Store, folder: KeyFolder, *, host: str, by: str, random: Random = secrets.token_bytes
    ) -> None:
        self._store = store
        self._folder = folder
        self._host = host
        self._by = by
        self._random = random

    def rotate(self, use: KeyUse, *, start: datetime | None, now: datetime) -> Done:
        """A new key; who signs until then retires. `start` None: at once, as if there were no time.

        The first key of a use begins at once: nobody waits for another. Raises KeysExist while the next one is there.
        """
        with self._folder.alone():
            done = self._take_up()
            if any(self._key(kid).use == use for kid in done.completed):
                return done
            keys = self._keys(use)
            if start is not None and (following := [key for key in keys if key.start > now]):
                raise KeysExist(f"{following[0].name} takes over at {following[0].start.isoformat()} already")
            if not keys:
                start = now
            elif start is None:
                # Never in the same second as one before it: of two that began together none is the younger one.
                start = max([now, *(key.start + _A_SECOND for key in keys if key.start <= now)])
            elif start < now + AHEAD:
                days = AHEAD.days
                raise Invalid(f"A key is published {days} days before its first use; `--now` if it must.", field="from")
            self._make(done, use, keys, start, now)
            return done

    def retire(self, kid: str, *, now: datetime) -> Done:
        """It signs no more from now on. Raises Invalid where no other key would sign then."""
        with self._folder.alone():
            done = self._take_up()
            key = self._key(kid)
            if key.until is None or key.until > now:
                if key.start > now:
                    raise Invalid("It has not begun. Withdraw it as lost, or rotate again once it has.", field="kid")
                others = [one for one in self._keys(key.use) if one.name != kid]
                if not any(one.start <= now and (one.until is None or one.until > now) for one in others):
                    raise Invalid(f"No other {key.use} key signs now: `registry keys rotate {key.use}`.", field="kid")
                key.retire(until=now, on=now.date(), by=self._by)
                self._store.save(key)
                done.retired[kid] = now
            return done

    def withdraw(self, kid: str, reason: WithdrawalReason, *, since: datetime, now: datetime) -> Done:
        """Nothing it signed is believed any more, but for what a witness saw before `since`. Another one takes its
        place at once, or when it would have begun; its private half is destroyed.
        """
        with self._folder.alone():
            done = self._take_up()
            key = self._key(kid)
            if since > now:
                raise Invalid("This is in the future; name when the key was no longer ours alone.", field="since")
            if key.withdrawn is None or since < key.withdrawn:
                signs = key.withdrawn is None and (key.until is None or key.until > now)
                others = [one for one in self._keys(key.use) if one.name != kid]
                key.withdraw(reason, since=since, on=now.date(), by=self._by)
                if signs and not _covers(others, key, now):
                    self._make(done, key.use, others, max(now, key.start), now, key)
                else:
                    self._store.save(key)
                done.withdrawn = kid
            if self._folder.destroy(kid):
                done.destroyed.append(kid)
            return done

    def _make(
        self, done: Done, use: KeyUse, keys: Sequence[Key], start: datetime, now: datetime, *with_it: Key
    ) -> None:
        """A key that begins then, until the next one there is begins; who would sign until then retires."""
        specimen = any(facts.specimen for facts in self._folder.facts())
        facts = self._folder.prepare(use, self._host, start, specimen=specimen, random=self._random)
        refuse_unfit(facts)
        new = Key(facts.kid)
        new.publish(use, facts.public, facts.controller, start=start, specimen=specimen, on=now.date(), by=self._by)
        following = min((key.start for key in keys if key.start > start), default=None)
        if following:
            new.retire(until=following, on=now.date(), by=self._by)
        leaving = [key for key in keys if key.start <= start and (key.until is None or key.until > start)]
        for key in leaving:
            key.retire(until=start, on=now.date(), by=self._by)
            done.retired[key.name] = start
        self._store.save(new, *leaving, *with_it)
        self._folder.take_up(facts.kid)
        done.made, done.start = facts.kid, start

    def _take_up(self) -> Done:
        """What a killed run left: announced keys are taken up, others thrown away: nobody has heard of them."""
        done = Done()
        for facts in self._folder.prepared():
            if self._store.find(Key, facts.kid) is None:
                self._folder.destroy(facts.kid)
            else:
                self._folder.take_up(facts.kid)
                done.completed.append(facts.kid)
        return done

    def _key(self, kid: str) -> Key:
        key = self._store.find(Key, kid)
        if key is None:
            raise NotFound("key with this kid in the log; `registry keys show` lists them")
        return key

    def _keys(self, use: KeyUse) -> list[Key]:
        """Of this use, oldest first, none withdrawn."""
        streams: dict[str, Key] = {}
        for _, event in self._store.events_of_kind(Key):
            streams.setdefault(event.originator_id, Key(event.originator_id.partition("/")[2])).remember(event)
        found = (key for key in streams.values() if key.use == use and key.state != "withdrawn")
        return sorted(found, key=lambda key: (key.start, key.name))


def _covers(others: Sequence[Key], key: Key, now: datetime) -> bool:
    """Whether another key signs from now, or from the beginning of this one, on."""
    at = max(now, key.start)
    return any(one.start <= at and (one.until is None or one.until > at) for one in others)
