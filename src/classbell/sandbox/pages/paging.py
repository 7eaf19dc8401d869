"""Pages of a long list."""

from dataclasses import dataclass, field


def whole(text: str, least: int) -> int:
    """The whole number of a query, not below *least*; *least* if it is none."""
    return max(least, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else least  # noqa: PLR2004 - digits


@dataclass
class Pager:
    """Where one page of a list begins and ends; *page* counts from 1 and is kept inside."""

    total: int
    per_page: int
    page: int
    pages: int = field(init=False)

    def __post_init__(self) -> None:
        self.pages = max(1, -(-self.total // self.per_page))
        self.page = min(self.page, self.pages)

    @property
    def first(self) -> int:
        """The place of its first item, from 0."""
        return (self.page - 1) * self.per_page

    @property
    def end(self) -> int:
        """The place behind its last item."""
        return min(self.total, self.first + self.per_page)
