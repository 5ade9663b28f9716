"""A signer in a process of its own: the registry's home has no private half, and it signs only what is ours."""

import os
import stat
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from certificate_facts import DAY, HOST, NOON

from registry.certificates.agent import Agent, Unreachable, is_ours
from registry.certificates.keys import KeyFolder, KeysUnusable, announce
from registry.certificates.plane import Plane
from registry.certificates.succession import Succession
from registry.log.publish import signed_checkpoint
from registry.settings import BadSetting, Settings
from verifier import cose
from verifier.status import LIST_TYP, NOTES_TYP

MASTER = bytes(range(32))


@pytest.fixture
def listening():
    """The agent as an operator starts it, in a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "signer.sock"
        environment = os.environ | {"REGISTRY_HOME": f"{home}/home"}
        command = [sys.executable, "-m", "registry", "keys", "agent", "--socket", str(path)]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            assert "Listening" in process.stdout.readline()
            yield path
            process.terminate()  # not SIGINT: who is started in the background is deaf to it


def test_an_agent_holds_the_keys_signs_what_is_ours_and_destroys_what_was_withdrawn(
    listening, settings, store, connect
):
    assert stat.S_IMODE(listening.stat().st_mode) == 0o600
    folder = KeyFolder(settings.keys, MASTER, agent=Agent(listening))
    folder.init(HOST, NOON, specimen=True)
    announce(store, folder, on=DAY, by="operator")
    files = b"".join(file.read_bytes() for file in settings.keys.iterdir() if file.name != "slot.json")
    assert b'"sealed"' not in files

    plane = Plane(settings.static, folder, host=HOST, qr_host=HOST)
    assert len(plane.publish(connect("reader"), NOON).written) == 4

    status = folder.signer("status", NOON)
    with pytest.raises(Unreachable, match="nothing that a status key signs"):
        status.sign(cose.to_be_signed(cose.header(bytes(8), "iecmh+cwt"), b""))
    later = NOON + timedelta(days=1)
    done = Succession(store, folder, host=HOST, by="operator").withdraw(
        status.kid, "compromised", since=NOON, now=later
    )
    assert done.destroyed == [status.kid]
    with pytest.raises(Unreachable, match="KeysUnusable"):
        status.sign(cose.to_be_signed(cose.header(bytes(8), LIST_TYP), b""))
    assert {"s/1.notes", "s/1"} <= {*plane.publish(connect("reader"), later).written}


def test_without_its_agent_a_key_is_not_usable(tmp_path):
    assert Settings.from_environment({"REGISTRY_SIGNER": "agent:/run/s.sock"}).signer == Path("/run/s.sock")
    with pytest.raises(BadSetting):
        Settings.from_environment({"REGISTRY_SIGNER": "cloud"})
    with pytest.raises(KeysUnusable, match="does not answer"):
        KeyFolder(tmp_path / "keys", MASTER, agent=Agent(tmp_path / "none")).init(HOST, NOON, specimen=True)


def test_each_use_signs_its_own_shapes_and_no_other(keys):
    noted = []
    log = keys.signer("log", NOON)

    class Noting:
        public = log.public

        def sign(self, message):
            noted.append(message)
            return log.sign(message)

    signed_checkpoint(f"{HOST}/log", 7, bytes(32), Noting())
    shapes = {
        "log": noted[0],
        "jwt": b"eyJhbGciOiJFUzI1NiJ9.e30",
        "status": cose.to_be_signed(cose.header(bytes(8), NOTES_TYP), b"x"),
        "certificate": cose.to_be_signed(cose.header(bytes(8), "iecmh+cwt"), b"x"),
    }
    for use in shapes:
        assert [other for other in shapes if is_ours(use, shapes[other])] == [use]
        assert not is_ours(use, b"any other text")
