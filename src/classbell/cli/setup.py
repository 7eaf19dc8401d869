"""``classbell setup``: what to do in Entra ID and Exchange, filled in; and the ids that come back."""

import os
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classbell.cli.invocation import DEFAULT_CONFIG, Invocation, command

if TYPE_CHECKING:
    from classbell.settings import Draft
    from classbell.setup import Facts


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(setup)


class PartName(StrEnum):
    """The parts that can be chosen."""

    PORTAL = "portal"
    AZURE_CLI = "azure-cli"
    POWERSHELL = "powershell"
    TERRAFORM = "terraform"
    RBAC = "rbac"
    ACCESS_POLICY = "access-policy"
    CONSENT = "consent"
    SECURITY = "security"


class Api(StrEnum):
    """The APIs through which calendars can be written."""

    GRAPH = "graph"
    OUTLOOK_REST = "outlook-rest-v2"


OnlyOption = Annotated[
    list[PartName],
    typer.Option(
        "--only",
        metavar="PART",
        help="Only this part, and others named so: portal, azure-cli, powershell, terraform, rbac, access-policy,"
        " consent, security.",
    ),
]
ScopeOption = Annotated[
    str | None,
    typer.Option(
        metavar="GROUP",
        help="The group whose members' mailboxes alone are to be reached, enforced by Exchange."
        " The tenant-wide grant is then left out.",
    ),
]
PrincipalOption = Annotated[
    str | None,
    typer.Option(metavar="ID", help="The Object ID of the enterprise application, for Exchange."),
]
ApiOption = Annotated[
    Api | None,
    typer.Option(
        "--api",
        metavar="API",
        help="The API through which calendars are written, graph or outlook-rest-v2; else the configured one.",
    ),
]
WriteOption = Annotated[
    Path | None,
    typer.Option("--write", metavar="DIR", help="Save all of it into a folder, with the public certificate."),
]
HandoverOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="For a hosting provider: save what the institution's own administrators need, with a form for their"
        " answer.",
    ),
]
AnswerOption = Annotated[
    list[str],
    typer.Option(
        metavar="FILE|KEY=ID",
        help="Take ids into the configuration: the form that came back, - for standard input, or one of"
        " tenant_id=ID, client_id=ID, application_object_id=ID. May be given more than once.",
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite files that are different.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Replace ids that are different, without asking.")]


def setup(
    invocation: Invocation,
    *,
    only: OnlyOption = [],  # noqa: B006 (Typer copies it)
    scope: ScopeOption = None,
    service_principal: PrincipalOption = None,
    api: ApiOption = None,
    write: WriteOption = None,
    handover: HandoverOption = None,
    force: ForceOption = False,
    answer: AnswerOption = [],  # noqa: B006 (Typer copies it)
    yes: YesOption = False,
) -> None:
    """
    Show what has to be done in Entra ID and Exchange, filled in.

    Register the application by hand, by Azure CLI, PowerShell or Terraform;
    let Exchange narrow it to some mailboxes; grant consent; a page for the
    security team. Nothing of it is secret. Nothing is changed anywhere but
    by --answer, which takes the ids that came of it into the configuration.
    """
    from classbell.settings import load_draft  # noqa: PLC0415 (keeps --help fast)

    if answer and (only or scope or write or handover):
        raise typer.BadParameter(
            "--answer takes ids into the configuration; it goes with no other part of setup."
        )
    if write and handover:
        raise typer.BadParameter("--write and --handover are two different folders; give one of them.")
    host = Path(invocation.config or os.environ.get("CLASSBELL_CONFIG") or DEFAULT_CONFIG)
    draft = load_draft(host, invocation.files, os.environ, invocation.institution_id)
    if answer:
        from classbell.cli.setup_answer import take  # noqa: PLC0415

        take(invocation, draft, answer, yes=yes)
        return
    folder = handover or write
    facts = _facts(invocation, draft, scope, service_principal, api)
    facts = replace(facts, handover=handover is not None, saved=folder is not None)
    if draft.settings.tenant.login_url is not None:
        invocation.output.note(
            "This institution is in a sandbox (login_url): links lead there, and in place of the scripts, which are"
            f" for Microsoft 365: classbell sandbox register -i {facts.institution_id}"
        )
    if folder is None:
        _show(invocation, facts, only)
    else:
        from classbell.cli.setup_folder import save  # noqa: PLC0415

        save(invocation, facts, only, folder, force=force)


def _facts(
    invocation: Invocation,
    draft: "Draft",
    scope: str | None,
    service_principal: str | None,
    api: Api | None,
) -> "Facts":
    from classbell.cli.cert.words import place  # noqa: PLC0415
    from classbell.life import SystemClock  # noqa: PLC0415
    from classbell.setup import Facts, is_group, is_guid, public_certificates  # noqa: PLC0415

    if scope is not None and not is_group(scope):
        raise typer.BadParameter(
            "--scope takes the address or the name of a group, such as timetable@example.edu."
        )
    if service_principal is not None and not is_guid(service_principal):
        raise typer.BadParameter("--service-principal takes an Object ID, which is a GUID.")
    settings, tenant = draft.settings, draft.settings.tenant
    certificates = public_certificates(
        settings.id,
        tenant.certificates,
        invocation.files,
        os.environ,
        SystemClock().now(),
        invocation.ask,
    )
    return Facts(
        institution_id=settings.id,
        name=settings.name,
        tenant=tenant.tenant_id or "",
        client=tenant.client_id or "",
        object_id=tenant.application_object_id or "",
        service_principal=service_principal or "",
        cloud=tenant.cloud,
        login=tenant.login,
        certificates=tuple(replace(each, own=place(each.own) if each.own else "") for each in certificates),
        scope=scope or "",
        api=tenant.api if api is None else api.value,
    )


def _show(invocation: Invocation, facts: "Facts", only: list[PartName]) -> None:
    from classbell.cli.setup_folder import RETIRED, fields  # noqa: PLC0415
    from classbell.setup import overview, rendered  # noqa: PLC0415

    output = invocation.output
    if not only:
        output.line(overview(facts))
    elif facts.api != "graph":
        output.note(RETIRED)
    scripts = rendered(facts, only)
    for script in scripts:
        output.line(f"==== {script.part.file} · {script.part.title} ====", style="bold")
        output.line(script.text)
    output.answer(
        {
            **fields(facts),
            "parts": [
                {"name": each.part.name, "title": each.part.title, "file": each.part.file, "text": each.text}
                for each in scripts
            ],
        }
    )
