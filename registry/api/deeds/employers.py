"""The deeds of employers, and of holders who share more than a certificate, as rows."""

from datetime import date

from domain.employer import Wish
from domain.person import ShareDetail
from registry.api.deeds.rows import Body, Deed, P

M = "/employers/{employer}"


class NewEmployer(Body, frozen=True):
    """`association`: whose word it is; the coordinator's own by default."""

    name: str
    email: str
    association: str = ""


class NewContact(Body, frozen=True):
    name: str
    email: str


class NewFollow(Body, frozen=True):
    """The text of a certificate's code as `qr`, or `number` and `name` as printed; `endorsements`: many of them."""

    qr: str = ""
    number: str = ""
    name: str = ""
    endorsements: tuple[Wish, ...] = ()


class Unfollow(Body, frozen=True):
    numbers: tuple[str, ...]


class Mails(Body, frozen=True):
    mails: bool


class Webhook(Body, frozen=True):
    url: str


class Replay(Body, frozen=True):
    """`after`: a position of the feed; 0 for all."""

    after: int


class NewShare(Body, frozen=True):
    """`until`: the last day it opens; `details`: what it shows beyond the certificate."""

    number: str
    until: date
    details: tuple[ShareDetail, ...] = ()


DEEDS: tuple[Deed, ...] = (
    Deed("admit_employer", "/employers", "Admit an employer", NewEmployer,
         {"name": "Riverside Children's Clinic", "email": "hr@riverside.example.org"}),
    Deed("change_employer_contact", f"{M}/contacts", "Record a new name or address of an employer", NewContact,
         {"name": "Riverside Children's Clinic", "email": "people@riverside.example.org"}),
    Deed("end_employer", f"{M}/ends", "End an employer: its name and address are destroyed"),
    Deed("follow", f"{M}/follows", "Follow endorsements you were shown", NewFollow,
         {"number": "IFS-7K3MQ9TD", "name": "Marisol Okafor"}),
    Deed("unfollow", f"{M}/unfollows", "Stop following endorsements", Unfollow, {"numbers": ["IFS-7K3MQ9TD"]}),
    Deed("choose_mails", f"{M}/mails", "Choose whether changes are told by e-mail, once a day", Mails,
         {"mails": True}),
    Deed("set_webhook", f"{M}/webhooks", "Set the address that changes are sent to; its secret is shown once", Webhook,
         {"url": "https://hr.example.org/alerts"}),
    Deed("end_webhook", f"{M}/webhook-ends", "Send changes to no address any more"),
    Deed("test_webhook", f"{M}/webhook-tests", "Send a trial message"),
    Deed("replay_webhook", f"{M}/webhook-replays", "Send all changes after a position again", Replay, {"after": 4711}),
    Deed("share", f"{P}/shares", "Make a link that shows more than your certificate, until a day", NewShare,
         {"number": "IFS-7K3MQ9TD", "until": "2026-12-31", "details": ["history"]}),
    Deed("end_share", f"{P}/shares/{{share}}/ends", "End this link now"),
)  # fmt: skip
