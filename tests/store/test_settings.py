"""A wrong setting stops the start with one line that names it and the fix."""

import base64
from pathlib import Path

import pytest

from registry.settings import BadSetting, Settings

KEY = base64.b64encode(bytes(32)).decode()

WITNESS = "witness.example/w1+e5d93b69+BJ3aUVvjqkEOGxpKS0k4eNhfp416mEAZCA7eKRtLlsVr"


def test_witnesses_are_pairs_of_key_and_address():
    other = Settings.from_environment({"REGISTRY_WITNESSES": f" {WITNESS}  https://witness.example:8443/under/ , "})

    assert [(one.name, one.url) for one in other.witnesses] == [
        ("witness.example/w1", "https://witness.example:8443/under/")
    ]
    assert Settings.from_environment({}).witnesses == ()


def test_nothing_has_to_be_set():
    settings = Settings.from_environment({})

    assert settings.home == Path("var").absolute()
    assert settings.embedded
    assert settings.public_host == settings.qr_host == "registry.example"
    assert settings.static == settings.home / "static"


def test_empty_is_unset():
    assert Settings.from_environment({"REGISTRY_DATABASE_URL": "", "REGISTRY_PUBLIC_HOST": ""}).embedded


def test_the_host_of_the_qr_is_the_public_host_unless_it_is_set():
    assert (
        Settings.from_environment({"REGISTRY_PUBLIC_HOST": "Registry.AIMH.example"}).qr_host == "registry.aimh.example"
    )
    assert Settings.from_environment({"REGISTRY_QR_HOST": "localhost:8000"}).qr_host == "localhost:8000"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REGISTRY_PUBLIC_HOST", "registry.example:8000"),
        ("REGISTRY_PUBLIC_HOST", "https://registry.example"),
        ("REGISTRY_PUBLIC_HOST", "registry.example/"),
        ("REGISTRY_PUBLIC_HOST", "192.0.2.1"),
        ("REGISTRY_PUBLIC_HOST", "[2001:db8::1]"),
        ("REGISTRY_PUBLIC_HOST", "two words"),
        ("REGISTRY_PUBLIC_HOST", "-registry.example"),
        ("REGISTRY_PUBLIC_HOST", "registry.example\n"),
        ("REGISTRY_QR_HOST", "registry.example:"),
        ("REGISTRY_QR_HOST", "registry.example:70000"),
        ("REGISTRY_QR_HOST", "registry.example:²"),
        ("REGISTRY_QR_HOST", "user@registry.example"),
        ("REGISTRY_DATABASE_URL", "mysql://localhost/registry"),
        ("REGISTRY_DATABASE_URL", "postgresql://localhost"),
        ("REGISTRY_DATABASE_URL", "dbname=registry"),
        ("REGISTRY_MASTER_KEY", "short"),
        ("REGISTRY_MASTER_KEY", base64.b64encode(bytes(31)).decode()),
        ("REGISTRY_MASTER_KEY", "schlüssel"),
        ("REGISTRY_HOME", __file__),
        ("REGISTRY_WITNESSES", "https://witness.example"),
        ("REGISTRY_WITNESSES", WITNESS),
        ("REGISTRY_WITNESSES", f"{WITNESS} ftp://witness.example"),
        ("REGISTRY_WITNESSES", f"{WITNESS} https://user@witness.example"),
        ("REGISTRY_WITNESSES", f"{WITNESS[:-4]}AAAA https://witness.example"),
        ("REGISTRY_WITNESSES", f"{WITNESS} https://one.example, {WITNESS} https://two.example"),
        ("POSTGRES_ENABLE_DB_FUNCTIONS", "y"),
        ("REGISTRY_POSTGRES_ENABLE_DB_FUNCTIONS", "True"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(name, value):
    with pytest.raises(BadSetting) as refused:
        Settings.from_environment({name: value})

    assert str(refused.value).startswith(f"{name}: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REGISTRY_DATABASE_URL", "http://amy:s3cret@db.example/registry"),
        ("REGISTRY_MASTER_KEY", "s3cret"),
    ],
)
def test_a_refusal_never_shows_a_secret(name, value):
    with pytest.raises(BadSetting) as refused:
        Settings.from_environment({name: value})

    assert "s3cret" not in str(refused.value)


def test_settings_never_show_a_secret():
    settings = Settings.from_environment(
        {
            "REGISTRY_DATABASE_URL": "postgresql://amy:s3cret@db.example/registry",
            "REGISTRY_WRITER_PASSWORD": "s3cret",
            "REGISTRY_MASTER_KEY": KEY,
        }
    )

    assert settings.passwords == {"writer": "s3cret"}
    assert "s3cret" not in repr(settings)
    assert repr(bytes(32)) not in repr(settings)


@pytest.mark.parametrize("text", [KEY, KEY.rstrip("="), base64.urlsafe_b64encode(b"\xff" * 32).decode(), KEY + "\n"])
def test_a_master_key_may_be_written_in_either_alphabet(text):
    assert len(Settings.from_environment({"REGISTRY_MASTER_KEY": text}).master_key) == 32
