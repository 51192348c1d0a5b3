"""Predictions as a table: a row for each segment of each file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from video_understanding.labels import BETWEEN, NONE
from video_understanding.prediction import Prediction
from video_understanding.safe_text import spreadsheet_cell


def csv_table(predictions: Sequence[Prediction]) -> str:
    """All segments as CSV: file, start_s, end_s, and for each head the label and how sure it is.

    Several labels at once stand as "dance|sing", and "none" where none is shown, as in tables of labelled clips.
    A file name or label that a spreadsheet would run as a formula, such as "=1+1", stands behind an apostrophe.
    """
    heads = list(dict.fromkeys(head for prediction in predictions for head in prediction.heads))
    told = io.StringIO()
    table = csv.writer(told, lineterminator="\n")
    table.writerow(["file", "start_s", "end_s", *(name for head in heads for name in (head, f"{head}_confidence"))])
    for prediction in predictions:
        for segment in prediction.segments:
            row = [spreadsheet_cell(prediction.file), f"{segment.start_s:.3f}", f"{segment.end_s:.3f}"]
            for head in heads:
                answer = segment.heads[head]
                label = answer.label if isinstance(answer.label, str) else BETWEEN.join(answer.label) or NONE
                row += [spreadsheet_cell(label), f"{answer.confidence:.4f}"]
            table.writerow(row)
    return told.getvalue()
