"""Whole runs on a stage, for an institution that reads the tables a test writes."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from tests.deliver.stage import INSTALLATION, INSTITUTION, SeededIds, Stage

from classbell.access import Access
from classbell.life import LocalFiles
from classbell.ports import Ports
from classbell.report import Report
from classbell.run import Office, Run
from classbell.settings import InstitutionSettings
from classbell.sources.child import ChildParser
from classbell.witness import Witness


@asynccontextmanager
async def opened(
    stage: Stage, sources: Mapping[str, Mapping[str, Any]], **more: Any
) -> AsyncIterator[Office]:
    """
    The institution's office over tables by their names.

    Args:
        sources: settings of each table, without name and kind.
        more: further settings of the institution.
    """

    async def access() -> Access:
        return stage.access()

    told = {
        "schema": 1,
        "id": INSTITUTION,
        "name": "Example University",
        "tenant": stage.tenant_settings,
        "sources": [{"name": name, "kind": "table", **table} for name, table in sources.items()],
        "audience": [{"name": "all", "gets": list(sources), "profile": "all"}],
        "profiles": [{"name": "all"}],
        "window": {"timezone": "UTC"},
    }
    files = LocalFiles()
    async with stage.ledger() as book:
        yield Office(
            installation=INSTALLATION,
            settings=InstitutionSettings.model_validate(told | more),
            ledger=book,
            ports=Ports(
                transport=stage.transport,
                clock=stage.clock,
                ids=SeededIds(),
                files=files,
                parser=ChildParser(),
            ),
            witness=Witness(files, stage.folder / "witness", INSTALLATION),
            access=access,
        )


async def synced(
    stage: Stage,
    sources: Mapping[str, Mapping[str, Any]],
    person: str | None = None,
    *,
    reset: bool = False,
    **more: Any,
) -> Report:
    """One run over tables by their names, or only for one person; the rest as for ``opened``."""
    async with opened(stage, sources, **more) as office:
        run = Run(office, person=person and stage.address(person), reset=reset)
        return await run.carry_out(await run.look())
