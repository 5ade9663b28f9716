"""Stories of what comes after the award: renewals, lapses, pauses, audits."""

import hashlib
import hmac

from telling import Reinstatement, day, refused, rsc, training, work


def test_a_lapse_comes_at_midnight_in_alaska_and_in_ireland_each_by_their_own_clock(story):
    story.it_is("2026-02-02")
    aoife = story.endorsed("Aoife Byrne", "IFS", "IE", since="2022-05-10", certified=True)
    nanook = story.endorsed("Nanook Ivanoff", "IFS", "AK", since="2021-03-01", certified=True)

    story.it_is("2027-12-31 23:59", "Europe/Dublin")
    assert story.standing(aoife.number) == "active"
    assert story.night() == {}

    story.it_is("2028-01-01 00:00", "Europe/Dublin")
    assert story.night() == {"lapse": 1}
    assert story.standing(aoife.number) == "lapsed"
    assert story.listed("Aoife Byrne", at="IE") == []
    assert story.paper(aoife.number) == "expired"
    assert story.standing(nanook.number) == "active"
    assert story.listed("Nanook Ivanoff", at="AK") == [("IFS", "AK")]

    story.it_is("2027-12-31 23:59", "America/Anchorage")
    assert story.night() == {}
    assert story.paper(nanook.number) == "valid"
    assert nanook.renews(training=45, rsc=36)[0] == "endorsement.renewed"  # in the last minute

    story.it_is("2028-01-01 00:00", "America/Anchorage")
    assert story.night() == {}
    assert (story.standing(nanook.number), story.standing(aoife.number)) == ("active", "lapsed")
    with refused("lapsed", "By others: reinstate (coordinator)"):
        aoife.renews(training=45, rsc=36)


def test_the_same_hours_renew_both_categories_of_one_person(story):
    story.it_is("2025-02-03")
    maya = story.endorsed("Maya Lindqvist", "IMHS", "TX", since="2019-06-03")
    second = story.holds(maya, story.new_number("IFS"), "TX", since="2016-06-03")
    story.it_is("2027-09-30")
    with refused("opens 2027-10-01"):
        maya.renews(training=45, rsc=36)

    story.it_is("2027-11-02")
    maya.renews(training=45, rsc=36)
    assert story.standing(second, on="2028-01-01") == "lapsed"  # each category is submitted
    maya.renews(second, training=45, rsc=36)

    assert [story.endorsement(n).through for n in (maya.number, second)] == [day("2030-12-31")] * 2
    assert sorted(story.listed("Maya Lindqvist", at="TX")) == [("IFS", "TX"), ("IMHS", "TX")]
    with refused("renewed already"):
        maya.renews(second, training=45, rsc=36)


def test_a_yearly_renewal_of_2019_in_arizona_has_until_the_end_of_january(story):
    story.it_is("2019-03-04")
    joy, late = (
        story.endorsed(name, "IFS", "AZ", since="2015-03-02", through="2020-01-31", certified=True)
        for name in ("Joy Begay", "Late Comer")
    )
    az = story.coordinator("AZ")
    story.it_is("2020-01-20", "America/Phoenix")  # past 15 December, in the grace
    assert story.listed("Joy Begay", at="AZ") == [("IFS", "AZ")]
    with refused("renewal-2002-AZ", "15 hours of training (attested: 14)", "[MI-POL, TN-POL]"):
        joy.renews(training=14)
    with refused("a word on the late fee of 35 USD", "[AZ-REN]"):
        joy.renews(training=15)
    joy.renews(training=15, late_fee="paid")  # no RSC is asked there before the renewals of 2023
    assert story.papers(joy.number)[-1] == ("IFS", "AZ", "2021-01-31")
    assert story.paper(joy.number, 0) == "superseded: renewed, now active at AZ"

    story.it_is("2020-02-01 00:01", "America/Phoenix")
    assert story.night() == {"lapse": 1}
    assert (story.standing(joy.number), story.standing(late.number)) == ("active", "lapsed")
    with refused("reinstatement-2002", "3 new references"):
        az.reinstate(late.number, Reinstatement(training_hours=15, membership=True))


def test_two_years_inactive_and_what_then(story):
    story.it_is("2025-11-03")
    ines = story.endorsed("Ines Aranda", "IFS", "IN", since="2021-03-01", certified=True)
    maud = story.endorsed("Maud Early", "IFS", "IN", since="2021-03-01", certified=True)
    io = story.coordinator("IN")
    story.it_is("2026-01-12")
    for human in (ines, maud):
        io.make_inactive(human.number, reason="family_leave")
    assert story.endorsement(ines.number).inactive_until == day("2028-01-12")
    assert story.paper(ines.number) == "suspended: inactive, now inactive at IN"
    assert story.listed("Ines Aranda", at="IN") == []

    story.it_is("2027-06-01")
    io.reactivate(maud.number)
    assert (story.standing(maud.number), story.paper(maud.number)) == ("active", "valid")

    story.it_is("2028-01-12")  # the last day, and the cycle went by meanwhile
    with refused("past its last good day", "reinstate"):
        io.reactivate(ines.number)
    story.it_is("2028-01-13")
    assert story.night() == {"inactivity": 1, "lapse": 1}
    assert story.standing(ines.number) == "lapsed"
    for deed in (io.reactivate, lambda n: io.reinstate(n, Reinstatement(training_hours=15, membership=True))):
        with refused("inactive for too long", "apply again"):
            deed(ines.number)
    assert story.application(ines.applies("IFS", at="IN"))["kind"] == "initial"


def test_a_lapse_of_2021_is_reinstated_in_2025_by_an_attestation_that_promises_an_audit_and_the_audit_comes(story):
    story.it_is("2021-11-01")
    tess = story.endorsed("Tess Again", "IFS", "TN", since="2018-03-01", through="2021-12-31", certified=True)
    others = [story.endorsed(f"Holder {a}", "IFS", "TN", since="2018-03-01") for a in "ABCDE"]
    mentor = story.endorsed("Men Tor", "IMHM-C", "TN", since="2016-03-01")
    tn = story.coordinator("TN")
    story.it_is("2022-03-01")
    assert story.night() == {"lapse": 1}
    with refused("reinstatement-2002", "3 new references that count (there are 0)", "[MI-POL, TN-POL"):
        tn.reinstate(tess.number, Reinstatement(training_hours=15, membership=True))

    story.it_is("2025-03-03")
    with refused("reinstatement-2024", "your word to take part in the audit", "a provider of RSC", "[NE-POL]"):
        tn.reinstate(tess.number, Reinstatement(training_hours=15, membership=True, ethics=True))
    tn.reinstate(
        tess.number,
        Reinstatement(15, rsc_provider=mentor.number, membership=True, ethics=True, audit=True),
    )
    assert (story.standing(tess.number), story.paper(tess.number)) == ("active", "valid")
    assert story.papers(tess.number)[-1] == ("IFS", "TN", "2027-12-31")
    assert story.standing(tess.number, on="2023-06-01") == "lapsed"  # what was so stays so

    story.it_is("2027-10-04")
    for human in (tess, *others):
        human.renews(training=45, rsc=36)
    story.it_is("2028-02-01")
    audit = tn.draw_audit("TN", cycle=2027, seed="lottery of 31 January 2028")
    (drawn,) = [event for _, event in story.store.events(f"audit/{audit}")]
    assert set(drawn.population) == {tess.number, *(other.number for other in others)}
    assert tess.number in drawn.sample
    # A stranger with the event draws the same, by the words of its docstring.
    ranked = sorted(
        drawn.population, key=lambda n: hmac.new(drawn.seed.encode(), n.encode(), hashlib.sha256).hexdigest()
    )
    assert set(drawn.sample) == {tess.number, ranked[0]}

    tn.send_audit_notice(audit, tess.number, answer_by=day("2028-03-01"))
    (notice,) = [event for _, event in story.store.events(f"audit/{audit}") if event.topic == "audit.notice_sent"]
    assert notice.why == "reinstated"
    with refused("in an open audit"):
        tess.request_transfer(to="KS", endorsements=[tess.number])
    first = tess.has_done(training(30, "2027-05-03"))
    tess.submit_audit_evidence(audit, tess.number, entries=first)
    tn.fail_audit(audit, tess.number, remedy="training_hours", remedy_by=day("2028-05-01"))
    story.it_is("2028-04-03")
    second = tess.has_done(training(15, "2028-03-06"))
    tess.submit_audit_evidence(audit, tess.number, entries=[*first, *second])
    tn.pass_audit(audit, tess.number)
    for number in set(drawn.sample) - {tess.number}:
        with refused("undecided for 1"):
            tn.close_audit(audit)
        (human,) = [other for other in others if other.number == number]
        tn.send_audit_notice(audit, number, answer_by=day("2028-05-01"))
        human.submit_audit_evidence(audit, number, entries=human.has_done(training(45, "2027-05-03")))
        tn.pass_audit(audit, number)
    tn.close_audit(audit)
    assert story.standing(tess.number) == "active"
    tess.request_transfer(to="KS", endorsements=[tess.number])  # nothing holds it any more


def test_an_emerging_reflective_supervisor_has_two_years_and_no_more(story):
    story.it_is("2024-02-29")
    emma = story.endorsed("Emma Emerging", "IFS", "VA", since="2020-03-02")
    va = story.coordinator("VA")
    va.grant_add_on(emma.number, add_on="EERS")
    assert story.papers(emma.number) == [("IFS+EERS", "VA", "2026-02-28")]
    lily = story.somebody("Lily Applicant", "VA")
    lily.has_done(work("2022-01-03", "2024-02-02"), training(32, "2023-02-06"))

    story.it_is("2026-03-01")
    assert story.night() == {"emerging": 1}
    assert story.listed("Emma Emerging") == [("IFS", "VA")]
    assert story.papers(emma.number)[-1] == ("IFS", "VA", "2027-12-31")
    assert story.paper(emma.number, 0) == "expired"
    for first, through in (("2025-12-01", "2026-02-28"), ("2026-02-02", "2026-03-01")):
        lily.record_entry(rsc(12, first, through, emma.number))
    application = lily.applies("IFS", at="VA")
    with refused("12 to go", "[CT-IFS]"):  # what was given while she was emerging counts
        lily.submits(application)
    with refused("EERS before", "grant ERS"):
        va.grant_add_on(emma.number, add_on="EERS")
    va.grant_add_on(emma.number, add_on="ERS")
    assert story.listed("Emma Emerging") == [("IFS+ERS", "VA")]
    assert story.papers(emma.number)[-1] == ("IFS+ERS", "VA", "2027-12-31")


def test_a_removal_takes_a_document_and_two_people(story):
    story.it_is("2026-02-02")
    rex = story.endorsed("Rex Removed", "IMHS", "PA", since="2020-03-02", certified=True)
    one, two = story.coordinator("PA", "k1"), story.coordinator("PA", "k2")
    with refused("not documented", "report a sanction"):
        one.propose_removal(rex.number, ground="licensing_board_sanction")
    one.suspend(rex.number, reason="sanction_being_established")
    assert story.paper(rex.number) == "suspended: suspended, now suspended at PA"
    one.report_sanction(rex.number, source="board_website", board="PA-SBSW", decided_on=day("2026-01-15"))
    one.propose_removal(rex.number, ground="licensing_board_sanction")
    with refused("second person"):
        one.remove(rex.number)

    story.it_is("2026-02-05")
    two.remove(rex.number)
    assert story.standing(rex.number) == "removed"
    assert story.listed("Rex Removed", at="PA") == []
    assert story.paper(rex.number) == "revoked: removed, now removed at PA"
    story.it_is("2027-10-04")
    with refused("removed"):
        rex.renews(training=45, rsc=36)
    assert story.standing(rex.number, on="2026-01-31") == "active"  # it was, then
