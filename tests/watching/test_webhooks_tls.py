"""Alerts over a real TLS handshake: only to whom a trusted authority certified the address's name."""

import ipaddress
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from registry.webhooks.receiver import Receiver
from registry.webhooks.sending import DELAYS, Delivery, send

NEVER = threading.Event()
NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=30)
_CRITICAL = (x509.BasicConstraints, x509.KeyUsage, x509.SubjectAlternativeName)


class Authority:
    """A made-up one that signs certificates."""

    def __init__(self, name):
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._signed(self._name, self._key.public_key(), LATER, [
            x509.BasicConstraints(ca=True, path_length=0),
            x509.KeyUsage(digital_signature=False, content_commitment=False, key_encipherment=False,
                          data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
                          encipher_only=False, decipher_only=False),
        ])  # fmt: skip

    def certify(self, name, until=LATER):
        """A key and the certificate of it, as one PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            named = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            named = x509.DNSName(name)
        signed = self._signed(x509.Name([]), key.public_key(), until, [
            x509.SubjectAlternativeName([named]),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
        ])  # fmt: skip
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + pem(signed)

    def _signed(self, subject, key, until, extensions):
        made = x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number(),
                                       NOW - timedelta(days=60), until)  # fmt: skip
        for one in [*extensions, x509.SubjectKeyIdentifier.from_public_key(key)]:
            made = made.add_extension(one, critical=isinstance(one, _CRITICAL))
        return made.sign(self._key, SHA256())


def pem(certificate):
    return certificate.public_bytes(Encoding.PEM)


@pytest.fixture(scope="module")
def authority():
    return Authority("an authority")


@pytest.fixture
def tls(authority, tmp_path, monkeypatch):
    """The receiver's side; whom this machine trusts is the authority alone."""
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(pem(authority.certificate))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


@pytest.fixture
def showing(tls, tmp_path):
    """From now on the receiver shows this certificate."""

    def show(certificate):
        path = tmp_path / "server.pem"
        path.write_bytes(certificate)
        tls.load_cert_chain(path)

    return show


@pytest.fixture
def deliver(employer, life, receiving, registry):
    """One alert waits; tries to send it."""
    employer.do("follows", {"number": life.number, "name": "Marisol Okafor"})
    employer.do("webhooks", {"url": receiving.url})
    life.suspend()
    return lambda: send(registry, employer.id, NEVER, local=True)


def test_an_alert_goes_to_whom_a_trusted_authority_named(deliver, showing, authority, receiving):
    showing(authority.certify("localhost"))

    assert deliver() is None
    assert len(receiving.came) == 1


@pytest.mark.parametrize(
    "certificate",
    [
        pytest.param(lambda trusted: trusted.certify("hr.example.org"), id="of another name"),
        pytest.param(lambda _: Authority("an authority").certify("localhost"), id="of an unknown authority"),
        pytest.param(lambda trusted: trusted.certify("localhost", NOW - timedelta(days=1)), id="expired"),
    ],
)
def test_nothing_is_said_to_another_and_it_is_tried_again(
    certificate, deliver, showing, authority, receiving, registry, employer, clock, caplog
):
    showing(certificate(authority))

    following = deliver()

    state = Delivery(*registry.store.delivery(employer.id))
    assert (state.answer, state.attempts, state.failing_since) == ("tls", 1, clock())
    assert following == clock() + DELAYS[0]
    assert receiving.came == []
    assert '"not_delivered"' in caplog.text
    for word in ("Okafor", "localhost", "hr.example.org", "Riverside"):
        assert word not in caplog.text

    showing(authority.certify("localhost"))
    clock.set(following)
    assert deliver() is None
    assert len(receiving.came) == 1


def test_the_name_is_checked_though_the_address_that_was_looked_at_is_called(
    showing, authority, receiving, monkeypatch
):
    there = ("127.0.0.1", int(receiving.url.split(":")[2].partition("/")[0]))
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", there)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    url = f"https://hr.example.org:{there[1]}/alerts"

    for name, told in (("127.0.0.1", "tls"), ("localhost", "tls"), ("hr.example.org", "204")):
        showing(authority.certify(name))
        with Receiver(url, local=True) as receiver_:
            assert receiver_.post(b"{}", {"Content-Type": "application/json"}).word == told
    assert len(receiving.came) == 1
