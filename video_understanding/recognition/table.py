"""Predictions as tables: a row for each file, or one for each segment of each file."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from video_understanding.labels import BETWEEN, NONE
from video_understanding.prediction import HeadAnswer, Prediction
from video_understanding.safe_text import spreadsheet_cell


def files_csv(predictions: Sequence[Prediction], errors: Mapping[str, str]) -> str:
    """All files as CSV: file, duration_s, for each head the label and its confidence, the modalities, and the error.

    Labels are written as in `segments_csv`; `errors` are the files that could not be read, with the reason.
    """
    heads = _heads(predictions)
    rows = [
        [prediction.file, f"{prediction.duration_s:.3f}", *_cells(heads, prediction.heads),
         BETWEEN.join(name for name, there in prediction.modalities.items() if there), ""]
        for prediction in predictions
    ]  # fmt: skip
    rows += [[file, "", *("" for _ in _columns(heads)), "", error] for file, error in errors.items()]
    return _csv(["file", "duration_s", *_columns(heads), "modalities", "error"], rows)


def segments_csv(predictions: Sequence[Prediction]) -> str:
    """All segments as CSV: file, start_s, end_s, and for each head the label and its confidence.

    Several labels at once stand as "dance|sing", and "none" where none is shown, as in tables of labelled clips.
    A file name or label that a spreadsheet would run as a formula, such as "=1+1", stands behind an apostrophe.
    """
    heads = _heads(predictions)
    rows = [
        [prediction.file, f"{segment.start_s:.3f}", f"{segment.end_s:.3f}", *_cells(heads, segment.heads)]
        for prediction in predictions
        for segment in prediction.segments
    ]
    return _csv(["file", "start_s", "end_s", *_columns(heads)], rows)


def _heads(predictions: Sequence[Prediction]) -> list[str]:
    return list(dict.fromkeys(head for prediction in predictions for head in prediction.heads))


def _columns(heads: Sequence[str]) -> list[str]:
    return [name for head in heads for name in (head, f"{head}_confidence")]


def _cells(heads: Sequence[str], answers: Mapping[str, HeadAnswer]) -> list[str]:
    cells = []
    for answer in (answers[head] for head in heads):
        label = answer.label if isinstance(answer.label, str) else BETWEEN.join(answer.label) or NONE
        cells += [label, f"{answer.confidence:.4f}"]
    return cells


def _csv(header: list[str], rows: list[list[str]]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerows([header, *([spreadsheet_cell(cell) for cell in row] for row in rows)])
    return text.getvalue()
