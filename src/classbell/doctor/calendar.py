"""The calendar: whether a test event can be made, read, changed and removed in the probe mailbox."""

from collections.abc import AsyncIterator

from classbell.doctor.finding import Finding
from classbell.doctor.note import Notebook
from classbell.doctor.probe import PERMANENT_CLOUDS, Probe, Probed, Stuck
from classbell.doctor.subject import Subject
from classbell.errors import ClassbellError, ConfigurationError, LeaseHeld, RefusedError, TemporaryError
from classbell.lease import lease
from classbell.outlook.answers import Diagnosis, Meaning

_REFUSED = frozenset({Meaning.FORBIDDEN, Meaning.UNAUTHORISED})
_FOR_NOW = frozenset({Meaning.BUSY, Meaning.SERVICE_BUSY, Meaning.NOT_SENT, Meaning.UNKNOWN})
_AGAIN = "run it again: classbell doctor calendar"


async def calendar(subject: Subject) -> AsyncIterator[Finding]:
    """A private test event is created, read, updated and deleted in the mailbox that ``probe_mailbox`` names."""
    address = subject.settings.tenant.probe_mailbox
    installation = subject.installation
    if address is None:
        yield Finding.warning(
            "calendar",
            "W-PROBE-NONE",
            "Access to calendars is not proven by doing.",
            why="probe_mailbox in [tenant] names no mailbox in which a test event may be made.",
            do='set it, as in probe_mailbox = "pilot@example.ac.uk", and run: classbell doctor calendar',
        )
        return
    quiet_until = await subject.ledger.runs.quiet_until() if subject.ledger is not None else 0.0
    if quiet_until > installation.ports.clock.now():
        yield Finding.untried("calendar", "Microsoft has asked to be left in peace for a while")
        return
    notes = installation.beside(f".probe-{subject.settings.id}")
    probe = Probe(
        subject.access,
        installation.ports.clock,
        installation.ports.ids,
        Notebook(installation.ports.files, notes),
        installation=installation.id,
        address=address,
        permanent=subject.settings.tenant.cloud in PERMANENT_CLOUDS,
    )
    try:
        with lease(notes.with_name(notes.name + ".lease")):
            probed = await probe.run()
    except LeaseHeld:
        yield Finding.untried("calendar", "another doctor is probing this mailbox at this moment")
    except Stuck as stuck:
        subject.probed = False if stuck.diagnosis.meaning in _REFUSED else None
        yield Finding.failure(
            "calendar", _error(address, stuck.step, stuck.diagnosis), mailbox=address, step=stuck.step
        )
    else:
        subject.probed = True
        for finding in _told(address, probed):
            yield finding


def _told(address: str, probed: Probed) -> list[Finding]:
    where = "nothing of it remains" if probed.permanently else "it remains in the mailbox's Deleted Items"
    steps = ", ".join(probed.steps)
    earlier = f"; {probed.removed_earlier} of an earlier check removed" if probed.removed_earlier else ""
    found = [
        Finding.ok(
            "calendar",
            f"{address}: {steps} of a private test event; {where}{earlier}",
            mailbox=address,
            steps=list(probed.steps),
            permanently=probed.permanently,
            removed_earlier=probed.removed_earlier,
        )
    ]
    if probed.strangers:
        count = len(probed.strangers)
        which = "; ".join(sorted(f'"{one.subject}" of {one.start[:10]}' for one in probed.strangers))
        found.append(
            Finding.warning(
                "calendar",
                "W-PROBE-LEFT",
                f"{address} holds {count} test event{'' if count == 1 else 's'} that nothing here knows: {which}.",
                why="somebody copied one, or it was made from another folder; Classbell removes only what it knows"
                " to be its own.",
                do="delete by hand what is not wanted; it is private, free and invites nobody.",
                mailbox=address,
            )
        )
    return found


def _error(address: str, step: str, diagnosis: Diagnosis) -> ClassbellError:
    what = f"{address}: the test event failed to {step}. {diagnosis.reason}" if step != "look" else ""
    what = what or f"{address}: the calendar cannot be read. {diagnosis.reason}"
    origin = diagnosis.origin
    if diagnosis.meaning in _REFUSED:
        return RefusedError(
            diagnosis.code,
            what,
            why="Calendars.ReadWrite is not granted, or a policy or a role's scope in Exchange leaves this mailbox"
            " out.",
            do="grant it with admin consent, or put the mailbox into the scope; changes take up to 2 h. Then"
            " run: classbell doctor calendar",
            origin=origin,
        )
    if diagnosis.meaning is Meaning.MAILBOX_OUT:
        # The configuration is wrong, not the permission.
        return ConfigurationError(
            diagnosis.code,
            what,
            why="it does not exist, has no licence, or is not in Exchange Online.",
            do="name another mailbox as probe_mailbox in [tenant].",
            origin=origin,
        )
    if diagnosis.meaning in _FOR_NOW:
        left = "what may be left over is noted, and removed by the next check"
        return TemporaryError(
            diagnosis.code,
            what,
            why=f"it may pass; {left}.",
            do=f"wait a few minutes and {_AGAIN}",
            origin=origin,
        )
    return ClassbellError(diagnosis.code, what, why="unknown.", do=_AGAIN, origin=origin)
