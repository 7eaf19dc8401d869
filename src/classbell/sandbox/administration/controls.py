"""What the sandbox is told to be like: faults, switches, limits, latency, clock, seed."""

import math
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import msgspec
from fastapi import APIRouter

from classbell.sandbox.administration import forms
from classbell.sandbox.administration.finding import Box, nothing
from classbell.sandbox.faults import Fault
from classbell.sandbox.latency import Latency
from classbell.sandbox.rules import Rule, Script, add_rule
from classbell.sandbox.switches import Switches

router = APIRouter(tags=["controls"])


@router.get("/faults")
async def list_faults(box: Box) -> list[forms.FaultTold]:
    """The scripted faults in their order; the first that matches takes effect. Used up ones are gone."""
    return [_fault(fault) for fault in box.faults]


@router.post("/faults", status_code=201)
async def add_fault(box: Box, rule: Rule) -> forms.FaultTold:
    """Let matching requests go wrong."""
    return _fault(add_rule(box.faults, rule))


@router.delete("/faults", status_code=204)
async def clear_faults(box: Box) -> None:
    """No more faults."""
    box.faults.clear()


@router.delete("/faults/{number}", status_code=204)
async def remove_fault(box: Box, number: int) -> None:
    """Take a fault away."""
    for fault in box.faults:
        if fault.number == number:
            box.faults.remove(fault)
            return
    raise nothing("fault", number)


@router.get("/switches")
async def show_switches(box: Box) -> dict[str, Any]:
    """The uncertain behaviours; what lasts for ever is told as "inf"."""
    return _switches(box.switches)


@router.patch("/switches")
async def set_switches(box: Box, changes: dict[str, Any]) -> dict[str, Any]:
    """Set some switches; the others stay."""
    unknown = changes.keys() - set(asdict(box.switches))
    if unknown:
        raise ValueError(f"no switch is called {min(unknown)!r}")
    told = {name: math.inf if value == "inf" else value for name, value in changes.items()}
    wanted = msgspec.convert(asdict(box.switches) | told, Switches)
    for name in told:
        setattr(box.switches, name, getattr(wanted, name))
    return _switches(box.switches)


@router.patch("/limits", status_code=204)
async def set_limits(box: Box, new: forms.NewLimits) -> None:
    """Set other limits than the service's, for every application and mailbox."""
    for name, value in new.model_dump(exclude_none=True).items():
        setattr(box.limits.allowed, name, value)


@router.get("/latency")
async def show_latency(box: Box) -> dict[str, Any]:
    """How long requests take."""
    if isinstance(box.latency, Latency):
        return {"drawn": True}
    return {"seconds": None if callable(box.latency) else box.latency}


@router.put("/latency", status_code=204)
async def set_latency(box: Box, latency: forms.FixedLatency | forms.DrawnLatency) -> None:
    """Let every request take so many seconds, or draw them from a seed as in life."""
    if isinstance(latency, forms.FixedLatency):
        box.latency = latency.seconds
    else:
        box.latency = Latency(latency.seed, scale=latency.scale)


@router.get("/clock")
async def show_clock(box: Box) -> forms.Moment:
    """What time it is."""
    return forms.Moment(now=datetime.fromtimestamp(box.clock.now(), UTC))


@router.put("/clock")
async def set_clock(box: Box, moment: forms.Moment) -> forms.Moment:
    """Make it another time, from which it runs on."""
    box.clock.set(moment.now)
    return await show_clock(box)


@router.post("/clock/advance")
async def advance_clock(box: Box, span: forms.Span) -> forms.Moment:
    """Let seconds pass at once."""
    box.clock.advance(span.seconds)
    return await show_clock(box)


@router.put("/seed", status_code=204)
async def set_seed(box: Box, new: forms.Seed) -> None:
    """Draw everything random from another seed from now on."""
    box.reseed(new.seed)


def _fault(fault: Fault) -> forms.FaultTold:
    match = fault.match
    told = match.rule.told() if isinstance(match, Script) else {"function": getattr(match, "__name__", "")}
    return forms.FaultTold(number=fault.number, hits=fault.hits, left=fault.left, rule=told)


def _switches(switches: Switches) -> dict[str, Any]:
    return {name: "inf" if value == math.inf else value for name, value in asdict(switches).items()}
