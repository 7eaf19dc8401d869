"""Where saved plans are kept: in the file that was named, and for a day under their names beside the ledger."""

from contextlib import suppress
from pathlib import Path

import msgspec

from classbell.errors import ConfigurationError
from classbell.ports import Files
from classbell.saved import KEPT_FOR, SavedPlan, decode, encode

_ENDING = ".plan"


def folder_of(ledger: Path) -> Path:
    """The folder of the plans that are kept for a ledger."""
    return ledger.with_name(ledger.name + ".plans")


def keep(files: Files, ledger: Path, plan: SavedPlan, now: float) -> str | None:
    """
    Keep a plan under its name, and remove those that are too old; the name to ask for it by.

    None where this account may not write beside the ledger: then there is no plan to ask for, and no harm done.
    """
    folder = folder_of(ledger)
    try:
        # What will stand in calendars concerns nobody but who may read the ledger.
        folder.mkdir(mode=0o700, exist_ok=True)
        for old in files.matching(folder, "*" + _ENDING):
            if files.modified(old) < now - KEPT_FOR.total_seconds():
                files.remove(old)
        files.write_durably(folder / f"{plan.name}{_ENDING}", encode(plan), private=True)
    except OSError:
        return None
    return plan.name


def forget(files: Files, ledger: Path, key: str) -> None:
    """Remove the plans that are kept for a ledger and name somebody, by their mailbox key: none is good any more."""
    named = msgspec.json.encode(key)
    # What this account may not remove goes with what is too old.
    with suppress(OSError):
        for path in files.matching(folder_of(ledger), "*" + _ENDING):
            if named in files.read(path):
                files.remove(path)


def write(files: Files, path: Path, plan: SavedPlan) -> None:
    """
    Write a plan into the file that was named.

    Raises:
        ConfigurationError: E-PLAN-WRITE.
    """
    try:
        files.write_durably(path, encode(plan), private=True)
    except OSError as error:
        raise ConfigurationError(
            "E-PLAN-WRITE",
            f"The plan cannot be written to {path}.",
            why=error.strerror or "unknown",
            do="name another file, or make room in its folder",
            effect="no calendar was changed",
        ) from error


def find(files: Files, ledger: Path, named: str) -> SavedPlan:
    """
    The plan of a file, or of a name under which one is kept.

    Raises:
        ConfigurationError: E-PLAN-FILE, there is none, or it cannot be used.
    """
    kept = folder_of(ledger) / f"{Path(named).name.removesuffix(_ENDING)}{_ENDING}"
    for path in (Path(named), kept):
        try:
            content = files.read(path)
        except OSError:
            continue
        return decode(content, named)
    raise ConfigurationError(
        "E-PLAN-FILE",
        f"There is no plan {named}.",
        why="there is no such file, and no plan of this name has been kept; each is kept for 24 hours",
        do="make one: classbell plan -o FILE",
        effect="no calendar was changed",
    )
