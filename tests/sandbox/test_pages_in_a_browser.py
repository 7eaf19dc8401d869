"""
The pages in a real browser, by keyboard, narrow and enlarged, and judged by axe-core.

The browser is Debian's Chromium, which ``make prove`` installs where it may.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.sandbox.client import World, at, lecture, tag

pytestmark = pytest.mark.prove

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# WCAG 2.2 AA, and what axe holds to be good practice beside it.
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium with an empty profile."""
    driver = pytest.importorskip(
        "playwright.sync_api", reason="playwright is missing; make prove installs it"
    )
    if not CHROMIUM.exists():
        pytest.skip("Chromium is missing; on Debian and Ubuntu: apt install chromium")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, world: World) -> Iterator[Any]:
    """A window that fails at once if anything on a page does."""
    fill(world)
    context = browser.new_context(
        ignore_https_errors=True,
        base_url=f"{world.address.url}/_sandbox/",
        viewport={"width": 1280, "height": 900},
    )
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("requestfailed", lambda request: troubles.append(request.url))
    yield page
    context.close()
    assert troubles == []


def fill(world: World) -> None:
    """A week with overlaps, a copy, hostile words, an all-day event and something that changed."""
    starts = [(0, 9, 60), (0, 10, 120), (0, 10, 60), (1, 9, 60), (2, 14, 90), (4, 16, 180)]
    made = [
        world.create(
            subject=f"Lecture {number}",
            start=at((begin := datetime(2026, 9, 21 + day, hour)).isoformat()),  # noqa: DTZ001 - wall time
            end=at((begin + timedelta(minutes=minutes)).isoformat()),
            location={"displayName": f"Room {number}"},
            singleValueExtendedProperties=tag("x"),
        )["id"]
        for number, (day, hour, minutes) in enumerate(starts)
    ]
    world.ada.put_event(lecture(subject="<b>Lunch</b> & " + "x" * 80))
    world.ada.put_event(
        lecture(
            subject="Reading", isAllDay=True, start=at("2026-09-23T00:00:00"), end=at("2026-09-25T00:00:00")
        )
    )
    world.ada.copy_event(made[3])
    world.ada.edit_event(made[5], {"subject": "Moved"})
    world.tenant.add_mailboxes(f"s{number:03}@{world.tenant.domain}" for number in range(60))
    world.tenant.mailbox(f"s001@{world.tenant.domain}").state = "full"
    world.sandbox.throttle(world.tenant, 60)


def paths(world: World) -> list[str]:
    """Every kind of page."""
    return [
        "./",
        f"./?search={world.tenant.domain}&page=2",
        f"pages/mailboxes/{world.tenant.tenant_id}/{world.ada.id}",
        f"pages/mailboxes/{world.tenant.tenant_id}/{world.ada.id}?week=soon&zone=nowhere",
        "pages/history",
        "pages/limits",
    ]


@pytest.fixture(scope="module")
def axe() -> Any:
    """The judge of accessibility."""
    return pytest.importorskip("axe_playwright_python.sync_playwright").Axe()


def test_axe_finds_a_planted_offence(page: Any, axe: Any) -> None:
    page.goto("./")
    page.evaluate("document.querySelector('.notice').style.color = '#bbbbbb'")
    page.evaluate("document.querySelector('label').remove()")
    found = {violation["id"] for violation in axe.run(page, options=RULES).response["violations"]}
    assert found == {"color-contrast", "label"}


def test_axe_finds_nothing_wrong_wide_or_narrow(page: Any, world: World, axe: Any) -> None:
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 800})
        for path in paths(world):
            page.goto(path)
            found = axe.run(page, options=RULES)
            told = [
                (violation["id"], [node["html"] for node in violation["nodes"]])
                for violation in found.response["violations"]
            ]
            assert (path, width, told) == (path, width, [])
            assert found.response["passes"]


def test_at_400_percent_only_tables_scroll_sideways(page: Any, world: World) -> None:
    page.set_viewport_size({"width": 320, "height": 256})
    for path in paths(world):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_the_keyboard_reaches_everything_and_shows_where_it_is(page: Any, world: World) -> None:
    for path in paths(world):
        page.goto(path)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
        wanted = page.locator("a, button, input, select, [tabindex='0']").count()
        reached = {page.evaluate("document.activeElement.outerHTML")}
        for _ in range(wanted + 5):
            page.keyboard.press("Tab")
            told = page.evaluate(
                """() => {
                    const here = document.activeElement, style = getComputedStyle(here);
                    return [here.outerHTML, here === document.body ? 'solid' : style.outlineStyle];
                }"""
            )
            assert told[1] == "solid"
            reached.add(told[0])
        links = page.locator("a, button, input, select, [tabindex='0']")
        assert {links.nth(n).evaluate("here => here.outerHTML") for n in range(wanted)} <= reached


def test_the_skip_link_leads_to_the_content(page: Any) -> None:
    page.goto("./")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id === 'main'")


def test_a_mailbox_is_found_opened_and_its_weeks_turned(page: Any, world: World) -> None:
    page.goto("./")
    page.get_by_label("Address contains").fill(world.ada.address)
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name=world.ada.address).click()
    page.get_by_role("heading", level=1, name=world.ada.address).wait_for()
    page.get_by_role("heading", name="Lecture 0").wait_for()
    page.get_by_role("link", name="Week after").click()
    page.get_by_role("heading", name="Week of Monday 28 September 2026").wait_for()
    page.get_by_role("link", name="Nearest week with events").click()
    page.get_by_role("heading", name="Lecture 0").wait_for()
    page.get_by_label("Time zone").fill("Asia/Tokyo")
    page.keyboard.press("Enter")
    page.get_by_text("18:00 to 19:00").first.wait_for()
    page.get_by_role("link", name="History of this mailbox").click()
    page.get_by_role("heading", level=1, name="History").wait_for()
    assert page.get_by_label("Mailbox (its address)").input_value() == world.ada.address


def test_a_week_is_a_grid_where_one_hour_stands_at_one_height(page: Any, world: World) -> None:
    page.goto(f"pages/mailboxes/{world.tenant.tenant_id}/{world.ada.id}?zone=UTC")

    def box(text: str, number: int = 0) -> dict[str, float]:
        found: dict[str, float] = page.locator(".card", has_text=text).nth(number).bounding_box()
        return found

    monday, tuesday, wednesday = box("Lecture 0"), box("Lecture 3"), box("Lecture 4")
    assert monday["y"] == tuesday["y"] < wednesday["y"]
    assert monday["x"] < tuesday["x"] < wednesday["x"]
    # Those that overlap stand side by side.
    first, second = box("Lecture 1"), box("Lecture 2")
    assert first["y"] == second["y"]
    assert first["x"] + first["width"] <= second["x"] or second["x"] + second["width"] <= first["x"]
    assert first["height"] > second["height"]
    assert page.locator(".latest .change").inner_text() == "Changed last: changed, by a person"


def test_hostile_words_stay_words(page: Any, world: World) -> None:
    page.goto(f"pages/mailboxes/{world.tenant.tenant_id}/{world.ada.id}")
    assert page.locator(".card h4", has_text="<b>Lunch</b> &").is_visible()
    assert page.locator("main b").count() == 0


def test_pages_work_without_scripts_and_ask_nobody_else(browser: Any, world: World) -> None:
    fill(world)
    context = browser.new_context(
        ignore_https_errors=True, java_script_enabled=False, base_url=f"{world.address.url}/_sandbox/"
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in paths(world):
        assert page.goto(path).status == 200
    context.close()
    own = (f"{world.address.url}/_sandbox/", "data:")
    assert [url for url in asked if not url.startswith(own)] == []
    assert len(asked) > len(paths(world))
