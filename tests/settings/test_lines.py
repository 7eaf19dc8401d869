import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from classbell.settings.documents import lines_of


def test_keys_of_tables_dotted_keys_and_quoted_keys_have_their_lines() -> None:
    lines = lines_of(
        b"# a comment\n"
        b"schema = 1\n"
        b'a.b . "c d" = 2\n'
        b"\n"
        b"[tenant] # another\n"
        b'"quo\\"ted" = 3\n'
        b"[tenant.deep.er]\n"
        b"x = 4\n"
    )
    assert lines == {
        (): 1,
        ("schema",): 2,
        ("a",): 3,
        ("a", "b"): 3,
        ("a", "b", "c d"): 3,
        ("tenant",): 5,
        ("tenant", 'quo"ted'): 6,
        ("tenant", "deep"): 7,
        ("tenant", "deep", "er"): 7,
        ("tenant", "deep", "er", "x"): 8,
    }


def test_each_element_of_an_array_of_tables_is_told_from_the_others() -> None:
    lines = lines_of(
        b"[[s]]\nname = 'one'\n[s.limits]\nitems = 1\n[[s]]\nname = 'two'\n[[s.feeds]]\nurl = 'a'\n"
        b"[[s.feeds]]\nurl = 'b'\n[[s]]\n[[s.feeds]]\nurl = 'c'\n"
    )
    assert lines["s", 0, "name"] == 2
    assert lines["s", 0, "limits", "items"] == 4
    assert lines["s", 1, "name"] == 6
    assert lines["s", 1, "feeds", 0, "url"] == 8
    assert lines["s", 1, "feeds", 1, "url"] == 10
    assert lines["s", 2] == 11
    assert lines["s", 2, "feeds", 0, "url"] == 13


def test_values_over_several_lines_do_not_shift_what_follows() -> None:
    lines = lines_of(
        b'text = """\n[not.a.table]\nkey = 1\n"""\n'
        b"list = [ # comment\n  { x = 1 },\n\n  { x = 2, y.z = 3 },\n]\n"
        b"after = 1"
    )
    assert lines["text",] == 1
    assert lines["list", 0, "x"] == 6
    assert lines["list", 1] == 8
    assert lines["list", 1, "y", "z"] == 8
    assert lines["after",] == 10
    assert ("not",) not in lines


def test_windows_line_ends_count_as_one_line() -> None:
    assert lines_of(b"a = 1\r\n\r\nb = 2\r\n")["b",] == 3


Tree = dict[str, Any]
KEYS = st.sampled_from(["a", "b", "c", "long-key", "with space", 'q"uote', "ä"])
LEAVES = st.just(0)
TREES: st.SearchStrategy[Tree] = st.recursive(
    st.dictionaries(KEYS, LEAVES, max_size=3),
    lambda inner: st.dictionaries(
        KEYS,
        LEAVES | inner | st.lists(inner, min_size=1, max_size=3) | st.lists(LEAVES, max_size=3),
        max_size=4,
    ),
    max_leaves=12,
)


class Writing:
    """Writes a tree as TOML in drawn styles, with a different number in each leaf to find it by."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.lines: list[str] = []
        self.next = 1000

    def number(self) -> str:
        self.next += 1
        return str(self.next)

    def key(self, key: str) -> str:
        return (
            key if key.isascii() and key.replace("-", "").isalnum() else '"' + key.replace('"', '\\"') + '"'
        )

    def inline(self, value: Any) -> str:
        if isinstance(value, dict):
            return "{ " + ", ".join(f"{self.key(k)} = {self.inline(v)}" for k, v in value.items()) + " }"
        if isinstance(value, list):
            gap = self.draw(st.sampled_from([" ", "\n  ", "\n# [x]\n  "]))
            return "[" + ",".join(gap + self.inline(each) for each in value) + "]"
        return self.number()

    def table(self, tree: Tree, path: str) -> None:
        later = []
        for key, value in tree.items():
            named = f"{path}.{self.key(key)}" if path else self.key(key)
            as_tables = isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)
            if (isinstance(value, dict) or as_tables) and self.draw(st.booleans()):
                later.append((named, value))
            else:
                self.lines += f"{self.key(key)} = {self.inline(value)}".split("\n")
        for named, value in later:
            for each in value if isinstance(value, list) else [value]:
                self.lines += self.draw(st.sampled_from([[], ["# note"], [""]]))
                self.lines.append(f"[[{named}]]" if isinstance(value, list) else f"[{named}]")
                self.table(each, named)


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], int]]:
    if isinstance(value, dict):
        return [found for key, each in value.items() for found in leaves(each, (*path, key))]
    if isinstance(value, list):
        return [found for number, each in enumerate(value) for found in leaves(each, (*path, number))]
    return [(path, value)]


@given(tree=TREES, data=st.data())
def test_every_value_of_any_document_is_found_on_its_line(tree: Tree, data: Any) -> None:
    writing = Writing(data.draw)
    writing.table(tree, "")
    text = "\n".join(writing.lines)
    found = lines_of(text.encode())
    for path, number in leaves(tomllib.loads(text)):
        assert str(number) in text.split("\n")[found[path] - 1]
