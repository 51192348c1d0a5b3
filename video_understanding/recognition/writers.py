"""The forms in which recognised files are written, in one table: for people, programs, players and spreadsheets."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from video_understanding.prediction import Prediction
from video_understanding.recognition.subtitles import srt
from video_understanding.recognition.table import files_csv, segments_csv
from video_understanding.recognition.text import prediction_text


@dataclass(frozen=True)
class Unreadable:
    """A file without a prediction, and the reason."""

    file: str
    error: str


File = Prediction | Unreadable


@dataclass(frozen=True)
class Writer:
    """One form of output.

    suffix       ending of the files that hold it, without the dot
    text         the document of some files, in their order
    holds_many   whether one document can hold several files
    holds_errors whether it says which files could not be read
    """

    suffix: str
    text: Callable[[Sequence[File]], str]
    holds_many: bool = True
    holds_errors: bool = False


def _json(files: Sequence[File]) -> str:
    entries = [
        file.to_dict() if isinstance(file, Prediction) else {"file": file.file, "error": file.error} for file in files
    ]
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"


def _files_csv(files: Sequence[File]) -> str:
    return files_csv(_readable(files), {file.file: file.error for file in files if isinstance(file, Unreadable)})


def _readable(files: Sequence[File]) -> list[Prediction]:
    return [file for file in files if isinstance(file, Prediction)]


def _each(text: Callable[[Prediction], str]) -> Callable[[Sequence[File]], str]:
    return lambda files: "".join(f"{text(file).rstrip()}\n" for file in _readable(files))


WRITERS = {
    "txt": Writer("txt", _each(prediction_text)),
    "json": Writer("json", _json, holds_errors=True),
    "srt": Writer("srt", _each(srt), holds_many=False),
    "csv": Writer("csv", _files_csv, holds_errors=True),
    "segments_csv": Writer("csv", lambda files: segments_csv(_readable(files))),
}


def summary_text(files: Sequence[File]) -> str:
    """One line on many files: how many were read, and how often each label was the answer of each head."""
    readable = _readable(files)
    lines = [f"{len(files)} files" + (f", {len(files) - len(readable)} unreadable" * (len(readable) < len(files)))]
    for head in dict.fromkeys(head for prediction in readable for head in prediction.heads):
        labels = [prediction.heads[head].words for prediction in readable]
        counts = sorted(((labels.count(label), label) for label in set(labels)), key=lambda pair: (-pair[0], pair[1]))
        lines.append(f"{head} " + ", ".join(f"{label} {count}" for count, label in counts[:_LABELS_SHOWN]))
        if len(counts) > _LABELS_SHOWN:
            lines[-1] += f" and {len(counts) - _LABELS_SHOWN} more labels"
    return "; ".join(lines)


_LABELS_SHOWN = 5  # of each head, the most frequent
