"""Reads a page as a program: its elements, checked to be well nested, its tables, its text."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = {"meta", "img", "br", "col"}


class Page(HTMLParser):
    """The elements (name, attributes) of a page, the texts inside each kind of element, and its tables as cells."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.source = text
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self._open: list[str] = []
        self._texts: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    @property
    def text(self) -> str:
        """All that is read, in a line; spaces that keep a number and its sign together are plain here."""
        return " ".join("".join(self._texts).replace("\u00a0", " ").split())

    def attributes(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for element, attributes in self.elements if element == name]

    def table(self, *headings: str) -> list[list[str]]:
        """The body of the one table with these headings."""
        found = [table for table in self.tables if tuple(table[0]) == headings]
        assert len(found) == 1, [table[0] for table in self.tables]
        return found[0][1:]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1] == tag, f"</{tag}> inside {self._open}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        self._texts.append(data if "svg" in self._open or "table" not in self._open else f" {data} ")
        if "td" in self._open or "th" in self._open:
            self.tables[-1][-1][-1] += data.replace("\u00a0", " ")
