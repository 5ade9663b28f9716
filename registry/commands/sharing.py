"""Deeds of holders who show more than their certificate: links that end by themselves."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from domain.endorsement import read_number
from domain.errors import Invalid
from domain.person import Person, Share, ShareDetail, share_claim
from registry.commands.references import link_of
from registry.commands.shared import Act, Shared, base_32, once
from registry.store import Recorded

_SECRET = 32


class Opened(NamedTuple):
    """What a link opens: whose, which share of theirs, and the day it is there."""

    person: Person
    share: Share
    on: date


class Sharing(Shared):
    """Deeds of holders who show more than their certificate: links that end by themselves."""

    @once
    def share(
        self, act: Act, person: str, *, number: str, until: date, details: Collection[ShareDetail] = ()
    ) -> Recorded:
        """Make a link; its code of 256 random bits is shown this once, the event has its hash."""
        found, on = self._person(act, "share", person)
        wanted = read_number(number)
        if wanted not in self.numbers_of(person):
            raise Invalid("This is no endorsement of yours; give the number of one.", field="number")
        code = base_32(self.draw(_SECRET)).lower()
        found.share(wanted, details, until, link_of(code), on=on, by=act.actor.by)
        return self.store.save(found, request=act.request).telling(code)

    @once
    def end_share(self, act: Act, person: str, share: str) -> Recorded:
        found, on = self._person(act, "end_share", person)
        found.end_share(share, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    def opened_by(self, code: str) -> Opened | None:
        """What a code opens today; None for one that is unknown, ended or too old, or of somebody who is gone."""
        link = link_of(code)
        stream = self.store.holder(share_claim(link))
        found = self.store.find(Person, stream.partition("/")[2]) if stream else None
        if found is None or found.state not in ("known", "merged"):
            return None
        on = self.today(self.home_of(found.residence))
        for share in found.shares.values():
            if hmac.compare_digest(share.link, link):
                theirs = share.number in self.numbers_of(found.name)
                return Opened(found, share, on) if theirs and not share.ended and on <= share.until else None
        return None
