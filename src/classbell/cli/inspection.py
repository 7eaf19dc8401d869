"""What ``config check`` finds beyond the settings themselves: in the files, certificates and templates they name."""

from collections.abc import Iterator, Mapping

from classbell.errors import ClassbellError, ConfigurationError, RefusedError
from classbell.identity.certificates import load_credential
from classbell.ports import Files
from classbell.renderings import Renderings
from classbell.settings import (
    Ask,
    Configuration,
    InstitutionSettings,
    Problem,
    absences,
    problem_of,
)
from classbell.settings.origins import did_you_mean, nearest
from classbell.sources import fields_given

# The default templates use these, whether a source has them or not.
COMMON_FIELDS = frozenset({"title", "location", "description"})

Finding = tuple[str, int, ClassbellError]


def inspect(
    configuration: Configuration,
    files: Files,
    environ: Mapping[str, str],
    now: float,
    ask: Ask | None = None,
) -> tuple[list[Problem], list[Problem]]:
    """
    Problems and warnings. An institution's certificates and templates are looked into once all its files are there.

    A certificate that is out of its time is a problem only if it leaves the institution without any.
    """
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for settings in configuration.institutions.values():
        missing = absences(configuration.only(settings.id), files, environ)
        problems += missing
        if missing:
            continue
        found = [*_certificates(settings, files, environ, now, ask), *_templates(settings, files)]
        untimely = [error for _, _, error in found if isinstance(error, RefusedError)]
        bearable = len(untimely) < len(settings.tenant.certificates)
        for table, number, error in found:
            origin = configuration.origin("institutions", settings.id, *table.split("."), number)
            passes = bearable and isinstance(error, RefusedError)
            (warnings if passes else problems).append(problem_of(error, origin))
        if not problems:
            for number, error in _unknown_fields(settings, files):
                origin = configuration.origin("institutions", settings.id, "profiles", number)
                warnings.append(problem_of(error, origin))
    return problems, warnings


def _certificates(
    settings: InstitutionSettings, files: Files, environ: Mapping[str, str], now: float, ask: Ask | None
) -> Iterator[Finding]:
    for number, certificate in enumerate(settings.tenant.certificates):
        try:
            load_credential(certificate, files, environ, now, ask)
        except (ConfigurationError, RefusedError) as error:
            yield "tenant.certificates", number, error


def _templates(settings: InstitutionSettings, files: Files) -> Iterator[Finding]:
    for number, profile in enumerate(settings.profiles):
        try:
            Renderings([profile], files, {})
        except ConfigurationError as error:
            yield "profiles", number, error


def _unknown_fields(settings: InstitutionSettings, files: Files) -> Iterator[tuple[int, ConfigurationError]]:
    """Fields that a profile's templates use and none of its sources can give: they would stay empty."""
    given = {source.name: fields_given(source) for source in settings.sources}
    for number, profile in enumerate(settings.profiles):
        sources = {name for a in settings.audience if a.profile == profile.name for name in a.gets}
        known = COMMON_FIELDS.union(*(given[name] for name in sources))
        for field in sorted(Renderings([profile], files, {}).needs(profile.name) - known):
            hint = did_you_mean(nearest(field, known))
            yield (
                number,
                ConfigurationError(
                    "W-CFG-FIELD",
                    f'profile "{profile.name}" uses {{{{ {field} }}}}, which none of its sources gives: it stays'
                    f" empty.   {hint}".rstrip(),
                    why="a template can only show what a source's meetings have",
                    do="correct the name, or give the table's map a column for it",
                ),
            )
