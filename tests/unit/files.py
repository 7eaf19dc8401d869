"""The port of files, in memory: tests of single parts need no disk."""

import errno
from pathlib import Path


class Drawer:
    """Files in memory. Whoever may not read one, or finds no room, gets an error as on a disk."""

    def __init__(self) -> None:
        self.content: dict[Path, bytes] = {}
        self.modes: dict[Path, int] = {}
        self.owners: dict[Path, int] = {}
        self.locked = False
        self.full = False

    def read(self, path: Path) -> bytes:
        if self.locked:
            raise PermissionError(path)
        if path not in self.content:
            raise FileNotFoundError(path)
        return self.content[path]

    def mode(self, path: Path) -> int:
        self.read(path)
        return self.modes.get(path, 0o600)

    def owner(self, path: Path) -> int:
        self.read(path)
        return self.owners.get(path, 1000)

    def modified(self, path: Path) -> float:
        self.read(path)
        return 0.0

    def free(self, folder: Path) -> int:
        del folder
        return 0 if self.full else 1_000_000_000

    def matching(self, folder: Path, pattern: str) -> list[Path]:
        return sorted(path for path in self.content if path.parent == folder and path.match(pattern))

    def write_durably(self, path: Path, content: bytes, *, private: bool = False) -> None:
        del private
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        self.content[path] = content

    def rewrite(self, path: Path, content: bytes) -> None:
        self.read(path)
        self.write_durably(path, content)

    def create_private(self, path: Path, content: bytes) -> None:
        if path in self.content:
            raise FileExistsError(errno.EEXIST, "File exists", str(path))
        self.write_durably(path, content, private=True)

    def remove(self, path: Path) -> None:
        self.content.pop(path, None)
