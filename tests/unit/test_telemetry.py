"""The log says what happened, to people or to programs, and no secret with it."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classbell import telemetry
from classbell.telemetry import HIDDEN, logger, redacted

TOKEN = "eyJhbGciOiJQUzI1NiIsIng1dCNTMjU2IjoiQUIifQ.eyJhdWQiOiJ4In0.c2lnbmF0dXJl-_"
PEM = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIEvQ\nIBADANB\n-----END ENCRYPTED PRIVATE KEY-----"
SECRET = "hunter2-the-secret"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    telemetry.configure(stream, as_json=True, verbose=True)
    yield stream
    telemetry.silence()


def read(stream: io.StringIO) -> dict[str, object]:
    (line,) = stream.getvalue().splitlines()
    read: dict[str, object] = json.loads(line)
    return read


def test_a_line_for_programs_is_one_json_object(lines: io.StringIO) -> None:
    logger("identity").info("signed in", thumbprint="AB12", days_left=30)
    line = read(lines)
    assert line.pop("ts")
    assert line == {
        "level": "info", "part": "identity", "msg": "signed in", "thumbprint": "AB12", "days_left": 30,
    }  # fmt: skip


def test_a_line_for_people_is_one_line() -> None:
    stream = io.StringIO()
    telemetry.configure(stream, as_json=False, verbose=True)
    logger("identity").warning("certificate refused", thumbprint="AB12", code="E-CERT-UNREG", nothing=None)
    telemetry.silence()
    (line,) = stream.getvalue().splitlines()
    _, _, rest = line.partition(" ")
    assert rest == "warning identity: certificate refused  thumbprint=AB12  code=E-CERT-UNREG"


def test_who_looks_on_is_told_each_thing_once_in_words() -> None:
    stream = io.StringIO()
    telemetry.configure(stream, as_json=False, in_words=True)
    for _ in range(2):
        logger("identity").warning("certificate refused", thumbprint="AB12", code="E-CERT-UNREG")
        logger("identity").warning(
            "It ends soon.", code="W-CERT-EXPIRES", why=TOKEN, do="classbell cert rotate"
        )
    telemetry.silence()
    assert stream.getvalue().splitlines() == [
        "E-CERT-UNREG  Certificate refused (thumbprint AB12).",
        "W-CERT-EXPIRES  It ends soon.",
        f"  Why:    {HIDDEN}",
        "  Do:     classbell cert rotate",
    ]


def test_without_being_asked_only_warnings_are_written() -> None:
    stream = io.StringIO()
    telemetry.configure(stream, as_json=True)
    logger("identity").info("signed in")
    logger("identity").warning("certificate refused")
    telemetry.silence()
    assert read(stream)["msg"] == "certificate refused"


def test_until_it_is_configured_nothing_is_written(capfd: pytest.CaptureFixture[str]) -> None:
    logger("identity").error("nobody hears this")
    assert capfd.readouterr() == ("", "")
    assert not logging.getLogger("classbell").propagate


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {TOKEN}",
        f"Bearer {SECRET}",
        f"grant_type=x&client_assertion={SECRET}&scope=y",
        f'{{"access_token":"{SECRET}"}}',
        f"password={SECRET}",
        f"key_password: '{SECRET}'",
        f"https://example.edu/feed.ics?key={SECRET}",
        f"https://user:{SECRET}@example.edu/feed.ics",
        f"see {TOKEN}.",
        PEM,
        PEM.partition("-----END")[0],
    ],
)
def test_what_looks_like_a_secret_is_taken_out_wherever_it_stands(lines: io.StringIO, text: str) -> None:
    log = logger("identity")
    try:
        int(text)
    except ValueError:
        log.exception(text, value=text, inner={"deep": [text]}, raw=text.encode())
    written = lines.getvalue()
    assert "Traceback" in written
    assert HIDDEN in written
    for secret in (SECRET, TOKEN, "eyJ", "MIIEvQ", "IBADANB"):
        assert secret not in written


def test_values_with_the_name_of_a_secret_are_taken_out_whatever_they_are(lines: io.StringIO) -> None:
    logger("identity").info(
        "x", key_password=SECRET, headers={"Authorization": SECRET}, client_assertion=b"x"
    )
    line = read(lines)
    assert (line["key_password"], line["headers"]) == (HIDDEN, {"Authorization": HIDDEN})


@given(st.text(max_size=60), st.text(max_size=60))
def test_tokens_are_taken_out_of_any_text(before: str, after: str) -> None:
    assert "eyJhdWQi" not in redacted(f"{before} {TOKEN} {after}")


def test_thumbprints_ids_and_codes_stay(lines: io.StringIO) -> None:
    logger("identity").info(
        "certificate refused", thumbprint="0A1B" * 10, tenant="118d9c15-faca-47ad-9d8f-c21d28c80e5f",
        origin="AADSTS700027",
    )  # fmt: skip
    assert HIDDEN not in lines.getvalue()
