"""Operation ids: the same parts give the same id for ever, and other parts another."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from classbell.operations import operation_id

INSTALLATION = "6f1c1c62-6c0e-4b57-9a5e-0d9d4d8f2a11"


def test_ids_are_what_they_always_were() -> None:
    """They stand in the ledgers and mailboxes of every installation."""
    parts = (INSTALLATION, "uni", "ann@uni.example", "timetable:m1")
    assert operation_id(*parts, 1) == "c772e055-c097-5368-9aa0-7d26b4684f56"
    assert operation_id(*parts, 2) == "1e09876a-929d-51d0-bd4d-4c0790c1fe8c"


def test_the_spelling_of_the_installation_id_does_not_matter() -> None:
    assert operation_id(INSTALLATION.upper(), "u", "a", "m", 1) == operation_id(
        INSTALLATION, "u", "a", "m", 1
    )


parts = st.tuples(
    st.sampled_from(["", "a", "b", "a,b"]),
    st.sampled_from(["", "a", "b", 'a"', "a,b"]),
    st.sampled_from(["", "a", "b", '"a', "b:1"]),
    st.sampled_from(["", "a", "1", "b:1"]),
    st.integers(1, 3),
)


@given(parts, parts)
def test_different_parts_have_different_ids_however_they_are_spelt(
    one: tuple[str, str, str, str, int], other: tuple[str, str, str, str, int]
) -> None:
    assert (operation_id(*one) == operation_id(*other)) == (one == other)
    assert str(UUID(operation_id(*one))) == operation_id(*one)
