"""Whether the files and variables that a configuration names are there and may be used."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from classbell.errors import ConfigurationError
from classbell.ports import Files
from classbell.settings.base import Settings
from classbell.settings.configuration import Configuration
from classbell.settings.origins import KeyPath, Problem, problem_of
from classbell.settings.references import FileReference, PrivateFile, Secret


def absences(configuration: Configuration, files: Files, environ: Mapping[str, str]) -> list[Problem]:
    """A problem for each file or variable that is missing, closed to us, or open to everybody."""
    return [
        problem_of(error, configuration.origin(*path))
        for name, settings in configuration.institutions.items()
        for path, place in _places(settings, ("institutions", name))
        for error in _tried(place, files, environ)
    ]


def _places(
    value: Any, path: KeyPath
) -> Iterator[tuple[KeyPath, Path | Secret | PrivateFile | FileReference]]:
    if isinstance(value, Path | Secret | PrivateFile | FileReference):
        yield path, value
    elif isinstance(value, Settings):
        for name, entry in value:
            yield from _places(entry, (*path, name))
    elif isinstance(value, tuple):
        for number, entry in enumerate(value):
            yield from _places(entry, (*path, number))


def _tried(
    place: Path | Secret | PrivateFile | FileReference, files: Files, environ: Mapping[str, str]
) -> Iterator[ConfigurationError]:
    try:
        match place:
            case Secret(prompt=True):
                pass  # it is looked for nowhere; whoever opens the key asks
            case Secret():
                place.reveal(files, environ)
            case PrivateFile():
                place.read(files, environ)
            case FileReference():
                place.read(files)
            case Path():
                files.mode(place)
    except ConfigurationError as error:
        yield error
    except OSError as error:
        yield ConfigurationError(
            "E-CFG-FILE",
            f"The file {place} cannot be read.",
            why=error.strerror or type(error).__name__,
            do="put it there, or correct the path.",
        )
