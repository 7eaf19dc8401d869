"""The parts of guided set-up: each a text or a script, filled in from its template."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from classbell.setup import quoting
from classbell.setup.facts import Facts
from classbell.setup.permissions import GRAPH_APP_ID, USER_READ

# Windows PowerShell 5.1 takes a script without this mark for one in the computer's old code page.
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True)
class Part:
    """
    One part.

    Attributes:
        name: what people choose it by.
        group: what it is for: to register the application, to narrow it, or to decide about it.
        title: a few words.
        file: the file it is saved as, and its template's name.
    """

    name: str
    group: Literal["register", "narrow", "decide"]
    title: str
    file: str


@dataclass(frozen=True, kw_only=True)
class Script:
    """A part filled in for one institution."""

    part: Part
    text: str

    @property
    def content(self) -> bytes:
        """The file's content."""
        return (_MARK if self.part.file.endswith(".ps1") else b"") + self.text.encode()


PARTS = (
    Part(name="portal", group="register", title="by hand, click by click", file="portal.txt"),
    Part(name="azure-cli", group="register", title="by Azure CLI", file="azure-cli.sh"),
    Part(name="powershell", group="register", title="by Microsoft Graph PowerShell", file="graph.ps1"),
    Part(name="terraform", group="register", title="by Terraform", file="classbell.tf"),
    Part(name="rbac", group="narrow", title="by RBAC for Applications", file="exchange-rbac.ps1"),
    Part(
        name="access-policy",
        group="narrow",
        title="the older way, by policy",
        file="exchange-access-policy.ps1",
    ),
    Part(name="consent", group="decide", title="the link that grants consent", file="consent.txt"),
    Part(name="security", group="decide", title="for the security team", file="security.txt"),
)


def rendered(facts: Facts, only: Sequence[str] = ()) -> list[Script]:
    """
    The parts, filled in.

    Args:
        facts: what is known.
        only: the names of the parts that are wanted; empty for all that go together.
    """
    return [Script(part=part, text=_filled(part.file, facts)) for part in _wanted(facts, only)]


def overview(facts: Facts) -> str:
    """What there is to do, and the ways to do it."""
    return _filled("overview.txt", facts)


def answer_form(facts: Facts) -> str:
    """The form on which an institution sends back its ids; ``parse_answer`` reads it."""
    return _filled("answer.txt", facts)


def _wanted(facts: Facts, only: Sequence[str]) -> list[Part]:
    if only:
        return [part for part in PARTS if part.name in only]
    # A policy narrows the tenant-wide grant, which a scope leaves out.
    return [part for part in PARTS if not (facts.scope and part.name == "access-policy")]


# What templates may use of the facts. A name that is missing here fails at once: undefined names are errors.
_NAMES = (
    "api", "app_name", "assignment_name", "certificates", "client", "consent_link", "graph_url", "handover",
    "institution", "institution_id", "object_id", "permission", "saved", "scope", "scope_name", "service_principal",
    "tenant", "tenant_guid", "tools",
)  # fmt: skip


def _filled(file: str, facts: Facts) -> str:
    known = {name: getattr(facts, name) for name in _NAMES}
    template = _environment().get_template(f"{file}.j2")
    return template.render(known, parts=_wanted(facts, ()), user_read=USER_READ, graph_app_id=GRAPH_APP_ID)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("classbell.setup"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - texts and scripts, no HTML; values are quoted for each language
    )
    environment.filters.update(sh=quoting.shell, ps=quoting.powershell, hcl=quoting.hcl)
    return environment
