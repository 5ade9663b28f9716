"""Stories of moves: from one association to another, to none, to a new one."""

from telling import day, refused

from domain.transfer import Transfer


def test_a_move_from_texas_to_connecticut_during_the_renewal_window(story):
    story.it_is("2027-02-01")
    tara = story.endorsed("Tara Mover", "IMHS", "TX", since="2019-06-03", certified=True)
    tx, ct = story.coordinator("TX"), story.coordinator("CT")

    story.it_is("2027-11-08")
    tara.move_person(residence="CT")
    case = tara.request_transfer(to="CT", endorsements=[tara.number])
    assert story.transfers_at("TX") == story.transfers_at("CT") == [case]
    story.it_is("2027-11-15")
    tx.confirm_standing(case)
    with refused("without verified membership", "verify membership"):
        ct.accept_transfer(case)
    ct.record_membership(tara.id, association="CT", from_=day("2027-11-15"), through=day("2028-12-31"))
    story.it_is("2027-11-20")
    ct.accept_transfer(case)

    after = story.endorsement(tara.number)
    assert (after.custodian, after.through, after.awarded_on) == ("CT", day("2027-12-31"), day("2019-06-03"))
    assert story.listed("Tara Mover", at="CT") == [("IMHS", "CT")]
    assert story.paper(tara.number, 0) == "superseded: transferred, now active at CT"
    assert story.papers(tara.number)[-1] == ("IMHS", "CT", "2027-12-31")
    assert story.transfers_at("TX") == story.transfers_at("CT") == []

    with refused("renewal-2024", "36 hours of RSC"):  # Connecticut's rules now: no part about providing RSC
        tara.renews(training=45, rsc=30)
    tara.renews(training=45, rsc=36)
    assert story.papers(tara.number)[-1] == ("IMHS", "CT", "2030-12-31")
    assert [story.paper(tara.number, n) for n in (0, 1, 2)] == [
        "superseded: transferred, now active at CT", "superseded: renewed, now active at CT", "valid",
    ]  # fmt: skip
    with refused("may not"):
        tx.suspend(tara.number, reason="fraud_being_established")


def test_arizona_offers_no_ecmhs_so_it_is_refused_and_the_alliance_takes_custody(story):
    story.it_is("2026-02-02")
    elsa = story.endorsed("Elsa Early", "ECMHS", "MI", since="2020-03-02", certified=True)
    infant = story.holds(elsa, story.new_number("IFS"), "MI", since="2018-03-02")
    mi, az, alliance = story.coordinator("MI"), story.coordinator("AZ"), story.alliance()
    elsa.move_person(residence="AZ")
    case = elsa.request_transfer(to="AZ", endorsements=[elsa.number, infant])
    mi.confirm_standing(case)
    az.verify_membership(case, through=day("2026-12-31"))
    with refused("offers this; give another reason"):
        az.accept_transfer(case, refuse={infant: "category_not_offered"})
    az.accept_transfer(case)  # each alone: what is not offered is refused with that reason

    found = story.store.get(Transfer, case)
    assert (found.accepted, found.refused) == ((infant,), {elsa.number: "category_not_offered"})
    assert sorted(story.listed("Elsa Early", at="AZ")) == [("ECMHS", "MI"), ("IFS", "AZ")]
    with refused("may not"):
        az.take_custody(case)
    alliance.take_custody(case)
    assert sorted(story.listed("Elsa Early", at="AZ")) == [("ECMHS", "ALLIANCE"), ("IFS", "AZ")]
    assert story.paper(elsa.number, 0) == "superseded: transferred, now active at ALLIANCE"
    assert story.endorsement(elsa.number).through == day("2027-12-31")

    story.it_is("2027-10-04")
    elsa.renews(training=45, rsc=36)
    assert story.papers(elsa.number)[-1] == ("ECMHS", "ALLIANCE", "2030-12-31")


def test_a_whole_move_to_an_association_that_offers_none_of_it_is_declined_with_the_reason(story):
    story.it_is("2026-02-02")
    elsa = story.endorsed("Elsa Early", "ECMHS", "MI", since="2020-03-02", certified=True)
    elsa.move_person(residence="AZ")
    case = elsa.request_transfer(to="AZ", endorsements=[elsa.number])
    story.coordinator("MI").confirm_standing(case)
    az = story.coordinator("AZ")
    with refused("lives in Arizona"):
        az.decline_transfer(case, reason="not_resident")
    az.decline_transfer(case, reason="category_not_offered")
    assert story.listed("Elsa Early", at="AZ") == [("ECMHS", "MI")]
    assert story.paper(elsa.number) == "valid"  # nothing changed for her
    story.alliance().take_custody(case)
    assert story.listed("Elsa Early", at="AZ") == [("ECMHS", "ALLIANCE")]


def test_a_disputed_standing_is_decided_by_the_alliance(story):
    story.it_is("2026-03-02")
    dora = story.endorsed("Dora Disputed", "IFS", "NE", since="2020-03-02", certified=True)
    late = story.endorsed("Lars Late", "IFS", "NE", since="2020-03-02", certified=True)
    ne, ks, alliance = story.coordinator("NE"), story.coordinator("KS"), story.alliance()
    case, other = (human.request_transfer(to="KS", endorsements=[human.number]) for human in (dora, late))
    story.it_is("2026-03-16")  # the fourteenth day
    assert story.night() == {"transfer_word": 2}  # reminded
    ne.dispute_standing(case, reason="dues_open")
    with refused("disputed"):
        ks.accept_transfer(case)
    with refused("may not"):
        ne.decide_dispute(case, good_standing=False)
    story.it_is("2026-03-17")
    assert story.night() == {"transfer_word": 1}  # no word for the other: the Alliance's
    with refused("unanswered"):
        ne.dispute_standing(other, reason="dues_open")
    assert story.desk_of_the_alliance() == sorted([case, other])

    story.it_is("2026-03-20")
    alliance.decide_dispute(case, good_standing=True)
    alliance.decide_dispute(other, good_standing=False)
    ks.verify_membership(case, through=day("2026-12-31"))
    ks.accept_transfer(case)
    assert story.listed("Dora Disputed", at="KS") == [("IFS", "KS")]
    assert story.listed("Lars Late", at="KS") == [("IFS", "NE")]
    assert story.history("transfer", case)[:4] == [
        "requested", "standing_reminded", "standing_disputed", "dispute_decided",
    ]  # fmt: skip
    assert story.desk_of_the_alliance() == []


def test_a_sanction_found_during_a_transfer_holds_it_until_it_is_settled(story):
    story.it_is("2026-03-02")
    sam = story.endorsed("Sam Sanctioned", "IMHS", "PA", since="2020-03-02", certified=True)
    pa, nj = story.coordinator("PA"), story.coordinator("NJ")
    case = sam.request_transfer(to="NJ", endorsements=[sam.number])
    pa.confirm_standing(case)
    nj.verify_membership(case, through=day("2026-12-31"))

    story.it_is("2026-03-09")
    done = pa.report_sanction(sam.number, source="board_notice", board="PA-SBSW", decided_on=day("2026-03-05"))
    assert done == ["endorsement.sanction_reported", "transfer.held"]
    for deed in (nj.accept_transfer, nj.accept_transfer):
        with refused("on hold", "open sanction", "release the hold"):
            deed(case)
    with refused("reported as sanctioned"):
        pa.release_transfer(case)
    assert story.listed("Sam Sanctioned", at="PA") == [("IMHS", "PA")]

    story.it_is("2026-03-12")
    assert story.night() == {}
    assert "transfer.released" in pa.settle_sanction(sam.number, outcome="unfounded")
    nj.accept_transfer(case)
    assert story.listed("Sam Sanctioned", at="NJ") == [("IMHS", "NJ")]
    assert story.endorsement(sam.number).through == day("2027-12-31")


def test_a_licence_ends_the_alliance_keeps_the_people_and_a_new_association_takes_them_over(story):
    story.it_is("2026-02-02")
    ana, ben = (
        story.endorsed(name, "IFS", "WV", since="2020-03-02", certified=True) for name in ("Ana One", "Ben Two")
    )
    cleo = story.somebody("Cleo Open", "WV")
    application = cleo.start_application(association="WV", category="IFS")
    alliance = story.alliance()
    alliance.end_licence("WV", reason="own_wish")
    assert story.night() == {"custody": 2, "application_licence": 1}
    for human in (ana, ben):
        assert story.paper(human.number, 0) == "superseded: transferred, now active at ALLIANCE"
        assert story.papers(human.number)[-1] == ("IFS", "ALLIANCE", "2027-12-31")
    assert story.application(application)["association"] == "ALLIANCE"
    assert story.listed("Ana One") == [("IFS", "ALLIANCE")]
    with refused("may not"):
        story.coordinator("WV").suspend(ana.number, reason="fraud_being_established")

    story.it_is("2026-09-01")
    alliance.rename_association("WV", name="Mountain State Association", abbreviation="MSA")
    alliance.grant_licence("WV", licence="guidelines")
    with refused("guidelines"):
        alliance.take_over_people("WV")
    alliance.grant_licence("WV", licence="endorsement")
    alliance.take_over_people("WV")
    assert story.night() == {"custody": 2}
    assert story.listed("Ben Two") == [("IFS", "WV")]
    assert story.papers(ben.number)[-1] == ("IFS", "WV", "2027-12-31")
    assert story.history("endorsement", ben.number).count("custody_transferred") == 2
    assert story.night() == {}
