"""Reads MMAction2's list of clips: a path and its class, or several, on every line, and no header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from video_understanding.datasets.plain_text import read_text
from video_understanding.datasets.problems import Problems, refuse_if_none_exists
from video_understanding.datasets.rows import MEDIA_SUFFIXES, Row, absolute_path, label
from video_understanding.labels import BETWEEN, HEADS

CLASS_FILES = ("classes.txt", "labels.txt", "label_map.txt")
# Both may hold spaces, so the path ends at the last word with the extension of a media file.
_PATH_AND_CLASS = re.compile(
    rf"(.*(?:{'|'.join(map(re.escape, sorted(MEDIA_SUFFIXES)))}))\s+(\S.*)", flags=re.IGNORECASE
)


def read_listing(source: Path, name: str, heads: Sequence[str] = HEADS) -> tuple[list[Row], list[str]]:
    """Rows and notes of a list; a class index becomes a name where a file of class names lies beside it.

    Its classes label the action, or the first of `heads` where that is none of them.
    """
    head = "action" if "action" in heads else heads[0]
    text = read_text(source, name)
    classes, notes = _class_names(source, name)
    problems = Problems(name)
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            path, written = _path_and_class(line.strip())
            if classes and _is_numbered(written):
                written = BETWEEN.join(_named(int(index), classes) for index in written.split(BETWEEN))
        except ValueError as error:
            problems.add(number, str(error))
            continue
        file = absolute_path(path, source.parent)
        rows.append(Row(file, {head: written}, origin=f"{name}:{number}", root=source.parent))
    problems.raise_if_any()
    refuse_if_none_exists(rows, name)
    if not classes and all(_is_numbered(row.labels[head]) for row in rows):
        notes.append(f"{name}: its classes have numbers only; their names can be given beside it in {CLASS_FILES[0]}.")
    return rows, notes


def _path_and_class(line: str) -> tuple[str, str]:
    match = _PATH_AND_CLASS.fullmatch(line)
    path, written = match.groups() if match else ([*line.rsplit(maxsplit=1), ""])[:2]
    if not written:
        hint = "; a table needs a header with a column path" if set(line) & set(",;") else ""
        raise ValueError(f"{line[:80]!r} has no class after the path{hint}")
    if all(word.isdecimal() for word in written.split()):
        written = BETWEEN.join(written.split())
    return path, label("class", written)


def _is_numbered(written: str) -> bool:
    """Whether it is the index of a class, or several of them."""
    return all(index.isdecimal() for index in written.split(BETWEEN))


def _named(index: int, classes: dict[int, str]) -> str:
    if index not in classes:
        raise ValueError(f"class {index} is not among the {len(classes)} classes, {min(classes)} to {max(classes)}")
    return classes[index]


def _class_names(source: Path, name: str) -> tuple[dict[int, str], list[str]]:
    """Class names by index: the line's place counted from 0, or the number every line begins with."""
    beside = [source.parent / file for file in CLASS_FILES if file != source.name]
    found = next((file for file in beside if file.is_file()), None)
    if found is None:
        return {}, []
    lines = [line.strip() for line in read_text(found, found.name).splitlines() if line.strip()]
    numbered = [re.fullmatch(r"(\d+)[\s,:]+(\S.*)", line) for line in lines]
    if all(numbered) and len({int(match[1]) for match in numbered}) == len(lines):
        classes = {int(match[1]): match[2] for match in numbered}
    else:
        classes = dict(enumerate(lines))
    return classes, [f"{name}: class names are those of {found.name}."]
