"""What the vault promises: sealed where it stands, opened to whom it is shown, gone when erased."""

import base64
import stat

import msgspec
import psycopg
import pytest
from facts import ON, Case, Named, named

from domain.errors import Refused
from domain.event import Sealed
from registry.settings import BadSetting, Settings
from registry.vault import BrokenSeal, Erased, Vault, check_opening


def test_what_is_sealed_opens_again(vault):
    event = named("Ana Núñez 🌱")

    sealed = vault.seal(event)

    assert isinstance(sealed.name, Sealed)
    assert isinstance(sealed.email, Sealed)
    assert vault.open(sealed) == event


def test_nothing_stays_nothing(vault):
    event = named(name=None, email="")

    assert vault.seal(event) == event


def test_the_same_value_is_sealed_differently_every_time(vault):
    first, second = vault.seal(named()), vault.seal(named())

    assert first.name.c != second.name.c
    assert first.name.h != second.name.h


def test_events_without_personal_fields_need_no_key(vault, connect):
    case = Case("1").open("ann")

    assert vault.seal_all(case.pending) == vault.open_all(case.pending) == case.pending
    assert connect("keeper").execute("SELECT count(*) FROM vault.person_keys").fetchone() == (0,)


def elsewhere(**changes):
    return lambda event: msgspec.structs.replace(event, **changes)


@pytest.mark.parametrize(
    "move",
    [
        elsewhere(originator_version=2),
        elsewhere(originator_id="person/p2"),
        lambda event: msgspec.structs.replace(event, name=event.email),
        lambda event: msgspec.structs.replace(event, name=Sealed(c=event.name.c, h=event.email.h)),
        lambda event: msgspec.structs.replace(event, name=Sealed(c=event.name.c[:-4] + "AAAA", h=event.name.h)),
        lambda event: msgspec.structs.replace(event, name=Sealed(c="", h=event.name.h)),
        lambda event: msgspec.structs.replace(event, name=Sealed(c="not base64!", h=event.name.h)),
    ],
)
def test_what_was_moved_or_changed_does_not_open(vault, move):
    vault.seal(named(person="p2"))

    with pytest.raises(BrokenSeal) as refused:
        vault.open(move(vault.seal(named())))

    assert "Ana" not in str(refused.value)


def test_one_field_is_shown_to_a_stranger(vault):
    sealed = vault.seal(named())

    opening = vault.opening(sealed, "name")

    assert opening.value == "Ana Núñez"
    assert check_opening(sealed.name.h, opening.blind, "person/p1", 1, "name", "Ana Núñez")
    assert not check_opening(sealed.name.h, opening.blind, "person/p1", 1, "name", "Ana Nunez")
    assert not check_opening(sealed.name.h, opening.blind, "person/p1", 2, "name", "Ana Núñez")
    assert not check_opening(sealed.name.h, opening.blind, "person/p1", 1, "email", "Ana Núñez")
    assert not check_opening(sealed.email.h, opening.blind, "person/p1", 1, "name", "Ana Núñez")
    assert not check_opening(sealed.name.h, "???", "person/p1", 1, "name", "Ana Núñez")


def test_the_commitment_is_the_published_one():
    blind = base64.urlsafe_b64encode(bytes(range(16))).rstrip(b"=").decode()

    assert check_opening(GOLDEN, blind, "person/p1", 1, "name", "Ana Núñez")


# SHA-256 of 00000010 000102..0f, 00000009 "person/p1", 00000001 "1", 00000004 "name", 0000000b "Ana Núñez"
GOLDEN = "c8Az8d63s1unwevXZ4OLToRO-BuTfgTcNp_28zOaJlA"


def test_what_is_not_sealed_is_not_shown(vault):
    sealed = vault.seal(named(email=""))

    for field in ("email", "on", "nobody"):
        with pytest.raises(ValueError, match=field):
            vault.opening(sealed, field)


def test_a_secret_is_the_persons_and_the_purposes_and_ends_with_the_key(vault, store):
    (sealed,) = store.record([named()]).events
    secret = vault.secret("p1", "identity", "a")

    assert len(secret) == 32
    assert secret == vault.secret("p1", "identity", "a")
    assert secret not in {vault.secret("p1", "identity", "b"), vault.secret("p1", "contact", "a")}
    assert vault.opening(sealed, "name").blind.encode() not in secret
    vault.erase("p1")
    with pytest.raises(Erased):
        vault.secret("p1", "identity", "a")


def test_erased_is_gone_everywhere(vault, store, settings, clock):
    (sealed,) = store.record([named()]).events

    vault.erase("p1")

    with_another_cache = Vault(settings, clock=clock)
    for each in (vault, with_another_cache):
        assert each.open(sealed).name is None
        assert each.open(sealed).email is None
        assert each.is_erased("p1")
        with pytest.raises(Erased):
            each.opening(sealed, "name")
    assert store.opened(store.at(1)[1]).name is None
    with_another_cache.close()


def test_erasing_twice_is_erasing_once(vault, connect, clock):
    vault.seal(named())
    vault.erase("p1")
    look = "SELECT * FROM vault.person_keys ORDER BY kind"
    kept = connect("keeper").execute(look).fetchall()
    clock.move(days=1)

    vault.erase("p1")

    assert connect("keeper").execute(look).fetchall() == kept
    assert [(kind, wrapped) for _, kind, wrapped, _, _ in kept] == [
        ("contact", None),
        ("demographic", None),
        ("identity", None),
        ("reference", None),
    ]


def test_nothing_new_is_kept_of_an_erased_person(vault, store):
    vault.erase("p1")

    with pytest.raises(Refused) as refused:
        store.record([named()])

    assert refused.value.code == "erased"
    assert store.position() == 0


def test_one_class_can_go_alone(vault):
    sealed = vault.seal(named())

    vault.erase("p1", ["contact"])

    assert vault.open(sealed).email is None
    assert vault.open(sealed).name == "Ana Núñez"


def test_another_process_forgets_in_seconds(vault, settings, clock):
    other = Vault(settings, clock=clock)
    sealed = vault.seal(named())
    assert other.open(sealed).name == "Ana Núñez"

    vault.erase("p1")
    clock.move(seconds=5)

    assert other.open(sealed).name is None
    other.close()


def test_a_destroyed_key_stays_destroyed_whoever_asks(vault, connect):
    vault.seal(named())
    vault.erase("p1", ["identity"])

    for role in ("keeper", None):
        for statement in (
            "UPDATE vault.person_keys SET wrapped = 'x', destroyed_at = NULL WHERE kind = 'identity'",
            "DELETE FROM vault.person_keys",
            "TRUNCATE vault.person_keys",
        ):
            with pytest.raises(psycopg.DatabaseError) as refused:
                connect(role).execute(statement)
            assert refused.value.sqlstate == "ER003"


def test_two_processes_that_meet_a_person_first_agree_on_the_key(vault, settings, clock):
    other = Vault(settings, clock=clock)

    pairs = [(vault.seal(named(person=f"p{n}")), other.seal(named(person=f"p{n}"))) for n in range(3)]

    assert all(other.open(a).name == vault.open(b).name == "Ana Núñez" for a, b in pairs)
    other.close()


def test_many_events_cost_one_question(vault, settings, clock, monkeypatch):
    sealed = vault.seal_all([named(f"Ana {n}", person=f"p{n}") for n in range(50)])
    other = Vault(settings, clock=clock)
    asked = []
    monkeypatch.setattr(
        other, "_read", lambda connection, pairs: asked.append(pairs) or Vault._read(other, connection, pairs)
    )

    assert [event.name for event in other.open_all(sealed)] == [f"Ana {n}" for n in range(50)]

    assert len(asked) == 1
    other.close()


def test_keys_are_wrapped_for_one_person_and_class(vault, connect, clock):
    sealed = vault.seal(named())
    vault.seal(named(person="p2"))
    connect().execute(
        "UPDATE vault.person_keys AS mine SET wrapped = theirs.wrapped FROM vault.person_keys AS theirs"
        " WHERE mine.person = 'p1' AND theirs.person = 'p2' AND mine.kind = theirs.kind"
    )
    clock.move(minutes=1)

    with pytest.raises(BrokenSeal):
        vault.open(sealed)


def test_a_fingerprint_is_the_same_twice_and_for_one_purpose(vault, settings):
    assert vault.fingerprint("body", "x") == Vault(settings).fingerprint("body", b"x")
    assert vault.fingerprint("body", "x") != vault.fingerprint("match", "x")
    assert vault.fingerprint("a", "bc") != vault.fingerprint("ab", "c")


def test_the_master_key_is_made_once_and_for_its_owner(tmp_path):
    settings = Settings(home=tmp_path / "home with spaces")
    with pytest.raises(BadSetting, match=r"keys init"):
        Vault(settings)

    assert Vault.make_master_key(settings)

    made = settings.master_key_file.read_bytes()
    assert stat.S_IMODE(settings.master_key_file.stat().st_mode) == 0o600
    assert not Vault.make_master_key(settings)
    assert settings.master_key_file.read_bytes() == made
    Vault(settings)


def test_a_master_key_that_others_may_read_is_refused(tmp_path):
    settings = Settings(home=tmp_path)
    Vault.make_master_key(settings)
    settings.master_key_file.chmod(0o644)

    with pytest.raises(BadSetting, match="chmod 600"):
        Vault(settings)


def test_a_person_is_named_in_the_event_or_is_its_stream(vault):
    nobody = Named(originator_id="case/1", originator_version=1, on=ON, by="amy", name="Ana")

    with pytest.raises(TypeError):
        vault.seal(nobody)
