"""What stands in the file of a saved plan, and its digest."""

import hashlib

import msgspec

from classbell.errors import ConfigurationError

VERSION = 1


class SavedChange(msgspec.Struct, frozen=True, kw_only=True):
    """
    One change of one meeting in some mailboxes.

    ``title`` and ``when`` (UTC) are for people. ``fingerprint`` and ``previous`` are hexadecimal; ``held`` is the
    place of the hold that stops the change, or null; ``policy`` the number of the profile's ``Policy``.
    """

    action: str
    reason: str
    source: str
    meeting: str
    title: str
    when: str
    starts_at: int
    ends_at: int
    fingerprint: str
    previous: str
    calendar: str
    policy: int
    held: int | None
    mailboxes: list[str]


class SavedHold(msgspec.Struct, frozen=True, kw_only=True):
    """What a guard has stopped, for people to read; ``subject`` of a mailbox is its key."""

    code: str
    scope: str
    subject: str
    text: str
    changes: int
    deletes: int


class SavedLoss(msgspec.Struct, frozen=True, kw_only=True):
    """A source that had more meetings when it was last accepted."""

    source: str
    before: int
    after: int


class SavedSource(msgspec.Struct, frozen=True, kw_only=True):
    """A source that was read: ``starts`` are int64 seconds of its live meetings; ``unread`` are persons."""

    name: str
    digest: bytes
    begin: int
    end: int
    starts: bytes
    unread: list[str]


class SavedFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A source that could not be read."""

    source: str
    unreachable: bool
    code: str
    what: str
    why: str
    do: str
    effect: str


class SavedRendering(msgspec.Struct, frozen=True, kw_only=True):
    """An event that the ledger does not have yet; ``body`` is the JSON that Microsoft gets."""

    meeting_digest: bytes
    profile_digest: bytes
    normaliser: int
    fingerprint: str
    body: str


class SavedInstitution(msgspec.Struct, frozen=True, kw_only=True):
    """
    One institution's plan.

    ``basis`` is its newest run when it was made. ``settings`` are digests of the parts of the configuration that
    decide who gets what, and how it looks. ``upcoming`` counts, for guards, what mailboxes with deletions hold.
    ``served`` is how many mailboxes the timetables named, whether or not anything changes there.
    ``rekeys`` are meetings by their number in the ledger, with source, old key and new key.
    """

    id: str
    planned_at: float
    basis: int
    settings: dict[str, bytes]
    counts: dict[str, int]
    passed: dict[str, int]
    unchanged: int
    delivered: int
    served: int
    upcoming: dict[str, int]
    shrunk: list[SavedLoss]
    changed: list[str]
    sources: list[SavedSource]
    order: list[str]
    withdrawn: list[str]
    rekeys: list[tuple[int, str, str, str]]
    failures: list[SavedFailure]
    remarks: list[tuple[str, str]]
    unread: list[tuple[str, str]]
    holds: list[SavedHold]
    changes: list[SavedChange]
    renderings: list[SavedRendering]


class SavedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan as it stands in its file."""

    classbell_plan: int
    name: str
    made_at: str
    valid_until: str
    until: float
    installation: str
    revision: int
    institutions: list[SavedInstitution]
    digest: str = ""

    @property
    def true_digest(self) -> str:
        """What the digest of this content is."""
        return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(self, digest=""))).hexdigest()


def encode(plan: SavedPlan) -> bytes:
    """The file's content."""
    return msgspec.json.format(msgspec.json.encode(plan), indent=1) + b"\n"


def decode(content: bytes, name: str) -> SavedPlan:
    """
    Read a file's content.

    Raises:
        ConfigurationError: E-PLAN-FILE, it is no saved plan, or not as it was written.
    """
    try:
        plan = msgspec.json.decode(content, type=SavedPlan)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _no_plan(name, "it is not the whole of a file that classbell plan wrote") from error
    if plan.classbell_plan != VERSION:
        raise _no_plan(name, f"its form is version {plan.classbell_plan}; this Classbell knows {VERSION}")
    if plan.digest != plan.true_digest:
        raise _no_plan(name, "its content is not what was written: somebody or something has changed it")
    return plan


def _no_plan(name: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        "E-PLAN-FILE",
        f"{name} is not a plan that can be carried out.",
        why=why,
        do="make one: classbell plan -o FILE",
        effect="no calendar was changed",
    )
