"""From files and environment to one checked configuration, or to all that is wrong with it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from classbell.errors import ConfigurationError
from classbell.ports import Files
from classbell.settings import environment
from classbell.settings.base import Settings
from classbell.settings.checks import contradictions, oddities
from classbell.settings.complaints import Complaint, complaints
from classbell.settings.configuration import Configuration, Unsound, no_institution
from classbell.settings.documents import Document, read_document
from classbell.settings.draft import DraftSettings
from classbell.settings.environment import Override
from classbell.settings.host import HostSettings
from classbell.settings.institution import InstitutionSettings
from classbell.settings.origins import (
    InvalidConfiguration,
    KeyPath,
    Origin,
    Problem,
    dotted,
)

Model = TypeVar("Model", bound=Settings)


def load(path: Path, files: Files, environ: Mapping[str, str]) -> Configuration:
    """
    Read the host file and the files of the institutions that it includes.

    Raises:
        ConfigurationError: ``E-CFG-NONE``, there is no host file to be read.
        InvalidConfiguration: with every problem in all files.
    """
    configuration = load_sound(path, files, environ)
    if configuration.unsound:
        raise InvalidConfiguration(configuration.problems())
    return configuration


def load_sound(path: Path, files: Files, environ: Mapping[str, str]) -> Configuration:
    """
    The same, but what is wrong with one institution keeps no other from being used: see ``Configuration.unsound``.

    Raises:
        ConfigurationError: ``E-CFG-NONE``, there is no host file to be read.
        InvalidConfiguration: with every problem in all files, if one is of the host file or the environment.
    """
    loader = _Loader(path, files, environ)
    host = loader.host()
    of_host = len(loader.problems)
    institutions = loader.institutions(host)
    of_institutions = len(loader.problems)
    loader.report_unused_variables(institutions)
    if host is None or of_host or len(loader.problems) > of_institutions:
        raise InvalidConfiguration(loader.problems)
    return Configuration(
        host=host,
        institutions=dict(sorted(institutions.items())),
        origins=loader.origins,
        warnings=tuple(loader.warnings),
        unsound=tuple(loader.unsound),
    )


@dataclass(frozen=True, kw_only=True)
class Draft:
    """
    An institution whose file need not be complete: what is known of it, and the file.

    ``variables`` are those of the environment that overrule the file, by what they set: ``("tenant", "client_id")``.
    """

    settings: DraftSettings
    path: Path
    variables: Mapping[KeyPath, str]


def load_draft(path: Path, files: Files, environ: Mapping[str, str], chosen: str | None) -> Draft:
    """
    Read of one institution what connects it to Microsoft, whatever else its file lacks.

    Args:
        path: the host file.
        files: the files they are read from.
        environ: the environment, which overrules files.
        chosen: the institution's id; None for the only one there is.

    Raises:
        ConfigurationError: ``E-CFG-NONE``, there is no host file; ``E-CFG-INSTITUTION``, there is no such
            institution, or there are several.
        InvalidConfiguration: with every problem of the parts that are read.
    """
    loader = _Loader(path, files, environ)
    host = loader.host()
    if host is None:
        raise InvalidConfiguration(loader.problems)
    return loader.draft(host, chosen)


class _Loader:
    """Collects what it finds: a problem does not end the search for more."""

    def __init__(self, path: Path, files: Files, environ: Mapping[str, str]) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.unsound: list[Unsound] = []
        self.origins: dict[str, Origin] = {}
        self._files = files
        self._overrides = environment.overrides(environ, _roots())
        self._secrets: set[str] = set()
        self._variables: dict[str, dict[KeyPath, str]] = {}
        self._document = _host_document(path, files)

    def host(self) -> HostSettings | None:
        """The host file's settings, or None if it has problems."""
        roots = {root.upper() for root in _roots()}
        mine = [(one, one.levels) for one in self._overrides if one.levels[0] in roots]
        return self._validated(HostSettings, self._document, mine, ())

    def institutions(self, host: HostSettings | None) -> dict[str, InstitutionSettings]:
        """The institutions without problems, by id."""
        include = host.include if host else HostSettings.model_fields["include"].default
        found: dict[str, InstitutionSettings] = {}
        homes: dict[str, Document] = {}
        for document in self._included(include):
            before = len(self.problems)
            settings = self._institution(document)
            claims = _claims(document) if settings is None else [settings.id, settings.tenant.tenant_id]
            taken = next((homes[one] for one in claims if one in homes), None)
            if settings is not None:
                self._report(self.problems, _given_twice(settings, homes), document)
                if taken is not None:
                    # Which of the two is meant nobody can tell: neither is used.
                    self._set_aside(taken, self.problems[before:])
                    found = {name: each for name, each in found.items() if name != _id(taken)}
            if self.problems[before:]:
                self._set_aside(document, self.problems[before:])
            elif settings is not None:
                found[settings.id] = settings
            for one in claims:
                homes.setdefault(one, document)
        return found

    def _set_aside(self, document: Document, problems: Iterable[Problem]) -> None:
        self.unsound.append(Unsound(id=_id(document), file=document.label, problems=tuple(problems)))

    def draft(self, host: HostSettings, chosen: str | None) -> Draft:
        """The institution with this id, as far as it is known; without an id, the only one."""
        documents = {_id(one): one for one in self._included(host.include)}
        if chosen is None and len(documents) == 1:
            chosen = next(iter(documents))
        if chosen not in documents:
            if self.problems:
                raise InvalidConfiguration(self.problems)
            raise no_institution(chosen, list(documents))
        document = documents[chosen]
        settings = self._validated(
            DraftSettings, document, self._overriding(chosen), ("institutions", chosen)
        )
        if settings is None:
            raise InvalidConfiguration(self.problems)
        return Draft(settings=settings, path=document.path, variables=self._variables[document.label])

    def report_unused_variables(self, institutions: Iterable[str]) -> None:
        """Settings in the environment that nothing took are problems: somebody relies on them."""
        known = [f"{environment.PREFIX}{root.upper()}" for root in _roots()]
        beginning = f"{environment.PREFIX}{environment.INSTITUTIONS}__"
        known += [beginning + environment.institution_level(name) for name in institutions]
        found = self._overrides
        if any(not one.id for one in self.unsound):
            # They may be for an institution whose id cannot be read.
            found = [one for one in found if one.levels[0] != environment.INSTITUTIONS]
        self.problems += environment.unused(found, self._secrets, known)

    def _institution(self, document: Document) -> InstitutionSettings | None:
        name = _id(document)
        mine = self._overriding(name)
        settings = self._validated(InstitutionSettings, document, mine, ("institutions", name))
        if settings is not None:
            self._report(self.problems, contradictions(settings), document)
            self._report(self.warnings, oddities(settings), document)
        return settings

    def _overriding(self, institution: str) -> list[tuple[Override, tuple[str, ...]]]:
        beginning = (environment.INSTITUTIONS, environment.institution_level(institution))
        return [(one, one.levels[2:]) for one in self._overrides if one.levels[:2] == beginning]

    def _validated(
        self,
        model: type[Model],
        document: Document,
        mine: Iterable[tuple[Override, tuple[str, ...]]],
        prefix: KeyPath,
    ) -> Model | None:
        data = deepcopy(document.data)
        variables = self._variables.setdefault(document.label, {})
        for one, levels in mine:
            path = environment.put(data, levels, one.value)
            if path:
                variables[path] = one.variable
                self._overrides.remove(one)
        self._secrets |= set(_environment_names(data))
        for path in _paths(data):
            self.origins[dotted((*prefix, *path))] = _origin(path, document, variables)
        try:
            return model.model_validate(data, context={"base": document.path.parent.absolute()})
        except ValidationError as error:
            self._report(self.problems, complaints(error, model, data), document)
            return None

    def _included(self, include: Iterable[str]) -> Iterator[Document]:
        seen: set[Path] = set()
        for number, pattern in enumerate(include):
            found = self._matching(pattern)
            if not found:
                text, hint = f'"{pattern}" matches no file.', "Each institution has a file of its own."
                complaint = Complaint("W-CFG-INCLUDE", ("include", number), text, hint)
                self._report(self.warnings, [complaint], self._document)
            for path in found:
                if path.absolute() not in seen:
                    seen.add(path.absolute())
                    yield from self._read(path)

    def _matching(self, pattern: str) -> list[Path]:
        path = Path(pattern)
        if not any(sign in pattern for sign in "*?["):
            # A file that is named must be there; reading it tells if it is not.
            return [self._document.path.parent / path]
        if path.is_absolute():
            root = Path(path.anchor)
            return self._files.matching(root, str(path.relative_to(root)))
        return self._files.matching(self._document.path.parent, pattern)

    def _read(self, path: Path) -> Iterator[Document]:
        try:
            yield read_document(path, str(path), self._files)
        except InvalidConfiguration as error:
            self._unread(path, error.problems)
        except OSError as error:
            reason = f"{error.strerror or type(error).__name__}."
            origin = Origin(file=str(path))
            text = "the file cannot be read."
            self._unread(path, [Problem(code="E-CFG-NONE", origin=origin, text=text, hint=reason)])

    def _unread(self, path: Path, problems: Sequence[Problem]) -> None:
        self.problems += problems
        self.unsound.append(Unsound(id="", file=str(path), problems=tuple(problems)))

    def _report(
        self,
        to: list[Problem],
        found: Iterable[Complaint],
        document: Document,
    ) -> None:
        variables = self._variables.get(document.label, {})
        problems = [
            Problem(
                code=one.code, origin=_origin(one.path, document, variables), text=one.text, hint=one.hint
            )
            for one in found
        ]
        to += sorted(problems, key=lambda problem: problem.origin.line)


def _id(document: Document) -> str:
    return str(document.data.get("id", ""))


def _claims(document: Document) -> list[str]:
    """What a file that has problems says of whose it is."""
    tenant = document.data.get("tenant")
    said = [document.data.get("id"), tenant.get("tenant_id") if isinstance(tenant, dict) else None]
    return [one for one in said if isinstance(one, str)]


def _given_twice(settings: InstitutionSettings, homes: Mapping[str, Document]) -> Iterator[Complaint]:
    """What belongs to one institution only, and stands in another one's file already (*homes*)."""
    if settings.id in homes:
        text = f'the id "{settings.id}" is also in {homes[settings.id].label}.'
        yield Complaint("E-CFG-TWICE", ("id",), text)
        return
    tenant = settings.tenant.tenant_id
    if tenant in homes:
        # Each would take the other's events for those of a lost ledger.
        text = f'the tenant "{tenant}" is also in {homes[tenant].label}.'
        hint = "Institutions do not share mailboxes: put the sources of both into one file."
        yield Complaint("E-CFG-TWICE", ("tenant", "tenant_id"), text, hint)


def _roots() -> list[str]:
    return [field.alias or name for name, field in HostSettings.model_fields.items()]


def _host_document(path: Path, files: Files) -> Document:
    try:
        return read_document(path, str(path), files)
    except OSError as error:
        raise ConfigurationError(
            "E-CFG-NONE",
            f"There is no configuration to be read at {path}.",
            why=f"{error.strerror or type(error).__name__}.",
            effect="nothing was changed.",
            do="classbell init writes a first one, --config names another; classbell demo needs none.",
        ) from error


def _origin(path: KeyPath, document: Document, variables: Mapping[KeyPath, str]) -> Origin:
    for length in range(len(path), 0, -1):
        if path[:length] in variables:
            return Origin(variable=variables[path[:length]])
    return Origin(file=document.label, line=document.line(path))


def _paths(data: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    if path:
        yield path
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _paths(value, (*path, key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _paths(value, (*path, number))


def _environment_names(data: Any) -> Iterator[str]:
    """The variables that secrets are kept in, found even in files that have problems."""
    if isinstance(data, dict):
        if isinstance(data.get("env"), str):
            yield data["env"]
        for value in data.values():
            yield from _environment_names(value)
    elif isinstance(data, list):
        for value in data:
            yield from _environment_names(value)
