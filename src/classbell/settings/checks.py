"""What no single value shows: names that refer to nothing, names given twice, things that nobody uses."""

from collections.abc import Iterator, Sequence

from classbell.settings.complaints import Complaint
from classbell.settings.institution import InstitutionSettings
from classbell.settings.origins import KeyPath, did_you_mean, nearest


def contradictions(settings: InstitutionSettings) -> Iterator[Complaint]:
    """What makes an institution unusable as a whole."""
    sources = [one.name for one in settings.sources]
    profiles = [one.name for one in settings.profiles]
    yield from _twice("sources", sources)
    yield from _twice("audience", [one.name for one in settings.audience])
    yield from _twice("profiles", profiles)
    for number, audience in enumerate(settings.audience):
        for entry, name in enumerate(audience.gets):
            yield from _unknown(("audience", number, "gets", entry), "source", name, sources)
        yield from _unknown(("audience", number, "profile"), "profile", audience.profile, profiles)


def oddities(settings: InstitutionSettings) -> Iterator[Complaint]:
    """What is allowed, but unlikely to be meant."""
    used = {name for audience in settings.audience for name in audience.gets}
    for number, source in enumerate(settings.sources):
        if source.name not in used:
            text = f'no audience gets the source "{source.name}".'
            yield Complaint(
                "W-CFG-UNUSED", ("sources", number, "name"), text, "Nothing from it is delivered."
            )
    worn = {audience.profile for audience in settings.audience}
    for number, profile in enumerate(settings.profiles):
        if profile.name not in worn:
            text = f'no audience has the profile "{profile.name}".'
            yield Complaint("W-CFG-UNUSED", ("profiles", number, "name"), text)
    yield from _secrets_in_the_environment(settings)


def _twice(table: str, names: Sequence[str]) -> Iterator[Complaint]:
    for number, name in enumerate(names):
        if name in names[:number]:
            yield Complaint("E-CFG-TWICE", (table, number, "name"), f'{table} has the name "{name}" twice.')


def _unknown(path: KeyPath, kind: str, name: str, known: Sequence[str]) -> Iterator[Complaint]:
    if name not in known:
        text = f'there is no {kind} "{name}".'
        hint = did_you_mean(nearest(name, known)) or f"There are: {', '.join(known)}."
        yield Complaint("E-CFG-NAME", path, text, hint)


def _secrets_in_the_environment(settings: InstitutionSettings) -> Iterator[Complaint]:
    for number, certificate in enumerate(settings.tenant.certificates):
        for key, secret in (
            ("private_key", certificate.private_key),
            ("store_password", certificate.store_password),
            ("key_password", certificate.key_password),
        ):
            if secret is not None and secret.env is not None:
                yield Complaint(
                    "W-CFG-ENV",
                    ("tenant", "certificates", number, key),
                    f"{key} is kept in the environment, where other programs may see it.",
                    "A file that only Classbell's account may read is safer.",
                )
