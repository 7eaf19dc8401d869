"""``classbell setup --write`` and ``--handover``: all parts in a folder, with the public certificate."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from classbell.cli.invocation import Invocation
from classbell.errors import ConfigurationError
from classbell.setup import Facts, answer_form, overview, rendered

RETIRED = (
    "Microsoft retired the Outlook REST API v2.0 in Exchange Online on 2024-03-31: requests to it fail there."
    " For Exchange Online use Microsoft Graph (--api graph)."
)


def save(invocation: Invocation, facts: Facts, only: Sequence[str], folder: Path, *, force: bool) -> None:
    """
    Write the parts; files that are different are overwritten only by *force*.

    Raises:
        ConfigurationError: ``E-SETUP-CERT``, ``E-SETUP-EXISTS``, ``E-SETUP-WRITE``; nothing was overwritten.
    """
    wanted = _wanted(facts, only)
    try:
        if not force:
            _refuse_differing(folder, wanted)
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in wanted.items():
            invocation.files.write_durably(folder / name, content)
    except OSError as error:
        raise ConfigurationError(
            "E-SETUP-WRITE",
            f"{folder} cannot be written to.",
            why=f"{error.strerror or type(error).__name__}.",
            do="name a folder in which you may write.",
        ) from error
    output, written = invocation.output, [str(folder / name) for name in wanted]
    output.answer({**fields(facts), "written": written})
    for place in written:
        output.line(f"wrote {place}")
    for note in _notes(facts):
        output.note(note)


def fields(facts: Facts) -> dict[str, object]:
    """What is known, for programs."""
    return {
        "institution": facts.institution_id,
        "tenant_id": facts.tenant or None,
        "client_id": facts.client or None,
        "application_object_id": facts.object_id or None,
        "consent_link": None if facts.scope else facts.consent_link,
        "warnings": [RETIRED] if facts.api != "graph" else [],
        "certificates": [
            {"file": each.file, "sha1": each.sha1, "sha256": each.sha256, "valid_until": each.until_instant}
            for each in facts.certificates
            if each.pem
        ],
    }


def _wanted(facts: Facts, only: Sequence[str]) -> dict[str, bytes]:
    certificates = {each.file: each.pem for each in facts.certificates if each.pem}
    if facts.handover and not certificates:
        raise ConfigurationError(
            "E-SETUP-CERT",
            f"There is no certificate for {facts.institution} yet.",
            why="its public part is what the institution has to register.",
            effect="nothing was written.",
            do=f"classbell cert new -i {facts.institution_id}, then repeat this command.",
        )
    wanted = {} if only else {"README.txt": overview(facts).encode()}
    wanted |= {script.part.file: script.content for script in rendered(facts, only)}
    if facts.handover:
        wanted["answer.txt"] = answer_form(facts).encode()
    return wanted | certificates


def _refuse_differing(folder: Path, wanted: Mapping[str, bytes]) -> None:
    differing = [folder / name for name, content in wanted.items() if _differs(folder / name, content)]
    if differing:
        raise ConfigurationError(
            "E-SETUP-EXISTS",
            f"{', '.join(map(str, differing))}: there is something else of this name.",
            why="somebody may have worked on it.",
            effect="nothing was written.",
            do="name a new folder, or repeat the command with --force to overwrite.",
        )


def _differs(path: Path, content: bytes) -> bool:
    return (path.exists() or path.is_symlink()) and (not path.is_file() or path.read_bytes() != content)


def _notes(facts: Facts) -> list[str]:
    notes = [RETIRED] if facts.api != "graph" else []
    if not any(each.pem for each in facts.certificates):
        notes.append("There is no certificate yet; make one, then repeat this command.")
    if facts.handover:
        command = f"classbell setup -i {facts.institution_id} --answer FILE"
        notes.append(f"Next: send the folder to {facts.institution}. When answer.txt comes back: {command}")
    return notes
