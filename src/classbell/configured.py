"""
What the next run is compared with: the accepted reads, and the configuration that delivered events follow.

If a part of the configuration has changed since the last accepted run, a person sees first what comes of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b

import msgspec
import numpy as np

from classbell.ledger import InstitutionLedger
from classbell.model import Reason
from classbell.plan import Plan
from classbell.renderings import Renderings
from classbell.report import HOLDING_ALL, Review, held_sources
from classbell.settings import InstitutionSettings

# What says where and how a source is read, rather than what its columns mean: it may change every day.
_READING = {"limits", "feeds", "meetings", "attendance", "allow_private_addresses", "sentinels", "max_age"}


def digests_of(settings: InstitutionSettings, renderings: Renderings) -> dict[str, bytes]:
    """A digest of each part, by its name for people."""
    parts: dict[str, object] = {
        "audience": [one.model_dump(mode="json") for one in settings.audience],
        "templates": {name: digest.hex() for name, digest in renderings.digests().items()},
        "window": settings.window.model_dump(mode="json"),
        "target": [
            str(settings.tenant.tenant_id),
            settings.tenant.api,
            {profile.name: profile.calendar for profile in settings.profiles},
        ],
        "mapping": [source.model_dump(mode="json", exclude=_READING) for source in settings.sources],
    }
    encode = msgspec.json.Encoder(order="deterministic").encode
    return {name: blake2b(encode(part), digest_size=16).digest() for name, part in parts.items()}


def changed_parts(before: Mapping[str, bytes], now: Mapping[str, bytes]) -> tuple[str, ...]:
    """The parts that are no more what they were; none where nothing is remembered yet."""
    return tuple(name for name in now if name in before and before[name] != now[name])


def as_configured(plan: Plan, changed: Sequence[str]) -> Plan:
    """The same plan; where parts of the configuration have *changed*, nobody can say that the timetable alone has."""
    if not changed:
        return plan
    reason = np.where(plan.reason == Reason.CHANGED, Reason.CONFIGURED, plan.reason).astype(plan.reason.dtype)
    return replace(plan, reason=reason)


async def keep_accepted(ledger: InstitutionLedger, settings: InstitutionSettings, review: Review) -> None:
    """Remember what was read and applied, and the configuration once somebody can have seen all that comes of it."""
    if review.only is not None:
        return
    codes = {hold.code for hold in review.verdict.holds}
    held = held_sources(review)
    if not codes & HOLDING_ALL:
        await ledger.runs.keep_sources([s for s in review.snapshots if s.source not in held], review.now)
    seen = "E-HOLD-CONFIG" in {code for code, _, _ in review.verdict.used}
    # What comes of a change where nothing was read, or nothing is applied, no guard has judged yet.
    missed = review.failures or held or any(snapshot.coverage.unread for snapshot in review.snapshots)
    if "E-HOLD-CONFIG" not in codes and (seen or not missed or not review.circumstances.changed):
        await ledger.holds.keep_configuration(digests_of(settings, review.renderings))
