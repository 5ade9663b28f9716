"""Stories of the people themselves: one human twice, somebody forgotten, a new name."""

import msgspec
from telling import refused, training, work


def test_two_records_of_one_person_are_merged_and_split_again(story):
    story.it_is("2026-02-02")
    ana = story.endorsed("Ana Ruiz Vega", "IFS", "VA", since="2020-03-02", certified=True)
    twin = story.endorsed("Anita Vega", "IMHS", "VA", since="2024-03-04", certified=True)
    va = story.coordinator("VA")
    with refused("not all yours"):
        ana.request_transfer(to="CT", endorsements=[ana.number, twin.number])
    va.merge_persons(twin.id, into=ana.id)
    assert sorted(story.listed("Ana Ruiz Vega")) == [("IFS", "VA"), ("IMHS", "VA")]
    with refused("merged"):
        va.rename_person(twin.id, name="Somebody Else")
    with refused("IMHS is held already"):
        ana.start_application(association="VA", category="IMHS")

    story.it_is("2026-02-09")
    case = ana.request_transfer(to="CT", endorsements=[ana.number, twin.number])
    ana.cancel_transfer(case)
    va.split_persons(ana.id, other=twin.id)
    assert story.listed("Ana Ruiz Vega") == [("IFS", "VA")]
    assert story.listed("Anita Vega") == [("IMHS", "VA")]
    assert story.registry.identity(twin.id) == (twin.id,)
    assert story.history("person", ana.id)[-2:] == ["merged", "split"]
    assert [story.paper(one.number) for one in (ana, twin)] == ["valid", "valid"]


def test_a_person_is_forgotten_in_the_middle_of_an_application(story):
    story.it_is("2026-02-02")
    reviewer = story.endorsed("Re Viewer", "IMHS", "VA", since="2020-03-02")
    wanda = story.endorsed("Wanda Gone", "IFA", "VA", since="2021-03-02", certified=True, email="wanda@example.org")
    wanda.has_done(work("2021-01-04", "2025-12-31"), training(34, "2025-03-03"))
    application = wanda.applies("IFS", at="VA")
    one, two = story.coordinator("VA", "k1"), story.coordinator("VA", "k2")
    wanda.request_erasure()
    with refused("may not"):
        story.coordinator("NC").confirm_erasure(wanda.id)
    one.confirm_erasure(wanda.id)
    story.it_is("2026-02-08")
    assert story.night() == {}
    assert story.listed("Wanda Gone") == [("IFA", "VA")]  # she may still change her mind

    story.it_is("2026-02-09")
    assert story.night() == {"erasure": 1}
    assert story.night() == {}
    assert story.listed("Wanda Gone") == []
    assert story.paper(wanda.number) == "revoked: erased, now erased at VA"
    assert story.application(application)["state"] == "withdrawn"
    assert story.waiting_at("VA") == []
    assert story.tasks_at("VA") == []
    with refused("erased"):
        two.rename_person(wanda.id, name="Somebody Else")
    told = [story.store.opened(event) for _, event in story.store.events(f"person/{wanda.id}")]
    assert "Wanda" not in str([msgspec.to_builtins(event, enc_hook=str) for event in told])
    assert story.compared() == []
    # Whoever comes again is somebody new.
    again = two.register_person(name="Wanda Gone", residence="VA", email="wanda@example.org")
    assert again != wanda.id
    assert story.standing(reviewer.number) == "active"


def test_a_new_name_is_printed_and_the_earlier_one_is_for_holder_and_coordinator_alone(story):
    story.it_is("2026-02-02")
    nora = story.endorsed("Nora Before", "IMHS", "VA", since="2020-03-02", certified=True, email="nora@example.org")
    va = story.coordinator("VA")
    with refused("may not"):
        nora.rename_person(name="Nora After")
    va.rename_person(nora.id, name="Nora After")
    assert story.listed("Nora Before") == []
    assert story.listed("Nora After") == [("IMHS", "VA")]
    assert story.paper(nora.number, 0) == "superseded: corrected, now active at VA"
    assert story.paper(nora.number) == "valid"
    printed = [paper.person_version for paper in story.endorsement(nora.number).certificates]
    names = [story.store.opened(event) for _, event in story.store.events(f"person/{nora.id}")]
    by_version = {event.originator_version: event.name for event in names if hasattr(event, "name")}
    assert [by_version[version] for version in printed] == ["Nora Before", "Nora After"]
