"""A socket in front of the server's, for tests of what is lost on the way."""

import socket
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest


class Proxy:
    """A socket in front of the server's that loses what it is told to."""

    def __init__(self, server, folder):
        self.server = server
        self.folder = folder
        self.lose: str | None = None
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(Path(folder) / ".s.PGSQL.5432"))
        self._listening.listen(50)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        # A blocked accept() ends by shutdown, not by close.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self):
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                if self.lose == "new connections":
                    threading.Thread(target=self._ignore, args=(client,), daemon=True).start()
                    continue
                server = socket.socket(socket.AF_UNIX)
                server.connect(f"{self.server}/.s.PGSQL.5432")
                lost = threading.Event()
                for pair in ((client, server, "question"), (server, client, "answer")):
                    threading.Thread(target=self._pass_on, args=(*pair, lost), daemon=True).start()

    def _ignore(self, client):
        with client, suppress(OSError):
            while client.recv(1 << 16):
                pass

    def _pass_on(self, from_, to, what, lost):
        with from_, to, suppress(OSError):
            while data := from_.recv(1 << 16):
                if what == "question" and self.lose == "the question":
                    self.lose = None
                    break
                if what == "question" and self.lose in ("the answer", "the answer, silently"):
                    lost.silently = self.lose.endswith("silently")
                    self.lose = None
                    lost.set()
                elif what == "answer" and lost.is_set():
                    if not lost.silently:
                        break
                    continue
                to.sendall(data)
            for each in (from_, to):
                each.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(settings):
    """In front of the server of these settings."""
    with tempfile.TemporaryDirectory() as folder:
        proxy = Proxy(parse_qs(urlsplit(settings.database_url).query)["host"][0], folder)
        yield proxy
        proxy.close()
