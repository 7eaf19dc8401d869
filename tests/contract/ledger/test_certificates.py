"""What the ledger remembers of certificates."""

import pytest
from sqlalchemy import create_engine
from tests.contract.ledger.books import INSTALLATION, NOW

from classbell.ledger import InstitutionLedger, Ledger
from classbell.ledger.database import upgrade
from classbell.model import CertificateUse

pytestmark = pytest.mark.anyio


async def test_of_a_certificate_its_last_success_and_its_last_refusal_are_remembered(
    uni: InstitutionLedger,
) -> None:
    assert await uni.certificates.recall() == {}
    await uni.certificates.refused("AA", NOW, "AADSTS700027")
    await uni.certificates.worked("AA", NOW + 60)
    await uni.certificates.worked("BB", NOW + 10)
    await uni.certificates.worked("BB", NOW + 20)
    assert await uni.certificates.recall() == {
        "AA": CertificateUse(worked_at=NOW + 60, refused_at=NOW, refusal="AADSTS700027"),
        "BB": CertificateUse(worked_at=NOW + 20),
    }


async def test_no_institution_sees_what_is_remembered_of_another(
    ledger: Ledger, uni: InstitutionLedger
) -> None:
    await uni.certificates.worked("AA", NOW)
    other = await ledger.institution("another")
    assert await other.certificates.recall() == {}
    await other.certificates.refused("AA", NOW, "AADSTS700027")
    assert await uni.certificates.recall() == {"AA": CertificateUse(worked_at=NOW)}


async def test_it_outlives_the_process(url: str) -> None:
    first = await Ledger.open(url, INSTALLATION)
    await (await first.institution("uni")).certificates.worked("AA", NOW)
    first.close()
    second = await Ledger.open(url, INSTALLATION)
    assert await (await second.institution("uni")).certificates.recall() == {
        "AA": CertificateUse(worked_at=NOW)
    }
    second.close()


async def test_a_ledger_of_the_version_before_learns_to_remember(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        upgrade(connection, "0001")
    engine.dispose()
    after = await Ledger.open(url, INSTALLATION)
    uni = await after.institution("uni")
    await uni.certificates.worked("AA", NOW)
    assert set(await uni.certificates.recall()) == {"AA"}
    after.close()
