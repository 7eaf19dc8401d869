"""The renderings of a run: made once, and not again where the ledger knows them."""

from pathlib import Path

import pytest
from tests.unit.files import Drawer
from tests.unit.timetables import NOW, WIDE, delivered, desired, meeting, profile, snapshot

from classbell.errors import ConfigurationError
from classbell.ledger import KnownRendering
from classbell.model import Meeting
from classbell.plan import Terms, plan_changes
from classbell.render import NORMALISER, Renderer, meeting_digest
from classbell.renderings import Renderings

LECTURE = meeting("m1", title="Logic")


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


def digests(of: Meeting) -> tuple[bytes, bytes]:
    return meeting_digest(of), Renderer(profile()).digest


def test_a_meeting_is_made_once_per_profile_that_looks_different(drawer: Drawer) -> None:
    profiles = [profile(), profile("same", calendar="Classes"), profile("loud", subject="{{ title }}!")]
    renderings = Renderings(profiles, drawer, {})
    first = renderings.render("standard", LECTURE)
    assert renderings.render("standard", meeting("m1", title="Logic")) == first
    assert renderings.render("same", LECTURE) == first
    assert renderings.render("loud", LECTURE) != first
    assert [(new.meeting_digest, new.rendering.fingerprint) for new in renderings.fresh] == [
        (meeting_digest(LECTURE), first.fingerprint),
        (meeting_digest(LECTURE), renderings.render("loud", LECTURE).fingerprint),
    ]
    assert renderings.new_bodies()[first.fingerprint] == first.body


def test_what_the_ledger_knows_is_not_made_again(drawer: Drawer) -> None:
    known = {digests(LECTURE): KnownRendering(fingerprint=77, normaliser=NORMALISER)}
    renderings = Renderings([profile()], drawer, known)
    assert renderings.render("standard", LECTURE).fingerprint == 77
    assert renderings.fresh == []
    assert renderings.render("standard", meeting("m1", title="Proof")).fingerprint != 77
    assert len(renderings.fresh) == 1


def test_what_an_older_normaliser_made_keeps_its_fingerprint_with_new_bytes(drawer: Drawer) -> None:
    known = {digests(LECTURE): KnownRendering(fingerprint=77, normaliser=NORMALISER - 1)}
    renderings = Renderings([profile()], drawer, known)
    made = renderings.render("standard", LECTURE)
    assert (made.fingerprint, made.body) == (77, Renderer(profile()).render(LECTURE).body)
    (new,) = renderings.fresh
    assert (new.normaliser, new.rendering) == (NORMALISER, made)


@pytest.mark.parametrize(("title", "updates"), [("Logic", 0), ("Proof", 1)])
def test_a_new_normaliser_alone_plans_no_update(drawer: Drawer, title: str, updates: int) -> None:
    """What was delivered under the older one's fingerprint stays; a change of content is still seen."""
    known = {digests(LECTURE): KnownRendering(fingerprint=77, normaliser=NORMALISER - 1)}
    renderings = Renderings([profile()], drawer, known)
    read = snapshot([meeting("m1", title=title)], [("ann@x.edu", "m1")])
    wanted = desired([read], render=renderings.render)
    box, of = wanted.mailboxes[0], wanted.slots.meeting[0]
    held = delivered({(box, of): (77, LECTURE.starts_at, LECTURE.ends_at)})
    plan = plan_changes(wanted, [held], Terms(now=NOW, window=WIDE, coverages=[read.coverage]))
    assert len(plan) == updates


def test_a_profiles_own_template_is_read_from_its_file(drawer: Drawer) -> None:
    drawer.content[Path("body.html")] = "<b>{{ title }} — über</b>".encode()
    renderings = Renderings([profile(body="body.html")], drawer, {})
    assert "<b>Logic — über</b>".encode() in renderings.render("standard", LECTURE).body


@pytest.mark.parametrize("content", [None, b"\xff\xfe<b>"])
def test_a_template_that_cannot_be_read_is_said_in_words(drawer: Drawer, content: bytes | None) -> None:
    if content is not None:
        drawer.content[Path("body.html")] = content
    with pytest.raises(ConfigurationError) as error:
        Renderings([profile(body="body.html")], drawer, {})
    assert error.value.code == "E-TEMPLATE-FILE"
    assert "body.html" in error.value.what
    assert error.value.why


def test_a_template_file_that_is_not_valid_is_said_in_words(drawer: Drawer) -> None:
    drawer.content[Path("body.html")] = b"{% if %}"
    with pytest.raises(ConfigurationError) as error:
        Renderings([profile(body="body.html")], drawer, {})
    assert error.value.code == "E-TEMPLATE"
