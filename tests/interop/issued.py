"""What the strangers are asked about: certificates issued as the demo issues them, their siblings, and static planes.

A sibling is a folder of the same files: of a certificate that is no longer good, or one that somebody made up.
"""

import json
import shutil
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

import psycopg
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from grounds import MovingClock

from domain.access import OPERATOR, Actor
from domain.endorsement import Endorsement, Source, new_number
from registry import database
from registry.certificates import badge, bitstring, qr, rdf
from registry.certificates.batch import write_certificate
from registry.certificates.keys import FileSigner, announce
from registry.certificates.succession import Succession
from registry.commands import Act
from registry.importing import record_hash
from registry.opening import open_issuer, open_keys, open_plane, open_printer, open_registry
from verifier import certificate as code
from verifier import integrity, jwt, multibase

FILES = ("credential.json", "credential.jwt", "badge.png", "badge.svg", "qr.txt", "proof.tlog-proof")
LIST = "status/revocation/1"
CREDENTIALS = "https://www.w3.org/2018/credentials#"
_OPERATOR = Act(OPERATOR)


class Signer:
    """Signs as whom it likes: `key` is the name of the key that it claims."""

    def __init__(self, signer, key=""):
        self.sign = signer.sign
        self.key = key or f"{signer.controller}#{signer.kid}"


def somebody(use, controller):
    """A key that is in no document of ours."""
    secret = sha256(b"a stranger's own").digest()
    private = derive_private_key(int.from_bytes(secret), SECP256R1()) if use == "jwt" else None
    return FileSigner(private or Ed25519PrivateKey.from_private_bytes(secret), use, controller)


class Life:
    """A registry with demo keys, and people in it whose certificates ended in each way there is."""

    def __init__(self, settings):
        self.settings = settings
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.clock = MovingClock(self.now - timedelta(days=90))
        self.keys = open_keys(settings)
        self.host = settings.public_host
        self.keys.init(self.host, self.clock(), specimen=True)
        self.registry = open_registry(settings, clock=self.clock)
        self.store = self.registry.store
        announce(self.store, self.keys, on=self.clock.today, by=OPERATOR.by)
        self.registry.admit_all(_OPERATOR)

    @property
    def today(self):
        return self.registry.today("VA")

    def endorsed(self, name, through):
        """Somebody of Virginia whose endorsement was imported, with a certificate of today."""
        email = f"{name.split()[0].lower()}@example.org"
        registered = self.registry.register_person(_OPERATOR, name=name, residence="VA", email=email)
        person = registered.events[0].originator_id.partition("/")[2]
        endorsement = Endorsement(new_number("IFS", self.registry.draw))
        endorsement.record(
            Endorsement.Imported, number=endorsement.number, person=person, category="IFS", association="VA",
            awarded_on=date(2019, 5, 3), through=through, standing="active", record=email,
            source=Source("ab" * 32, 1, record_hash(self.store, "VA", email)), on=self.today, by=OPERATOR.by,
        )  # fmt: skip
        self.store.save(endorsement)
        self.registry.issue_certificate(_OPERATOR, endorsement.number)
        return endorsement.number, person

    def reported_renewed(self, number, through):
        endorsement = self.store.get(Endorsement, number)
        endorsement.record(
            Endorsement.Reported, means="renewal", standing="active", through=through,
            source=Source("cd" * 32, 1, "r"), on=self.today, by=OPERATOR.by,
        )  # fmt: skip
        self.store.save(endorsement)
        self.registry.issue_certificate(_OPERATOR, number)

    def publish(self):
        with psycopg.connect(database.url(self.settings, "reader"), autocommit=True) as connection:
            open_plane(self.settings, self.keys).publish(connection, self.clock())


def issue(settings, folder):
    """Folders of certificates by what became of them, and static planes; all of them in `folder`."""
    life = Life(settings)
    with closing(life.store), closing(life.store.vault):
        _issue(life, folder)
        Forger(life, folder).all()
        _planes(life, folder)
        _withdrawn(life, folder)


def _issue(life, folder):
    registry, coordinator = life.registry, Act(Actor("coordinator", "VA"))
    soon, later = life.today + timedelta(days=60), date(life.now.year + 2, 12, 31)
    people = {
        "now": life.endorsed("Marisol Okafor", later),
        "renewed": life.endorsed("Beatriz Begay", later),
        "suspended": life.endorsed("Caoimhe Tran", later),
        "removed": life.endorsed("Dolores Quispe", later),
        "expired": life.endorsed("Elif Nakai", soon),
    }
    first = {name: life.store.get(Endorsement, number).certificates[0].cti for name, (number, _) in people.items()}
    life.clock.set(life.now - timedelta(minutes=5))
    registry.rename_person(_OPERATOR, people["now"][1], name="Marisol Okafor-Reyes")
    life.reported_renewed(people["renewed"][0], later.replace(year=later.year + 3))
    registry.suspend(coordinator, people["suspended"][0], reason="fraud_being_established")
    _remove(life, people["removed"][0])
    life.clock.set(life.now)
    life.publish()

    plane = folder / "plane"
    shutil.copytree(life.settings.static, plane)
    issuer = open_issuer(life.settings, life.store, life.keys, open_printer(life.settings))
    for name, (number, _) in people.items():
        write_certificate(folder / name, issuer.render(number, "" if name == "now" else first[name]))
    write_certificate(folder / "superseded", issuer.render(people["now"][0], first["now"]))


def _remove(life, number):
    one, two = (Act(Actor("coordinator", "VA", id=f"key-{n}")) for n in "12")
    life.registry.report_sanction(one, number, source="fraud_finding", decided_on=life.today)
    life.registry.propose_removal(one, number, ground="fraud")
    life.registry.remove(two, number)


def _planes(life, folder):
    """`stale`: lists of three days ago; `forged`: lists without any revocation, and a checkpoint, that somebody
    signed; `gone`: no lists."""
    address, issuer = f"https://{life.host}/{LIST}", f"did:web:{life.host}"
    for name in ("stale", "forged", "gone"):
        shutil.copytree(folder / "plane", folder / name)
    for use, end, write in (("certificate", "", as_json), ("jwt", ".jwt", as_jwt)):
        ours = life.keys.signer(use, life.now)
        key = f"{issuer}#{ours.kid}"
        for name, signer, days in (("stale", ours, 3), ("forged", somebody(use, issuer), 0)):
            at = int((life.now - timedelta(days=days)).timestamp())
            unsigned = bitstring.document([], address, issuer, at)
            (folder / name / f"{LIST}{end}").write_bytes(write(unsigned, Signer(signer, key)))
        (folder / "gone" / f"{LIST}{end}").unlink()
    text, _, signature = (folder / "plane/checkpoint").read_text().rpartition(" ")
    bent = b64encode(changed(b64decode(signature))).decode()
    (folder / "forged/checkpoint").write_text(f"{text} {bent}\n")


def _withdrawn(life, folder):
    """`withdrawn`: the plane after every key was stolen, and the registry said so; the certificates are as before."""
    stolen = [life.keys.signer(use, life.now).kid for use in ("certificate", "jwt", "status")]
    succession = Succession(life.store, life.keys, host=life.host, by=OPERATOR.by)
    for kid in stolen:
        succession.withdraw(kid, "compromised", since=life.now - timedelta(days=1), now=life.now)
    life.clock.move(seconds=2)
    life.publish()
    shutil.copytree(life.settings.static, folder / "withdrawn")


# --- what a forger makes of them


def as_json(document, signer):
    """With both proofs, whoever signs, as the registry writes them."""
    created = document["validFrom"]
    options = badge._rdf_of_proof(signer.key, created)
    ours = integrity.prove(document, signer.key, integrity.seconds(created), signer.sign)
    theirs = {name: value for name, value in ours.items() if name != "@context"} | {
        "cryptosuite": integrity.RDFC,
        "proofValue": multibase.encode(signer.sign(sha256(options).digest() + rdf.digest(document))),
    }
    return json.dumps({**document, "proof": [theirs, ours]}, ensure_ascii=False).encode()


def as_jwt(document, signer):
    claims = {
        **document,
        "iss": document["issuer"] if isinstance(document["issuer"], str) else document["issuer"]["id"],
        "jti": document["id"],
        "nbf": integrity.seconds(document["validFrom"]),
        "exp": integrity.seconds(document["validUntil"]),
        "sub": document["credentialSubject"]["id"],
    }
    return jwt.seal(claims, signer.key, signer.sign).encode()


def changed(signature):
    """One bit of it, in the middle."""
    at = len(signature) // 2
    return signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :]


class Forger:
    """Folders of certificates that nobody issued, each made of one that was."""

    def __init__(self, life, folder):
        self.folder = folder
        self.did = f"did:web:{life.host}"
        self.life = life
        self.now = folder / "now"

    def all(self):
        kid, jwt_kid = (self.life.keys.signer(use, self.life.now).kid for use in ("certificate", "jwt"))
        lists = self.life.keys.signer("status", self.life.now)
        one, other = somebody("certificate", self.did), somebody("jwt", self.did)
        self.signed("stolen", Signer(one, f"{self.did}#{kid}"), Signer(other, f"{self.did}#{jwt_kid}"), kid)
        self.signed("unknown_key", Signer(one), Signer(other), one.kid)
        self.signed("list_key", Signer(lists), None, lists.kid)
        self.name()
        self.signature()
        self.one_proof()
        self.respelled()
        self.letter()

    def credential(self, of="now"):
        return json.loads((self.folder / of / "credential.json").read_bytes())

    def put(self, name, **files):
        (self.folder / name).mkdir(exist_ok=True)
        for file, content in files.items():
            known = next(one for one in FILES if one.replace(".", "_").replace("-", "_") == file)
            (self.folder / name / known).write_bytes(content)
        if json_file := files.get("credential_json"):
            svg, png = ((self.now / f"qr.{end}").read_bytes() for end in ("svg", "png"))
            (self.folder / name / "badge.svg").write_bytes(badge.bake_svg(svg, json_file))
            (self.folder / name / "badge.png").write_bytes(badge.bake_png(png, json_file))

    def token(self):
        """The code of the present certificate, taken apart: where it is, its protected part, payload, signature."""
        sealed = code.unseal((self.now / "qr.txt").read_text().strip())
        return sealed, sealed.prefix.removeprefix("https://").removesuffix(code.PATH)

    def signed(self, name, signer, jwt_signer, kid):
        """All of it again, of the same words, by another."""
        document = self.credential()
        del document["proof"]
        sealed, host = self.token()
        words = code.text(host, code.seal(sealed.certificate, bytes.fromhex(kid), signer.sign))
        tokens = {"credential_jwt": as_jwt(document, jwt_signer)} if jwt_signer else {}
        self.put(name, credential_json=as_json(document, signer), qr_txt=words.encode(), **tokens)

    def name(self):
        document = self.credential()
        document["credentialSubject"]["identifier"][0]["identityHash"] = "Somebody Else"
        head, payload, signature = (self.now / "credential.jwt").read_bytes().split(b".")
        claims = json.loads(urlsafe_b64decode(payload + b"=="))
        claims["credentialSubject"]["identifier"][0]["identityHash"] = "Somebody Else"
        payload = urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
        sealed, host = self.token()
        message = code.undigits((self.now / "qr.txt").read_text().strip().partition("#")[2])
        said, other = sealed.certificate.name.encode(), sealed.certificate.name.replace("Okafor", "Cooper").encode()
        self.put(
            "name",
            credential_json=json.dumps(document, ensure_ascii=False).encode(),
            credential_jwt=b".".join([head, payload, signature]),
            qr_txt=code.text(host, message.replace(said, other)).encode(),
        )

    def signature(self):
        document = self.credential()
        for proof in document["proof"]:
            proof["proofValue"] = multibase.encode(changed(multibase.decode(proof["proofValue"], 64)))
        signed, _, signature = (self.now / "credential.jwt").read_bytes().rpartition(b".")
        bent = urlsafe_b64encode(changed(urlsafe_b64decode(signature + b"=="))).rstrip(b"=")
        _, host = self.token()
        message = code.undigits((self.now / "qr.txt").read_text().strip().partition("#")[2])
        proof_lines = (self.now / "proof.tlog-proof").read_text().split("\n")
        proof_lines[3] = proof_lines[4]
        self.put(
            "signature",
            credential_json=json.dumps(document, ensure_ascii=False).encode(),
            credential_jwt=signed + b"." + bent,
            qr_txt=code.text(host, message[:-64] + changed(message[-64:])).encode(),
            proof_tlog_proof="\n".join(proof_lines).encode(),
        )

    def one_proof(self):
        """One of the two proofs is not good."""
        for at, name in enumerate(("rdfc_broken", "jcs_broken")):
            document = self.credential()
            value = document["proof"][at]["proofValue"]
            document["proof"][at]["proofValue"] = multibase.encode(changed(multibase.decode(value, 64)))
            self.put(name, credential_json=json.dumps(document, ensure_ascii=False).encode())

    def respelled(self):
        """By members that mean the same to a reader of JSON-LD and nothing to one of JSON; and one that means none."""
        for name, of, member in (
            ("expiry_respelled", "expired", "validUntil"),
            ("status_respelled", "removed", "credentialStatus"),
        ):
            document = self.credential(of)
            document[CREDENTIALS + member] = document.pop(member)
            if member == "validUntil":
                instant = "http://www.w3.org/2001/XMLSchema#dateTime"
                document[CREDENTIALS + member] = {"@type": instant, "@value": document[CREDENTIALS + member]}
            self.put(name, credential_json=json.dumps(document, ensure_ascii=False).encode())
        document = self.credential() | {"remark": "with honours"}
        self.put("remark", credential_json=json.dumps(document, ensure_ascii=False).encode())

    def letter(self):
        """A letter of registration by the right key: it is no endorsement."""
        sealed, host = self.token()
        signer = self.life.keys.signer("certificate", self.life.now)
        self.put("letter", qr_txt=qr.sealed(sealed.certificate, signer, host, code.LETTER_TYP).encode())
