"""All settings of one installation: of the host, and of each institution whose file can be used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from classbell.errors import ConfigurationError
from classbell.settings.host import HostSettings
from classbell.settings.institution import InstitutionSettings
from classbell.settings.origins import InvalidConfiguration, Origin, Problem, did_you_mean, dotted, nearest


@dataclass(frozen=True, kw_only=True)
class Unsound:
    """
    The file of an institution that cannot be used, with all that is wrong with it.

    ``id`` is the institution's, or "" where even that cannot be read.
    """

    id: str
    file: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """
    All settings of one installation.

    ``origins`` has the origin of each value that was set, by its path: ``database.url``,
    ``institutions.example.window.past``. What is not in it has its default. ``warnings`` are what is
    allowed but unlikely to be meant. ``unsound`` are the institutions that are not among ``institutions``
    because of what is wrong with their files.
    """

    host: HostSettings
    institutions: dict[str, InstitutionSettings]
    origins: Mapping[str, Origin]
    warnings: tuple[Problem, ...] = ()
    unsound: tuple[Unsound, ...] = ()

    def origin(self, *path: str | int) -> Origin:
        """The origin of a value, or else of the nearest table around it that was set."""
        for length in range(len(path), 0, -1):
            found = self.origins.get(dotted(path[:length]))
            if found is not None:
                return found
        return Origin()

    def institution(self, chosen: str | None = None) -> InstitutionSettings:
        """
        The institution with this id; without an id, the only one.

        Raises:
            ConfigurationError: ``E-CFG-INSTITUTION``, there is none such, or there are several.
            InvalidConfiguration: there is, and its file has problems.
        """
        if chosen is None and len(self.institutions) == 1 and not self.unsound:
            return next(iter(self.institutions.values()))
        if chosen in self.institutions:
            return self.institutions[chosen]
        if meant := self._unsound_and_meant(chosen):
            raise InvalidConfiguration(list(dict.fromkeys(p for one in meant for p in one.problems)))
        raise no_institution(
            chosen, sorted({*self.institutions, *(one.id for one in self.unsound if one.id)})
        )

    def _unsound_and_meant(self, chosen: str | None) -> list[Unsound]:
        if chosen is None:
            return [] if self.institutions else list(self.unsound)
        named = [one for one in self.unsound if one.id == chosen]
        # Where nobody can read an id, it may be this one.
        return named or [one for one in self.unsound if not one.id]

    def only(self, chosen: str) -> "Configuration":
        """
        As if there were no other institution than this.

        Raises:
            ConfigurationError: as of ``institution``.
        """
        return replace(self, institutions={chosen: self.institution(chosen)}, unsound=())

    def problems(self) -> list[Problem]:
        """All that is wrong with the files of institutions, each once."""
        return list(dict.fromkeys(problem for one in self.unsound for problem in one.problems))


def no_institution(chosen: str | None, configured: Sequence[str]) -> ConfigurationError:
    """What to say if it is not clear which institution is meant, or if there is none such."""
    if chosen is not None:
        what = f'There is no institution "{chosen}".   {did_you_mean(nearest(chosen, configured))}'.rstrip()
    else:
        what = "There are several institutions." if configured else "There is no institution."
    return ConfigurationError(
        "E-CFG-INSTITUTION",
        what,
        why=f"configured: {', '.join(configured) or 'none'}.",
        do="name one with --institution; each has a file of its own under conf.d.",
    )
