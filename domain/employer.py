"""An employer: which endorsements it was shown and follows, and how it is told when a standing changes.

Name and address are sealed under the employer's own key (subject `<id>` of `employer/<id>`), as a person's are, so
that ending it destroys them (design section 5). What it follows is numbers alone, and stands in no other stream: a
holder is not told who follows them.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import ClassVar, Literal
from urllib.parse import urlsplit

import msgspec

from domain.aggregate import Aggregate
from domain.errors import Invalid, OutOfTurn
from domain.event import Contact, Event, Identity
from domain.person import printable_name
from domain.reference import an_address

MOST_FOLLOWED = 20_000
"""So many endorsements one employer follows (*ours*)."""
MOST_AT_ONCE = 5_000
LONGEST_ADDRESS = 1000
DISABLED_AFTER_DAYS = 3
"""A receiver that has taken nothing for so long is written to no more (*ours*, as Standard Webhooks advises)."""

DisableReason = Literal["unanswered", "gone"]
Followed = tuple[int, int | None]
"""From which version of the stream to which an endorsement is followed; None while it is."""


class Employer(Aggregate):
    """Admitted by an association, the Alliance or the operator; ended by them, or by itself."""

    kind: ClassVar[str] = "employer"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.state: Literal["unknown", "admitted", "ended"] = "unknown"
        self.association = ""
        # What it follows now, and since which version of this stream.
        self.follows: dict[str, int] = {}
        # What it followed before, by number: versions from and to.
        self.followed: dict[str, list[tuple[int, int]]] = {}
        self.mails = True
        # The version that set the address to send to: its secret is made of it. 0: none.
        self.webhook = 0
        self.webhook_since = 0
        self.disabled: DisableReason | None = None
        # The newest wish to send again, by its version, and from where; and the newest trial.
        self.replay = (0, 0)
        self.tested = 0
        # How far the mails have told.
        self.told = 0
        self.told_on = date.min
        self.to_destroy = False
        self.last_on = date.min

    def remember(self, event: Event) -> None:
        super().remember(event)
        self.last_on = max(self.last_on, event.on)

    class Admitted(Event, frozen=True):
        """`association`: whose word it is that this is an employer; the Alliance's where no association's."""

        topic: ClassVar[str] = "employer.admitted"
        association: str
        name: Identity
        email: Contact

        def apply(self, employer: Employer) -> None:
            employer.state = "admitted"
            employer.association = self.association

    class ContactChanged(Event, frozen=True):
        topic: ClassVar[str] = "employer.contact_changed"
        name: Identity
        email: Contact

    class Ended(Event, frozen=True):
        """Follows nothing any more, is told nothing, and nobody comes in as it; then its key is destroyed."""

        topic: ClassVar[str] = "employer.ended"

        def apply(self, employer: Employer) -> None:
            employer.state = "ended"
            employer.to_destroy = True
            employer._leave(list(employer.follows), self.originator_version)
            employer.webhook = 0
            employer.disabled = None

    class KeyDestroyed(Event, frozen=True):
        topic: ClassVar[str] = "employer.key_destroyed"

        def apply(self, employer: Employer) -> None:
            employer.to_destroy = False

    class Follows(Event, frozen=True):
        """Endorsements it was shown, by number: each by a certificate's code, or with the name printed on one."""

        topic: ClassVar[str] = "employer.follows"
        numbers: tuple[str, ...]

        def apply(self, employer: Employer) -> None:
            for number in self.numbers:
                employer.follows[number] = self.originator_version

    class Unfollowed(Event, frozen=True):
        topic: ClassVar[str] = "employer.unfollowed"
        numbers: tuple[str, ...]

        def apply(self, employer: Employer) -> None:
            employer._leave(self.numbers, self.originator_version)

    class MailsChosen(Event, frozen=True):
        """Whether it is written to by e-mail, once a day when something changed."""

        topic: ClassVar[str] = "employer.mails_chosen"
        mails: bool

        def apply(self, employer: Employer) -> None:
            employer.mails = self.mails

    class WebhookSet(Event, frozen=True):
        """Where to send alerts. The secret is in no event: it is made of the vault's key and this event's place."""

        topic: ClassVar[str] = "employer.webhook_set"
        url: Contact

        def apply(self, employer: Employer) -> None:
            employer.webhook = self.originator_version
            employer.webhook_since = employer.webhook_since or self.originator_version
            employer.disabled = None

    class WebhookEnded(Event, frozen=True):
        topic: ClassVar[str] = "employer.webhook_ended"

        def apply(self, employer: Employer) -> None:
            employer.webhook = employer.webhook_since = 0
            employer.disabled = None

    class WebhookTested(Event, frozen=True):
        """A trial message is sent after those that wait."""

        topic: ClassVar[str] = "employer.webhook_tested"

        def apply(self, employer: Employer) -> None:
            employer.tested = self.originator_version

    class WebhookReplayed(Event, frozen=True):
        """All alerts after a position are sent again."""

        topic: ClassVar[str] = "employer.webhook_replayed"
        after: int

        def apply(self, employer: Employer) -> None:
            employer.replay = (self.originator_version, self.after)

    class WebhookDisabled(Event, frozen=True):
        """Nothing more is sent there: it took nothing for three days, or said that it is gone. A letter says so."""

        topic: ClassVar[str] = "employer.webhook_disabled"
        reason: DisableReason

        def apply(self, employer: Employer) -> None:
            employer.disabled = self.reason

    class Told(Event, frozen=True):
        """What changed after one position up to another is told in one letter."""

        topic: ClassVar[str] = "employer.told"
        after: int
        through: int

        def apply(self, employer: Employer) -> None:
            employer.told = self.through
            employer.told_on = self.on

    def _leave(self, numbers: Collection[str], version: int) -> None:
        for number in numbers:
            if since := self.follows.pop(number, 0):
                self.followed.setdefault(number, []).append((since, version))

    # -- deeds ------------------------------------------------------------------------------------------------------

    def admit(self, association: str, *, name: str, email: str, on: date, by: str) -> None:
        self.record(
            self.Admitted,
            association=association,
            name=printable_name(name),
            email=an_address(email),
            on=on,
            by=by,
        )

    def change_contact(self, *, name: str, email: str, on: date, by: str) -> None:
        self.must_be_admitted()
        self.record(self.ContactChanged, name=printable_name(name), email=an_address(email), on=on, by=by)

    def end(self, *, on: date, by: str) -> None:
        self.must_be_admitted()
        self.record(self.Ended, on=on, by=by)

    def remember_destruction(self, *, on: date, by: str) -> None:
        """After the key is gone."""
        if self.to_destroy:
            self.record(self.KeyDestroyed, on=on, by=by)

    def follow(self, numbers: Collection[str], *, on: date, by: str) -> None:
        """Those it does not follow yet. Raises Invalid where that would be too many."""
        self.must_be_admitted()
        new = [number for number in dict.fromkeys(numbers) if number not in self.follows]
        if len(self.follows) + len(new) > MOST_FOLLOWED:
            raise Invalid(
                f"You follow {len(self.follows)} endorsements; more than {MOST_FOLLOWED} can't be followed. Unfollow "
                "some first.",
                field="endorsements",
            )
        if new:
            self.record(self.Follows, numbers=tuple(new), on=on, by=by)

    def unfollow(self, numbers: Collection[str], *, on: date, by: str) -> None:
        self.must_be_admitted()
        theirs = tuple(number for number in dict.fromkeys(numbers) if number in self.follows)
        if not theirs:
            raise Invalid("You follow none of these; look at your list.", field="numbers")
        self.record(self.Unfollowed, numbers=theirs, on=on, by=by)

    def choose_mails(self, *, mails: bool, on: date, by: str) -> None:
        self.must_be_admitted()
        if mails != self.mails:
            self.record(self.MailsChosen, mails=mails, on=on, by=by)

    def set_webhook(self, url: str, *, on: date, by: str) -> None:
        """`url` was checked by whoever knows which addresses are allowed. What waits is sent there."""
        self.must_be_admitted()
        self.record(self.WebhookSet, url=url, on=on, by=by)

    def end_webhook(self, *, on: date, by: str) -> None:
        self._must_have_webhook()
        self.record(self.WebhookEnded, on=on, by=by)

    def test_webhook(self, *, on: date, by: str) -> None:
        self._must_send()
        self.record(self.WebhookTested, on=on, by=by)

    def replay_webhook(self, after: int, *, on: date, by: str) -> None:
        """`after`: a position, 0 for all there ever was of what it follows."""
        self._must_send()
        if after < 0:
            raise Invalid("Give a position of the feed, or 0 for all.", field="after")
        self.record(self.WebhookReplayed, after=after, on=on, by=by)

    def disable_webhook(self, reason: DisableReason, webhook: int, *, on: date, by: str) -> None:
        """Unless another address was set meanwhile. `webhook`: the version that set the one that failed."""
        if self.sends and self.webhook == webhook:
            self.record(self.WebhookDisabled, reason=reason, on=on, by=by)

    def tell(self, after: int, through: int, *, on: date, by: str) -> None:
        """Once a day at most."""
        if self.state == "admitted" and self.mails and on > self.told_on and through > self.told:
            self.record(self.Told, after=after, through=through, on=on, by=by)

    # -- what it is -------------------------------------------------------------------------------------------------

    @property
    def sends(self) -> bool:
        """Whether alerts are sent to an address of its own."""
        return self.state == "admitted" and self.webhook > 0 and self.disabled is None

    def ever_followed(self) -> list[str]:
        return [*self.follows, *(number for number in self.followed if number not in self.follows)]

    def has_followed(self, number: str) -> bool:
        return number in self.follows or number in self.followed

    def spans(self, number: str) -> list[Followed]:
        """From which version of this stream to which it followed this one."""
        since = self.follows.get(number)
        return [*self.followed.get(number, ()), *([(since, None)] if since else [])]

    def must_be_admitted(self) -> None:
        if self.state != "admitted":
            raise OutOfTurn(self.stream, state=self.state, needs=["admitted"], can=[])

    def _must_have_webhook(self) -> None:
        self.must_be_admitted()
        if not self.webhook:
            raise OutOfTurn(self.stream, state="without_a_webhook", needs=["set_up"], can=["set the webhook"])

    def _must_send(self) -> None:
        self._must_have_webhook()
        if self.disabled:
            raise OutOfTurn(self.stream, state="disabled", needs=["set_up"], can=["set the webhook again"])


def webhook_address(url: str, *, local: bool = False) -> str:
    """An address that alerts may be sent to, as given. Raises Invalid, never repeating it.

    `local`: also `http` to this machine, for trials. Where a name leads to is looked at when it is called.
    """
    clean = url.strip()
    try:
        parts = urlsplit(clean)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if local and parts.scheme in ("http", "https") and host in ("127.0.0.1", "localhost", "::1"):
        return clean
    if not clean.isascii() or not clean.isprintable() or " " in clean or len(clean) > LONGEST_ADDRESS:
        raise Invalid(f"Give an address of at most {LONGEST_ADDRESS} plain signs.", field="url")
    if parts.scheme != "https" or "." not in host:
        raise Invalid("Give an address such as https://hr.example.org/alerts.", field="url")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Invalid("Leave user, password and # out of the address; messages are signed.", field="url")
    if port not in (None, 443, 8443):
        raise Invalid("Only the ports 443 and 8443 are called.", field="url")
    last = host.rpartition(".")[2]
    if ":" in host or last.isdecimal() or last.startswith("0x") or host.endswith(_INSIDE):
        raise Invalid("Give a public host name; bare or inner addresses are not called.", field="url")
    return clean


_INSIDE = (".localhost", ".local", ".internal", ".intranet", ".lan", ".home.arpa", ".test", ".invalid", ".onion")


class Wish(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One endorsement to follow: the text of a certificate's code, or number and name as printed."""

    qr: str = ""
    number: str = ""
    name: str = ""
