"""A log that a test grows, and a witness in a folder: in this process, over HTTP, or as a process of its own."""

import threading
import time
from base64 import b64encode
from contextlib import contextmanager
from hashlib import sha256
from http.client import HTTPConnection

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from grounds import PATIENCE

from registry.log import tree
from registry.witness.server import server
from verifier import proof

ORIGIN = "registry.example/log"
NAME = "witness.example/w1"


class TestLog:
    """Leaves by number; `branch` makes others from some point on."""

    __test__ = False

    def __init__(self, seed=1, origin=ORIGIN):
        self.origin = origin
        self._key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.vkey = proof.vkey(origin, self._key.public_key().public_bytes_raw())

    def leaves(self, size, branch=None):
        return [
            proof.leaf_hash(sha256(f"{number} {branch if branch and number >= branch else ''}".encode()).digest())
            for number in range(size)
        ]

    def note(self, size, branch=None):
        root = b64encode(proof.root(self.leaves(size, branch))).decode()
        return f"{self.origin}\n{size}\n{root}\n"

    def sign(self, note):
        public = self._key.public_key().public_bytes_raw()
        signature = proof.key_id(self.origin, public) + self._key.sign(note.encode())
        return f"{note}\n— {self.origin} {b64encode(signature).decode()}\n"

    def checkpoint(self, size, branch=None):
        return self.sign(self.note(size, branch))

    def prove(self, old, size, branch=None):
        return tree.consistency(old, size, tree.nodes_over(self.leaves(size, branch))) if size else []

    def submission(self, old, size, branch=None):
        return proof.submission(old, self.prove(old, size, branch), self.checkpoint(size, branch))


@contextmanager
def listening(witness, port=0):
    """The witness over HTTP in a thread; gives its address."""
    addresses = []
    running = server(witness, host="127.0.0.1", port=port, started=addresses.append)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not addresses:
        assert thread.is_alive()
        time.sleep(0.005)
    try:
        yield addresses[0]
    finally:
        running.should_exit = True
        thread.join(timeout=PATIENCE)


def post(address, body, path="/add-checkpoint", method="POST"):
    """Status, type and text of the answer."""
    connection = HTTPConnection(address.removeprefix("http://"), timeout=PATIENCE)
    try:
        connection.request(method, path, body.encode() if isinstance(body, str) else body)
        answer = connection.getresponse()
        return answer.status, answer.headers["content-type"], answer.read().decode()
    finally:
        connection.close()
