"""Reads a table of clips: a CSV with a header, a path and metadata of each clip."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from video_understanding.datasets.plain_text import read_text
from video_understanding.datasets.problems import Problems, refuse_if_none_exists
from video_understanding.datasets.rows import Row, absolute_path, fold_number, is_media, label, part_named, seconds
from video_understanding.errors import ManifestError
from video_understanding.labels import HEADS

COLUMNS = ("path", "subject", "split", "fold", "start", "end", "text")  # beside those of the heads
DELIMITERS = (",", ";", "\t")
_HEADER_CHARACTERS = 10_000  # no header is longer; a file without line breaks may be
_OTHER_NAMES = {
    "path": "file filename file_name filepath file_path video video_path clip clip_path media name",
    "action": "label class category activity classname class_name",
    "emotion": "mood feeling affect sentiment expression",
    "subject": "speaker speaker_id actor person participant subject_id",
    "split": "set subset partition part",
    "start": "begin start_s start_time from",
    "end": "stop end_s end_time to",
    "text": "caption sentence description",
}
_COLUMN_OF = {other: column for column, others in _OTHER_NAMES.items() for other in others.split()}


def is_table(text: str) -> bool:
    """Whether the first line of a text is a header with a `path` column."""
    line = _first_line(text)
    return any("path" in map(str.lower, _cells(line, delimiter)) for delimiter in DELIMITERS)


def read_table(source: Path, name: str, heads: Sequence[str] = HEADS) -> tuple[list[Row], list[str]]:
    """Rows and notes of a CSV file; `name` is its name in messages, `heads` are the columns that hold labels."""
    text = read_text(source, name)
    delimiter = _delimiter(_first_line(text), (*COLUMNS, *heads))
    problems = Problems(name)
    lines = _lines(text, delimiter, problems)
    header_line, header = next(lines, (1, []))
    problems.raise_if_any()  # a header that cannot be read is the cause of all errors after it
    columns = _columns(header, header_line, name, heads)
    rows = []
    for line, cells in lines:
        if len(cells) > len(columns):
            problems.add(
                line,
                f"has {len(cells)} fields, the header {len(columns)}; put quotes around a field with {delimiter!r}",
            )
            continue
        values = {column: cell for column, cell in zip(columns, cells, strict=False) if cell}
        row = _row(values, line, source, name, heads, problems)
        if row:
            rows.append(row)
    problems.raise_if_any()
    if not rows:
        raise ManifestError(name, "has a header and no rows", "Add a line for each clip.")
    if not any(row.labels or row.texts for row in rows):
        raise ManifestError(name, "no row has a label", f"Fill in the {' or the '.join(heads)} of at least some clips.")
    refuse_if_none_exists(rows, name)
    return rows, _column_hints(columns, name, heads)


def _row(
    values: dict[str, str], line: int, source: Path, name: str, heads: Sequence[str], problems: Problems
) -> Row | None:
    read = {}
    for column, convert in (
        *((head, partial(label, head)) for head in heads),
        ("split", part_named),
        ("fold", fold_number),
        ("start", partial(seconds, "start")),
        ("end", partial(seconds, "end")),
    ):
        try:
            read[column] = convert(values[column]) if column in values else None
        except ValueError as error:
            problems.add(line, str(error))
    if "path" not in values:
        problems.add(line, "has no path")
        return None
    start_s, end_s = read.get("start"), read.get("end")
    if end_s is not None and "start" in read and end_s <= (start_s or 0.0):
        problems.add(line, f"end {values['end']!r} is not after start {values.get('start', '0')!r}")
    return Row(
        path=absolute_path(values["path"], source.parent),
        labels={head: read.get(head) for head in heads},
        subject=values.get("subject"),
        split=read.get("split"),
        fold=read.get("fold"),
        start_s=start_s,
        end_s=end_s,
        texts=(values["text"],) if "text" in values else (),
        extra={column: value for column, value in values.items() if column not in (*COLUMNS, *heads)},
        origin=f"{name}:{line}",
        root=source.parent,
    )


def _first_line(text: str) -> str:
    line = next((line for line in text.splitlines() if line.strip()), "")
    return line[:_HEADER_CHARACTERS]


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])]


def _delimiter(header: str, known: Sequence[str]) -> str:
    def fit(delimiter: str) -> tuple[int, int]:
        cells = _cells(header, delimiter)
        return sum(cell.lower() in known for cell in cells), len(cells)

    return max(DELIMITERS, key=fit)


def _lines(text: str, delimiter: str, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """Each line that is not blank: its number and its trimmed cells."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    while True:
        number = reader.line_num + 1  # a quoted field may span lines: a row is where it begins
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:  # after this, the beginning of the next row is unknown
            problems.add(number, f"its quotes cannot be parsed ({error})")
            return
        if any(cells):
            yield number, cells


def _columns(header: list[str], line: int, name: str, heads: Sequence[str]) -> list[str]:
    """Names of the columns, the known ones in lower case; refuses a header that cannot be used."""
    known = (*COLUMNS, *heads)
    columns = [
        cell.lower() if cell.lower() in known else cell or f"column_{place}" for place, cell in enumerate(header, 1)
    ]
    if "path" not in columns:
        if any(is_media(word) for cell in columns for word in cell.split()):
            raise ManifestError(
                name,
                f"line {line} is a clip, not a header",
                "Begin with a header such as path,action,subject; a list of 'path label' lines ends in .txt.",
            )
        near = [column for column in columns if _probable_column(column, known) == "path"]
        cure = f"Rename the column {near[0]!r} to path." if near else "Name the column of the files path."
        raise ManifestError(name, f"has no column path, only {', '.join(columns)}", cure)
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise ManifestError(name, f"has the column {twice[0]!r} twice", "Rename or remove one of them.")
    if not {*heads, "text"} & set(columns):
        near = [column for column in columns if _probable_column(column, known) in heads]
        either = " or ".join(heads)
        cure = f"Rename the column {near[0]!r} to {either}" if near else f"Add an {either} column"
        cure += ", or name the one that holds labels with --heads."
        raise ManifestError(name, f"has no label column, only {', '.join(columns)}", cure)
    return columns


def _column_hints(columns: list[str], name: str, heads: Sequence[str]) -> list[str]:
    known, hints = (*COLUMNS, *heads), []
    for column in columns:
        meant = None if column in known else _probable_column(column, known)
        if meant and meant not in columns:
            hints.append(f"{name}: the column {column!r} is not used; rename it to {meant} if that is what it holds.")
    return hints


def _probable_column(column: str, known: Sequence[str]) -> str | None:
    plain = column.lower().replace(" ", "_").replace("-", "_")
    if _COLUMN_OF.get(plain) in known:
        return _COLUMN_OF[plain]
    near = difflib.get_close_matches(plain, known, n=1, cutoff=0.8)
    return near[0] if near else None
