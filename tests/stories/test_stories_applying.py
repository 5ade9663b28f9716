"""Stories of applications: which rules count, who judges, and what happens when people disagree."""

from telling import day, gave_rsc, led, masters, refused, rsc, training, work


def specialist(story, name, mentor, *, lives="VA"):
    """Somebody with all that a Mental Health Specialist needs."""
    human = story.somebody(name, lives)
    human.has_done(
        masters(), work("2021-01-04", "2024-06-28"), training(36, "2024-03-04", dei=3),
        rsc(52, "2023-01-09", "2023-12-15", mentor.number),
    )  # fmt: skip
    return human


def test_a_specialist_who_submits_on_the_last_day_of_2024_sits_the_exam_and_one_on_new_year_does_not(story):
    story.it_is("2024-11-04")
    mentor, reviewer = (
        story.endorsed(name, "IMHM-C", "VA", since="2019-05-01") for name in ("Ines Mendel", "Ada Okoro")
    )
    eve, noor = (specialist(story, name, mentor) for name in ("Eve Last", "Noor First"))
    eves, noors = eve.applies("IMHS", at="VA"), noor.applies("IMHS", at="VA")
    for human in (eve, noor):
        story.rated(human, "IMHS")

    story.it_is("2024-12-31 23:30")
    eve.submits(eves)
    story.it_is("2025-01-01 00:30")
    noor.submits(noors)
    assert [story.application(one)["edition"] for one in (eves, noors)] == ["MHS-2002", "MHS-2025"]

    story.it_is("2025-01-20")
    for application in (eves, noors):
        story.judged(application, "VA", [reviewer], "approve")
    va = story.coordinator("VA")
    with refused("asks for no exam; approve it"):
        va.approve_for_exam(noors)
    number = va.approve_application(noors)
    with refused("exam passed, as MHS-2002 asks (MI-EXAM, CT-UPD25)"):
        va.approve_application(eves)
    va.approve_for_exam(eves)

    assert story.listed("Noor First") == [("IMHS", "VA")]
    assert story.listed("Eve Last") == []
    assert story.papers(number) == [("IMHS", "VA", "2027-12-31")]
    assert story.application(eves)["state"] == "exam_approved"
    assert story.application(eves)["exam_through"] == day("2026-01-20")


def test_reflective_supervision_in_connecticut_before_and_after_april_2024(story):
    story.it_is("2023-05-01")
    rosa = story.endorsed("Rosa Specialist", "IMHS", "CT", since="2016-04-01")
    fern = story.endorsed("Fern Supervisor", "IFRS", "CT", since="2022-09-01", certified=True)
    lily = story.somebody("Lily Applicant", "CT")
    lily.has_done(work("2021-01-04", "2023-04-28"), training(32, "2023-02-06"))

    story.it_is("2024-03-29")
    lily.record_entry(rsc(12, "2023-09-04", "2024-03-29", rosa.number))
    lily.record_entry(rsc(6, "2024-01-08", "2024-03-29", fern.number))

    story.it_is("2024-06-28")
    ct = story.coordinator("CT")
    lily.record_entry(rsc(8, "2024-04-01", "2024-06-28", rosa.number))
    lily.record_entry(rsc(4, "2024-04-01", "2024-06-28", fern.number))
    ct.convert(fern.number)
    story.it_is("2024-09-27")
    lily.record_entry(rsc(5, "2024-07-01", "2024-09-27", fern.number))

    assert story.papers(fern.number)[-1] == ("IFS+ERS", "CT", "2027-12-31")
    assert story.paper(fern.number, 0) == "superseded: corrected, now active at CT"
    assert story.listed("Fern Supervisor", at="CT") == [("IFS+ERS", "CT")]
    assert fern.number.startswith("IFRS-")  # the number stays

    application = lily.applies("IFS", at="CT")
    story.rated(lily, "IFS", association="CT")
    lily.submits(application)
    tally = story.submission(application).tally
    assert tally.rsc == 12 + 6 + 4 + 5
    (no,) = [judged for judged in tally.judged if not judged.counts]
    assert (no.provider, no.day, no.source) == (rosa.number, day("2024-04-01"), "CT-IFS")
    assert no.why == f"{rosa.number} was not qualified for this on 2024-04-01."


def family_associate(story, name, *, lives="VA"):
    human = story.somebody(name, lives)
    human.has_done(work("2022-01-03", "2025-12-31"), training(34, "2025-03-03"))
    return human


def submitted(story, name, *, at="VA", category="IFA"):
    human = family_associate(story, name, lives=at)
    application = human.applies(category, at=at)
    story.rated(human, category, association=at)
    human.submits(application)
    return human, application


def test_a_deferral_after_two_judgements_waits_for_its_day_and_then_succeeds(story):
    story.it_is("2026-02-02")
    one, other = (story.endorsed(name, "IMHS", "WA", since="2020-03-02") for name in ("Ora One", "Tia Two"))
    hana, application = submitted(story, "Hana Sato", at="WA")
    wa = story.coordinator("WA")
    story.judged(application, "WA", [one], "defer", "more_training")
    with refused("waiting for 1 more review"):
        wa.defer_application(application, reasons=["more_training"])
    story.judged(application, "WA", [other], "defer", "competencies_not_shown")
    with refused("recommended defer", "recommended approve"):
        wa.approve_application(application)
    wa.defer_application(application, reasons=["more_training"], may_resubmit_from=day("2026-05-01"))
    assert story.waiting_at("WA") == []
    assert story.tasks_at("WA") == []

    story.it_is("2026-04-30")
    with refused("deferred until 2026-05-01"):
        hana.submits(application)
    story.it_is("2026-05-04")
    hana.record_entry(training(12, "2026-04-06"))
    story.it_is("2026-05-29")
    hana.submits(application)
    assert story.waiting_at("WA") == [application]
    story.judged(application, "WA", [one, other], "approve")
    number = wa.approve_application(application)
    assert story.listed("Hana Sato", at="WA") == [("IFA", "WA")]
    assert story.paper(number) == "valid"
    assert story.history("application", application).count("deferred") == 1


def test_on_hold_the_applicant_amends_and_the_same_reviewers_go_on(story):
    story.it_is("2026-02-02")
    reviewer = story.endorsed("Ora One", "IMHS", "VA", since="2020-03-02")
    hana, application = submitted(story, "Hana Sato")
    story.judged(application, "VA", [reviewer], "hold", "references")
    va = story.coordinator("VA")
    va.put_on_hold(application, reasons=["references"])
    assert story.application(application)["state"] == "on_hold"
    with refused("on hold", "By others: amend application (holder)"):
        va.approve_application(application)

    story.it_is("2026-02-09")
    hana.record_entry(training(5, "2026-01-05"))
    hana.amend_application(application)
    assert story.waiting_at("VA") == [application]
    if not story.reviews_of(reviewer):
        va.assign_reviewer(application, reviewer=reviewer.number)
    reviewer.judges(application, "approve")
    number = va.approve_application(application)
    assert story.standing(number) == "active"
    assert story.endorsement(number).edition == story.application(application)["edition"] == "FA-2022"


def test_a_reviewer_with_a_tie_steps_back_and_another_one_takes_over(story):
    story.it_is("2026-02-02")
    colleague = story.endorsed("Cora Colleague", "IMHS", "VA", since="2020-03-02")
    stranger = story.endorsed("Stella Stranger", "IFS", "NC", since="2021-03-01")
    provider = story.endorsed("Paz Provider", "IMHM-C", "VA", since="2018-03-01")
    hana = family_associate(story, "Hana Sato")
    hana.record_entry(rsc(10, "2025-09-01", "2025-12-19", provider.number))
    application = hana.applies("IFA", at="VA")
    story.rated(hana, "IFA")
    hana.submits(application)
    va = story.coordinator("VA")
    with refused("never the applicant", "provider of RSC"):
        va.assign_reviewer(application, reviewer=provider.number)
    va.assign_reviewer(application, reviewer=colleague.number)
    assert story.reviews_of(colleague) == [application]

    colleague.as_reviewer().recuse_reviewer(application, reviewer=colleague.number, tie="colleague")
    assert story.reviews_of(colleague) == []
    with refused("may not recommend here"):
        colleague.judges(application, "approve")
    with refused("stepped back"):
        va.assign_reviewer(application, reviewer=colleague.number)

    story.judged(application, "VA", [stranger], "approve")  # of another association
    va.approve_application(application)
    assert story.listed("Hana Sato") == [("IFA", "VA")]


def test_two_reviewers_disagree_a_third_decides_and_all_three_judgements_stay(story):
    story.it_is("2026-02-02")
    ayes, nays, third = (
        story.endorsed(name, "IMHS", "WA", since="2020-03-02") for name in ("Yes One", "No Two", "Third Three")
    )
    _, application = submitted(story, "Hana Sato", at="WA")
    wa = story.coordinator("WA")
    story.judged(application, "WA", [ayes], "approve")
    story.judged(application, "WA", [nays], "defer", "more_experience")
    for decide in (wa.approve_application, lambda one: wa.defer_application(one, reasons=["more_experience"])):
        with refused("disagreed", "reach consensus", "assign reviewer"):
            decide(application)
    story.judged(application, "WA", [third], "approve")
    wa.approve_application(application)

    kept = {review["reviewer"]: review["outcome"] for review in story.application(application)["reviewers"]}
    assert kept == {ayes.number: "approve", nays.number: "defer", third.number: "approve"}
    assert story.history("application", application).count("review_recommended") == 3
    assert story.tasks_at("WA") == []


def test_six_answers_unknown_void_a_reference_and_another_rater_replaces_it(story):
    story.it_is("2026-02-02")
    hana = family_associate(story, "Hana Sato")
    application = hana.applies("IFA", at="VA")
    va = story.coordinator("VA")
    asked = {}
    for name, relationship in (("Sue Pervisor", "supervisor"), ("Col League", "colleague"), ("Ken Guide", "trainer")):
        asked[relationship] = hana.nominate_rater(
            relationship=relationship, name=name, email=f"{relationship}@example.org", waiver=True
        )
    story.rates(asked["supervisor"])
    story.rates(asked["colleague"], unknown=6)
    assert story.history("reference", asked["colleague"])[-2:] == ["rated", "rejected"]
    va.vet_rater(asked["trainer"], qualified=True, note="Spoke by phone; knows the Guidelines well.")
    story.rates(asked["trainer"], unknown=5)
    judged = {one.reference: one for one in story.counted(hana, "IFA", "VA").judged}
    void = judged[asked["colleague"]]
    assert (void.reason, void.source) == ("too_many_unknown", "MI-REF")
    assert story.counted(hana, "IFA", "VA").open == ("knows_the_work",)

    story.it_is("2026-02-16")
    again = hana.nominate_rater(relationship="parent", name="Pat Ent", email="pat@example.org", waiver=False)
    story.rates(again)
    assert story.counted(hana, "IFA", "VA").open == ()
    hana.submits(application)
    assert story.waiting_at("VA") == [application]


def test_a_mentors_exam_with_scorers_who_disagree_takes_a_third(story):
    story.it_is("2025-03-03")
    mentor, reviewer, *scorers = (
        story.endorsed(name, "IMHM-C", at, since="2015-03-02")
        for name, at in (("Old Mentor", "VA"), ("Re Viewer", "MI"), ("Sc One", "MI"), ("Sc Two", "CT"), ("Sc 3", "MN"))
    )
    vera = story.somebody("Vera Mentor", "VA")
    vera.has_done(
        masters("2012-05-12"), work("2014-01-06", "2024-12-20"), led("2020-01-06", "2024-12-20"),
        gave_rsc("2020-01-06", "2024-12-20"), training(52, "2024-02-05", dei=4, provision=16),
        rsc(30, "2022-01-10", "2022-12-16", mentor.number, about_given=True),
        rsc(30, "2023-01-09", "2023-12-15", mentor.number),
    )  # fmt: skip
    application = vera.applies("IMHM-C", at="VA")
    story.rated(vera, "IMHM-C")
    vera.submits(application)
    story.judged(application, "VA", [reviewer], "approve")
    va, alliance = story.coordinator("VA"), story.alliance()
    va.approve_for_exam(application)
    with refused("begin on certain days", "2025-03-25"):
        vera.book_exam(application, window=day("2025-03-17"))
    vera.book_exam(application, window=day("2025-03-25"))
    exam = story.exam_of(application)

    story.it_is("2025-03-26")
    alliance.record_sitting(exam)
    alliance.score_part_1(exam, wrong=12)
    with refused("too close to the examinee"):
        alliance.assign_scorer(exam, scorer=reviewer.id)
    for scorer in scorers[:2]:
        alliance.assign_scorer(exam, scorer=scorer.id)
    story.scorer(scorers[0]).score_part_2(exam, score=84)
    story.scorer(scorers[1]).score_part_2(exam, score=78)
    with refused("waiting for a scorer"):
        alliance.decide_exam(exam)
    with refused("exam booked", "MHM-C-2024", "By others: decide exam (alliance)"):
        va.approve_application(application)

    story.it_is("2025-04-02")
    alliance.assign_scorer(exam, scorer=scorers[2].id)
    story.scorer(scorers[2]).score_part_2(exam, score=80)
    alliance.decide_exam(exam)
    number = va.approve_application(application)
    assert story.listed("Vera Mentor") == [("IMHM-C", "VA")]
    assert story.paper(number) == "valid"
    told = [event for _, event in story.store.events(f"exam/{exam}")]
    assert all(vera.id not in str(event) and application not in str(event) for event in told)


def test_an_appeal_granted_brings_the_case_before_other_reviewers(story):
    story.it_is("2026-02-02")
    strict, fair = (story.endorsed(name, "IMHS", "VA", since="2020-03-02") for name in ("Stri Ct", "Fa Ir"))
    hana, application = submitted(story, "Hana Sato")
    story.judged(application, "VA", [strict], "decline", "more_experience")
    va = story.coordinator("VA")
    va.decline_application(application, reasons=["more_experience"])
    with refused("declined", "appeal"):
        hana.submits(application)

    story.it_is("2026-04-03")  # the sixtieth day
    hana.appeal(application)
    with refused("may not"):
        va.decide_appeal(application, verdict="upheld")
    story.alliance().decide_appeal(application, verdict="granted")
    with refused("judged it before the appeal"):
        va.assign_reviewer(application, reviewer=strict.number)
    story.judged(application, "VA", [fair], "approve")
    va.approve_application(application)
    assert story.listed("Hana Sato") == [("IFA", "VA")]


def test_an_appeal_on_the_sixty_first_day_is_too_late(story):
    story.it_is("2026-02-02")
    strict = story.endorsed("Stri Ct", "IMHS", "VA", since="2020-03-02")
    hana, application = submitted(story, "Hana Sato")
    story.judged(application, "VA", [strict], "decline", "more_experience")
    story.coordinator("VA").decline_application(application, reasons=["more_experience"])
    story.it_is("2026-04-04")
    with refused("past appeal since 2026-04-03"):
        hana.appeal(application)


def test_a_quality_review_finds_how_far_a_second_look_agrees(story):
    story.it_is("2026-02-02")
    reviewer = story.endorsed("Re Viewer", "IMHS", "VA", since="2020-03-02")
    second = story.endorsed("Se Cond", "IMHS", "NC", since="2020-03-02")
    va, alliance = story.coordinator("VA"), story.alliance()
    for n in range(4):
        _, application = submitted(story, f"Applicant {'ABCD'[n]}")
        outcome, reasons = ("approve", ()) if n else ("defer", ("more_training",))
        story.judged(application, "VA", [reviewer], outcome, *reasons)
        va.defer_application(application, reasons=reasons) if reasons else va.approve_application(application)

    story.it_is("2026-07-01")
    review = alliance.draw_quality_sample("VA", from_=day("2026-01-01"), through=day("2026-06-30"), size=4)
    items = story.quality(review).items
    with refused("comes from another association"):
        alliance.assign_second_reviewer(review, items[0], reviewer=reviewer.number)
    for item in items:
        alliance.assign_second_reviewer(review, item, reviewer=second.number)
    with refused("waiting for 4 second review"):
        alliance.compute_agreement(review)
    differs = next(item for item in items if story.registry._outcome(item) == "approve")
    for item in items:
        outcome = "defer" if item == differs else story.registry._outcome(item)
        reasons = ("more_training",) if outcome == "defer" else ()
        second.as_reviewer().record_second_review(
            review, item, reviewer=second.number, outcome=outcome, reasons=reasons
        )
    alliance.compute_agreement(review)
    agreed = story.quality(review).agreement
    assert (agreed.n, agreed.agreed, agreed.kappa) == (4, 3, 0.5)
    assert -1 <= agreed.low < agreed.kappa < agreed.high <= 1
    alliance.raise_finding(review, kind="reasons_missing", item=differs)
    with refused("open findings (F1)"):
        alliance.close_quality_review(review)
    alliance.resolve_finding(review, "F1", resolution="reviewers_trained")
    alliance.close_quality_review(review)
    assert story.standing(story.application(differs.partition("-")[0])["number"]) == "active"  # no decision is undone
