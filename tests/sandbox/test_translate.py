"""translateExchangeIds."""

from itertools import count
from typing import Any
from urllib.parse import quote

import pytest
from tests.sandbox.client import Answer, Client, World, lecture
from tests.sandbox.series import TERM, WEEKS

FORMS = ["entryId", "ewsId", "immutableEntryId", "restId", "restImmutableEntryId"]


@pytest.fixture
def directory(world: World) -> Client:
    world.app.grant("User.Read.All")
    return world.sign_in()


def translated(
    world: World, client: Client, ids: list[str], source: str, target: str
) -> list[dict[str, Any]]:
    answer = ask(world, client, inputIds=ids, sourceIdType=source, targetIdType=target)
    assert answer.status == 200, answer
    assert answer.body["@odata.context"].endswith("#Collection(microsoft.graph.convertIdResult)")
    found: list[dict[str, Any]] = answer.body["value"]
    return found


def ask(world: World, client: Client, **body: Any) -> Answer:
    return client.post(f"{world.home}/translateExchangeIds", body)


def test_mutable_ids_become_immutable_ones(world: World, directory: Client) -> None:
    immutable = world.create()["id"]
    mutable = world.graph.get(f"{world.events}/{immutable}").body["id"]
    assert translated(world, directory, [mutable], "restId", "restImmutableEntryId") == [
        {"sourceId": mutable, "targetId": immutable}
    ]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_leads_there_and_back(world: World, directory: Client, form: str) -> None:
    world.create()
    mutable = world.graph.get(world.events).body["value"][0]["id"]
    (there,) = translated(world, directory, [mutable], "restId", form)
    (back,) = translated(world, directory, [there["targetId"]], form, "restId")
    assert back["targetId"] == mutable
    if form not in {"restId", "ewsId"}:
        assert there["targetId"] != mutable


def test_the_id_of_exchange_web_services_has_slashes_where_graph_has_hyphens(
    world: World, directory: Client
) -> None:
    # Half of all mailboxes have a hyphen in their ids.
    for number in count():
        world.ada = world.tenant.add_mailbox(f"m{number}@{world.tenant.domain}")
        world.create()
        mutable = world.graph.get(world.events).body["value"][0]["id"]
        if "-" in mutable:
            break
    (told,) = translated(world, directory, [mutable], "restId", "ewsId")
    assert told["targetId"] == mutable.replace("-", "/").replace("_", "+")


def test_binary_forms_end_with_the_number_of_their_padding(world: World, directory: Client) -> None:
    world.create()
    mutable = world.graph.get(world.events).body["value"][0]["id"]
    (told,) = translated(world, directory, [mutable], "restId", "entryId")
    # 70 bytes are 94 characters and two of padding.
    assert (len(told["targetId"]), told["targetId"][-1]) == (95, "2")
    assert "=" not in told["targetId"]


def test_ids_of_occurrences_and_calendars_are_translated_too(world: World, directory: Client) -> None:
    world.create(recurrence=WEEKS)
    occurrence = world.graph.get(f"{world.home}/calendarView", TERM).body["value"][0]["id"]
    (told,) = translated(world, directory, [occurrence], "restId", "restImmutableEntryId")
    read = world.graph.get(f"{world.events}/{quote(told['targetId'])}")
    assert read.body["type"] == "occurrence"
    calendar = next(iter(world.ada.calendars()))
    (same,) = translated(world, directory, [calendar], "restId", "restImmutableEntryId")
    assert same["targetId"] == calendar


def test_each_id_has_its_own_error(world: World, directory: Client) -> None:
    bob = world.tenant.add_mailbox(f"bob@{world.tenant.domain}")
    own, other = world.create()["id"], bob.put_event(lecture())
    told = translated(world, directory, ["x", own, other], "restImmutableEntryId", "restId")
    assert [row.get("errorDetails", {}).get("code") for row in told] == [
        "ErrorInvalidIdMalformed",
        None,
        "ErrorItemNotFound",
    ]
    assert [row["sourceId"] for row in told] == ["x", own, other]


def test_an_id_of_another_form_than_named_is_malformed(world: World, directory: Client) -> None:
    immutable = world.create()["id"]
    for form in ("restId", "entryId", "immutableEntryId"):
        (told,) = translated(world, directory, [immutable], form, "ewsId")
        assert told["errorDetails"]["code"] == "ErrorInvalidIdMalformed"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"inputIds": "x", "sourceIdType": "restId", "targetIdType": "ewsId"},
        {"inputIds": ["x"], "sourceIdType": "restId"},
        {"inputIds": ["x"], "sourceIdType": "restId", "targetIdType": "postcard"},
        {"inputIds": ["x"] * 1001, "sourceIdType": "restId", "targetIdType": "ewsId"},
    ],
)
def test_a_translation_that_makes_no_sense_is_refused(
    world: World, directory: Client, body: dict[str, Any]
) -> None:
    assert ask(world, directory, **body).status == 400


def test_a_thousand_ids_are_the_most(world: World, directory: Client) -> None:
    own = world.create()["id"]
    assert len(translated(world, directory, [own] * 1000, "restImmutableEntryId", "restId")) == 1000


def test_translation_needs_a_permission_of_the_directory(world: World) -> None:
    answer = ask(world, world.graph, inputIds=[], sourceIdType="restId", targetIdType="ewsId")
    assert answer.code == "ErrorAccessDenied"
