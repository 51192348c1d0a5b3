"""Names and labels from untrusted files, escaped for where they are shown: a terminal, a cell of a spreadsheet."""

from __future__ import annotations

# Characters that a terminal interprets instead of showing: C0, DEL and C1; line and paragraph separators; marks that
# change the direction of writing; and lone surrogates, which represent bytes that are no UTF-8.
_CONTROLS = (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_SURROGATES = range(0xD800, 0xE000)
# From 0x7f on in the syntax of JSON, which may hold these characters as they are: it stays the same JSON.
_ESCAPES = {
    code: f"\\u{code:04x}" if code >= 0x7F else chr(code).encode("unicode_escape").decode()
    for code in (*_CONTROLS, *_SURROGATES)
}
_ESCAPES_IN_LINES = {code: escape for code, escape in _ESCAPES.items() if chr(code) not in "\n\t"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def one_line(text: str) -> str:
    """The text as one line of visible characters: control characters and line breaks become escapes such as \\x1b."""
    return text.translate(_ESCAPES)


def visible(text: str) -> str:
    """The same for a text of several lines, which keeps its line breaks and tabs."""
    return text.translate(_ESCAPES_IN_LINES)


def has_controls(text: str) -> bool:
    """Whether the text holds line breaks or other control characters; bytes that are no UTF-8 are none."""
    return any(ord(letter) in _CONTROLS for letter in text)


def spreadsheet_cell(text: str) -> str:
    """The text for a cell of a CSV file: after an apostrophe where a spreadsheet would run it as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
