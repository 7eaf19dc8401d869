"""``classbell sandbox register``: in a sandbox, what a person does in the Entra admin center."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from classbell.cli.invocation import DEFAULT_CONFIG, Invocation
from classbell.errors import ConfigurationError, ServiceUnavailable

if TYPE_CHECKING:
    from classbell.ports import Transport
    from classbell.settings import Draft

PERMISSION = "Calendars.ReadWrite"
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}

TenantOption = Annotated[
    str | None, typer.Option(metavar="DOMAIN", help="The sandbox's tenant, where it has several.")
]


def register(invocation: Invocation, *, tenant: TenantOption = None) -> None:
    """
    Register an institution's application in its sandbox, as its administrator would in the Entra admin center.

    Uploads the public part of the configured certificates, and asks for Calendars.ReadWrite, which is then still to
    be consented to: classbell setup --only consent. Prints the ids of the application, for classbell setup
    --answer, and tells the key ids of its certificates. Where it was registered before, that application gets what
    it lacks. Works with a sandbox only, the one that login_url names.

    Example: classbell sandbox register | classbell setup --answer -
    """
    import asyncio  # noqa: PLC0415 (keeps --help fast)

    from classbell.life import SystemClock  # noqa: PLC0415
    from classbell.settings import load_draft  # noqa: PLC0415
    from classbell.setup import public_certificates  # noqa: PLC0415

    host = Path(invocation.config or os.environ.get("CLASSBELL_CONFIG") or DEFAULT_CONFIG)
    draft = load_draft(host, invocation.files, os.environ, invocation.institution_id)
    if draft.settings.tenant.login_url is None:
        raise _no_sandbox(f"{draft.path} names none with login_url, so it is Microsoft's own cloud.")
    certificates = public_certificates(
        draft.settings.id,
        draft.settings.tenant.certificates,
        invocation.files,
        os.environ,
        SystemClock().now(),
    )
    pems = [each.pem.decode() for each in certificates if each.pem]
    ids, keys = asyncio.run(_registered(draft, pems, tenant))
    output = invocation.output
    for key, value in ids.items():
        output.line(f'{key} = "{value}"')
    output.answer({**ids, "certificates": keys})
    # Beside the ids, which go into setup --answer as they are.
    for each in keys:
        output.note(f"Certificate {each['sha1']} has the key id {each['key_id']}")
    if not pems:
        output.note(
            f"Registered without a certificate. Next: classbell cert new -i {draft.settings.id} --configure, and"
            " this command again"
        )
        return
    count = f"{len(pems)} certificate{'' if len(pems) == 1 else 's'}"
    output.note(
        f"Registered with {count}. Next: classbell setup --answer, then classbell setup --only consent"
    )


async def _registered(
    draft: "Draft", pems: list[str], domain: str | None
) -> tuple[dict[str, str], list[dict[str, str]]]:
    """The ids of the application, and the certificates that it has now."""
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415 (keeps --help fast)

    from classbell.identity.material import sha1, shown  # noqa: PLC0415
    from classbell.life import SystemClock  # noqa: PLC0415
    from classbell.setup import application_name, one_line  # noqa: PLC0415
    from classbell.transport import AiohttpTransport  # noqa: PLC0415

    settings = draft.settings
    ca_file = settings.tenant.ca_file
    if ca_file is not None and not ca_file.is_file():
        raise _no_sandbox(f"its CA file {ca_file} is not there.")
    async with AiohttpTransport(SystemClock(), ca_file) as transport:
        base = f"{settings.tenant.login}/_sandbox/tenants"
        tenants = await _asked(transport, "GET", base)
        fitting = [each for each in tenants if domain in (None, each["domain"], each["tenant_id"])]
        if len(fitting) != 1:
            known = ", ".join(each["domain"] for each in tenants) or "none"
            raise typer.BadParameter(f"--tenant must name one of the sandbox's tenants: {known}.")
        base = f"{base}/{fitting[0]['tenant_id']}/apps"
        name = application_name(one_line(settings.name) or settings.id)
        app = _earlier(await _asked(transport, "GET", base), settings.tenant.client_id, name)
        app = app or await _asked(transport, "POST", base, {"name": name})
        place = f"{base}/{app['client_id']}"
        there = {each["sha1"] for each in app["certificates"]}
        for pem in pems:
            if shown(sha1(load_pem_x509_certificate(pem.encode()))) not in there:
                await _asked(transport, "POST", f"{place}/certificates", {"pem": pem})
        wanted = sorted({PERMISSION, *app["required"]})
        app = await _asked(transport, "PATCH", place, {"required": wanted})
    ids = {
        "tenant_id": fitting[0]["tenant_id"],
        "client_id": app["client_id"],
        "application_object_id": app["object_id"],
    }
    return ids, [{"sha1": each["sha1"], "key_id": each["key_id"]} for each in app["certificates"]]


def _earlier(apps: list[Any], client: str | None, name: str) -> Any:
    """The application that was registered for the institution before: the configured one, or one of this name."""
    configured = [app for app in apps if app["client_id"] == client]
    called_so = [app for app in apps if app["name"] == name]
    return next(iter(configured + called_so), None)


async def _asked(transport: "Transport", method: str, url: str, body: Any = None) -> Any:
    from classbell.ports import NoAnswer  # noqa: PLC0415 (keeps --help fast)

    content = b"" if body is None else json.dumps(body).encode()
    try:
        response = await transport.request(method, url, headers=_JSON, body=content, timeout=30.0)
    except NoAnswer as lost:
        raise ServiceUnavailable(
            "E-SANDBOX-DOWN",
            "The sandbox does not answer.",
            why=f"{lost.reason}.",
            do="start it in another terminal: classbell sandbox serve",
        ) from lost
    # Whatever is no sandbox must not be taken for one: nothing is ever registered anywhere else.
    if "x-sandbox" not in response.headers:
        raise _no_sandbox("what answers at login_url is none.")
    if response.status >= 300:  # noqa: PLR2004 - HTTP
        raise _no_sandbox(f"it refuses: {response.body.decode(errors='replace')[:300]}")
    return json.loads(response.body)


def _no_sandbox(why: str) -> ConfigurationError:
    return ConfigurationError(
        "E-SANDBOX-NONE",
        "There is no sandbox to register in.",
        why=why,
        do="this is for rehearsals only. In a real tenant: classbell setup",
        effect="nothing was registered.",
    )
