"""A disk of the publisher whose process is killed at a step that a test chooses."""

from registry.log.tiles import Disk


class Killed(Exception):
    pass


class KilledAt(Disk):
    """A disk whose process is killed before its Nth operation, or, for a write, in the middle of it."""

    def __init__(self, step):
        self.left = step
        self.done = []

    def _step(self, what, path):
        self.left -= 1
        if self.left == 0:
            raise Killed
        self.done.append((what, path))

    def make(self, folder):
        self._step("make", folder)
        super().make(folder)

    def write(self, path, data):
        try:
            self._step("write", path)
        except Killed:
            path.write_bytes(data[: len(data) // 2])
            raise
        super().write(path, data)

    def rename(self, old, new):
        self._step("rename", new)
        super().rename(old, new)

    def sync(self, folder):
        self._step("sync", folder)
        super().sync(folder)

    def remove(self, path):
        self._step("remove", path)
        super().remove(path)
