"""
Which mailboxes an application may open: roles of its token, access policies, and roles given in Exchange.

Grants add up: a mailbox is open if the token carries the permission and no access policy keeps the application
out of it, or if a role given in Exchange has it in its scope. Access policies do not concern the latter.

Source: Exchange page "Role Based Access Control for Applications in Exchange Online", Graph page "Limiting
application permissions to specific Exchange Online mailboxes".
"""

import math
from collections.abc import Iterable
from typing import Generic, TypeVar

from classbell.sandbox.mailbox import Mailbox
from classbell.sandbox.refusals import Refusal, access_denied, access_policy, no_permissions
from classbell.sandbox.surroundings import Commons

_CALENDARS = frozenset({"Calendars.Read", "Calendars.ReadWrite"})
_SETTINGS = frozenset({"MailboxSettings.Read", "MailboxSettings.ReadWrite"})
# What each role of Exchange is good for, in the names of Graph's permissions.
ROLES = {
    "Application Calendars.Read": frozenset({"Calendars.Read"}),
    "Application Calendars.ReadWrite": _CALENDARS,
    "Application MailboxSettings.Read": frozenset({"MailboxSettings.Read"}),
    "Application MailboxSettings.ReadWrite": _SETTINGS,
    "Application Exchange Full Access": _CALENDARS | _SETTINGS,
}

Addresses = frozenset[str] | None
_Value = TypeVar("_Value")


class Delayed(Generic[_Value]):
    """A value whose changes take effect later than they are made."""

    def __init__(self, value: _Value) -> None:
        self.latest = value
        self._steps = [(-math.inf, value)]

    @property
    def steps(self) -> list[tuple[float, _Value]]:
        """Its values with the time of each, oldest first."""
        return self._steps

    @steps.setter
    def steps(self, steps: list[tuple[float, _Value]]) -> None:
        self._steps = steps
        self.latest = steps[-1][1]

    def change(self, value: _Value, at: float) -> None:
        """Let another value take effect at a time; minus infinity means at once and at all times."""
        self.latest = value
        if at == -math.inf:
            self._steps.clear()
        self._steps.append((at, value))

    def at(self, now: float) -> _Value:
        """The value that is in effect."""
        return next(value for at, value in reversed(self._steps) if at <= now)


class Scoping:
    """The mailboxes of one application. Addresses may also be the object ids of users."""

    def __init__(self, commons: Commons) -> None:
        self._commons = commons
        self.policy: Delayed[Addresses] = Delayed(None)
        self.assigned: Delayed[dict[str, Addresses]] = Delayed({})

    def restrict_to(self, addresses: Iterable[str] | None) -> None:
        """Set an access policy: these mailboxes only; None lifts it."""
        self.policy.change(_folded(addresses), self._from(self._commons.switches.access_policy_delay))

    def assign(self, role: str, addresses: Iterable[str] | None = None) -> None:
        """
        Assign a role in Exchange, for some mailboxes or for all.

        Raises:
            ValueError: there is no such role.
        """
        if role not in ROLES:
            raise ValueError(f"{role!r} is none of {', '.join(ROLES)}")
        self._assign({**self.assigned.latest, role: _folded(addresses)})

    def unassign(self, role: str) -> None:
        """
        Take a role of Exchange away.

        Raises:
            KeyError: it was not assigned.
        """
        left = dict(self.assigned.latest)
        del left[role]
        self._assign(left)

    def check(self, roles: frozenset[str], wanted: frozenset[str], mailbox: Mailbox | None) -> None:
        """
        Let the application into a mailbox; None stands for one that does not exist.

        Args:
            roles: of its token.
            wanted: the permissions any of which suffices.

        Raises:
            Refusal: it may not.
        """
        now = self._commons.clock.now()
        granted = not wanted.isdisjoint(roles)
        if granted and (mailbox is None or _holds(self.policy.at(now), mailbox)):
            return
        scopes = [
            scope for role, scope in self.assigned.at(now).items() if not wanted.isdisjoint(ROLES[role])
        ]
        if any(mailbox is None or _holds(scope, mailbox) for scope in scopes):
            return
        raise self._refusal(roles, granted=granted, scoped=bool(scopes))

    def _refusal(self, roles: frozenset[str], *, granted: bool, scoped: bool) -> Refusal:
        switches = self._commons.switches
        if granted or (scoped and switches.outside_exchange_scope == "policy"):
            return access_policy()
        if not roles and not scoped and switches.no_roles_answer != "denied":
            return no_permissions(401 if switches.no_roles_answer == "401" else 403)
        return access_denied()

    def _assign(self, assigned: dict[str, Addresses]) -> None:
        self.assigned.change(assigned, self._from(self._commons.switches.exchange_role_delay))

    def _from(self, delay: float) -> float:
        return self._commons.clock.now() + delay if delay else -math.inf


def _folded(addresses: Iterable[str] | None) -> Addresses:
    return None if addresses is None else frozenset(address.casefold() for address in addresses)


def _holds(scope: Addresses, mailbox: Mailbox) -> bool:
    return scope is None or mailbox.address.casefold() in scope or mailbox.id in scope
