"""Numbers for keys: known ones, and provisional ones until a plan is accepted."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classbell.numbering import PROVISIONAL, Numbering, lasting
from classbell.plan import pair_keys


def test_known_keys_keep_their_numbers_and_new_ones_get_provisional_ones_in_order() -> None:
    numbering = Numbering({"ann": 7})
    assert numbering.numbers(["bob", "ann", "cid", "bob"]).tolist() == [
        PROVISIONAL,
        7,
        PROVISIONAL + 1,
        PROVISIONAL,
    ]
    assert list(numbering.fresh) == ["bob", "cid"]


def test_asking_whether_a_key_is_known_makes_no_number() -> None:
    numbering = Numbering({"ann": 0})
    assert numbering.known("ann") == 0
    assert numbering.known("bob") is None
    assert numbering.fresh == {}
    numbering.number("bob")
    assert numbering.known("bob") == PROVISIONAL


def test_the_key_of_every_number_is_told() -> None:
    numbering = Numbering({"ann": 7})
    numbering.number("bob")
    assert numbering.keys() == {7: "ann", PROVISIONAL: "bob"}


@given(st.lists(st.text(max_size=3)), st.dictionaries(st.text(max_size=3), st.integers(0, 100)))
def test_provisional_numbers_become_those_that_were_given_in_their_order(
    keys: list[str], known: dict[str, int]
) -> None:
    numbering = Numbering(known)
    numbers = numbering.numbers(keys)
    given_ = np.arange(500, 500 + len(numbering.fresh), dtype=np.int64)
    final = dict(zip(numbering.fresh, given_.tolist(), strict=True))
    assert lasting(numbers, given_).tolist() == [known.get(key, final.get(key)) for key in keys]
    assert numbers.dtype == np.int64


def test_lasting_leaves_what_it_was_given_as_it_is() -> None:
    numbers = np.array([3, PROVISIONAL], dtype=np.int64)
    assert lasting(numbers, np.array([9], dtype=np.int64)).tolist() == [3, 9]
    assert numbers.tolist() == [3, PROVISIONAL]


@given(st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)), unique=True))
def test_one_number_per_pair_keeps_the_order_of_pairs_up_to_the_highest(pairs: list[tuple[int, int]]) -> None:
    table = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    keys = pair_keys(table[:, 0], table[:, 1]).tolist()
    assert keys == sorted(set(keys))
    assert len(keys) == len(pairs)
