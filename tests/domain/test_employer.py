"""An employer: follows what it was shown, is told by letter once a day, and by a webhook until that is dead."""

from datetime import date

import pytest
from given import fact, given, then

from domain.employer import MOST_FOLLOWED, Employer, webhook_address
from domain.errors import Invalid, OutOfTurn

ON = date(2026, 6, 1)
BY = "employer:e1:k1"
ONE, TWO = "IFS-7K3MQ9TD", "IMHM-C-7K3MQ9TJ"

ADMITTED = fact(Employer.Admitted, association="VA", name="Riverside Clinic", email="hr@example.org")
SET = fact(Employer.WebhookSet, url="https://hr.example.org/alerts")


def employer(*facts):
    return given(Employer("e1"), ADMITTED, *facts)


def test_an_employer_follows_each_endorsement_once():
    found = employer(fact(Employer.Follows, numbers=(ONE,)))

    found.follow([TWO, ONE, TWO], on=ON, by=BY)

    assert then(found) == [fact(Employer.Follows, numbers=(TWO,), on=ON, by=BY)]
    found.follow([ONE], on=ON, by=BY)
    assert then(found) == []


def test_what_was_followed_from_when_to_when_is_kept():
    found = employer(
        fact(Employer.Follows, numbers=(ONE, TWO)),
        fact(Employer.Unfollowed, numbers=(ONE,)),
        fact(Employer.Follows, numbers=(ONE,)),
    )

    assert (found.spans(ONE), found.spans(TWO), found.spans("another")) == ([(2, 3), (4, None)], [(2, None)], [])
    assert sorted(found.ever_followed()) == sorted([ONE, TWO])


def test_what_is_not_followed_cannot_be_left():
    with pytest.raises(Invalid, match="none of these"):
        employer().unfollow([ONE], on=ON, by=BY)


def test_at_most_twenty_thousand_are_followed():
    found = employer(fact(Employer.Follows, numbers=tuple(f"N{n}" for n in range(MOST_FOLLOWED))))

    with pytest.raises(Invalid, match="more than 20000"):
        found.follow([ONE], on=ON, by=BY)


def test_an_ended_employer_follows_nothing_and_sends_nothing():
    found = employer(fact(Employer.Follows, numbers=(ONE,)), SET)

    found.end(on=ON, by=BY)

    assert not found.follows
    assert not found.sends
    assert found.to_destroy
    with pytest.raises(OutOfTurn):
        found.follow([ONE], on=ON, by=BY)


def test_one_letter_a_day_at_most():
    found = employer(fact(Employer.Told, after=0, through=7, on=ON))

    found.tell(7, 9, on=ON, by="operator")
    assert then(found) == []
    found.tell(7, 9, on=date(2026, 6, 2), by="operator")
    assert [event.through for event in then(found)] == [9]


def test_a_dead_webhook_is_disabled_once_and_set_again():
    found = employer(SET)
    version = found.webhook

    found.disable_webhook("unanswered", version, on=ON, by="operator")
    found.disable_webhook("unanswered", version, on=ON, by="operator")

    assert [event.topic for event in then(found)] == ["employer.webhook_disabled"]
    with pytest.raises(OutOfTurn, match="set the webhook again"):
        found.test_webhook(on=ON, by=BY)
    found.set_webhook("https://other.example.org/alerts", on=ON, by=BY)
    assert found.sends
    found.disable_webhook("unanswered", version, on=ON, by="operator")
    assert found.sends, "the failure was another address's"


GOOD = ["https://hr.example.org/alerts", "https://hr.example.org:8443/a?b=c", "https://xn--bcher-kva.example/x"]
BAD = [
    "", "hr.example.org", "http://hr.example.org/", "ftp://hr.example.org/", "https://hr/", "https://localhost/",
    "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.8/", "https://169.254.169.254/latest/meta-data",
    "https://0x7f000001/", "https://2130706433/", "https://127.1/", "https://0177.0.0.1/", "https://a.0x7f/",
    "https://db.internal/", "https://printer.local/", "https://x.localhost/", "https://router.lan/",
    "https://user@hr.example.org/", "https://user:pw@hr.example.org/", "https://hr.example.org/#x",
    "https://hr.example.org:22/", "https://hr.example.org:80/", "https://hr.example.org:0/", "https://hr.example.org:x/",
    "https://hr.example.org/ a", "https://hr.example.org/\r\nHost: x", "https://bücher.example/", "javascript:alert(1)",
    "https://127.0.0.1./", "https://[::ffff:127.0.0.1]/", "https://[fe80::1%25eth0]/", "file:///etc/passwd",
    "https://hr.example.org/" + "a" * 1000,
]  # fmt: skip


@pytest.mark.parametrize("url", GOOD)
def test_a_public_https_address_is_taken_as_given(url):
    assert webhook_address(f" {url} ") == url


@pytest.mark.parametrize("url", BAD)
def test_any_other_address_is_refused_and_not_repeated(url):
    with pytest.raises(Invalid) as refused:
        webhook_address(url)
    assert refused.value.field == "url"
    assert len(url) < 16 or url not in refused.value.message


def test_this_machine_is_called_only_for_trials():
    assert webhook_address("http://127.0.0.1:8099/alerts", local=True) == "http://127.0.0.1:8099/alerts"
    for url in ("http://10.0.0.8/", "http://hr.example.org/", "https://169.254.169.254/"):
        with pytest.raises(Invalid):
            webhook_address(url, local=True)
