"""Reports of answers drawn from a seed, of every kind that a page is made of."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from video_understanding.datasets.rows import Row
from video_understanding.evaluation import Answers, HeadReport, MultiLabelAnswers, MultiLabelReport, Report
from video_understanding.evaluation.report import Overall

EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
HISTORY = {
    "loss": [2.0, 1.5, 1.0, 0.8],
    "val_loss": [1.9, 1.4, 1.2, 1.3],
    "action_accuracy": [0.3, 0.5, 0.7, 0.8],
    "val_action_accuracy": [0.2, 0.5, 0.65, 0.6],
    "learning_rate": [1e-3, 1e-3, 1e-4, 1e-5],
}


def rows(clips: int, subjects: int) -> tuple[Row, ...]:
    return tuple(
        Row(
            Path(f"/set/session_{number % 3}/take_{number:03d}.mp4"),
            root=Path("/set"),
            subject=f"person_{number % subjects}" if subjects else None,
        )
        for number in range(clips)
    )


def one_of(classes: tuple[str, ...], clips: int = 120, subjects: int = 8, skill: float = 2.0) -> HeadReport:
    """A head that is the more often right the more skill it has."""
    chance = np.random.default_rng(len(classes))
    truth = chance.integers(0, len(classes), clips)
    logits = chance.normal(size=(clips, len(classes)))
    logits[np.arange(clips), truth] += skill
    scores = np.exp(1.5 * logits)
    scores /= scores.sum(axis=1, keepdims=True)
    return HeadReport.of(Answers(classes, rows(clips, subjects), truth, scores))


def several_of(classes: tuple[str, ...], clips: int = 120, subjects: int = 8) -> MultiLabelReport:
    chance = np.random.default_rng(1)
    truth = chance.random((clips, len(classes))) < 0.3
    scores = 1 / (1 + np.exp(-chance.normal(np.where(truth, 1.2, -1.2))))
    return MultiLabelReport.of(MultiLabelAnswers(classes, rows(clips, subjects), truth, scores))


def report(notes: tuple[str, ...] = (), **heads: HeadReport | MultiLabelReport) -> Report:
    found = list(heads.values())
    overall = Overall(
        uar=float(np.mean([head.uar for head in found])),
        accuracy=float(np.mean([head.accuracy for head in found])),
        heads=len(found),
        clips=max(head.clips for head in found),
    )
    return Report(heads, overall, overall.clips + 7, None, notes)


def folds(**heads: HeadReport | MultiLabelReport) -> list[Report]:
    """Two folds of different subjects; in the second every third clip is taken for another than in the first."""
    first = report(**heads)
    moved = {}
    for head, result in first.heads.items():
        answers = result.answers
        others = tuple(
            dataclasses.replace(row, path=row.path.with_suffix(".mov"), subject=f"other_{row.subject}")
            for row in answers.rows
        )
        scores = answers.scores.copy()
        scores[::3] = scores[::3, ::-1]
        moved[head] = type(result).of(dataclasses.replace(answers, rows=others, scores=scores))
    return [first, report(**moved)]


def robustness_of(found: Report) -> dict:
    """As if each condition took a little more."""
    return {
        condition: {
            head: {"clips": result.clips, "accuracy": result.accuracy - loss, "uar": max(result.uar - loss, 0)}
            for head, result in found.heads.items()
        }
        for condition, loss in (("all modalities", 0.0), ("only video", 0.1), ("noise at 0 dB", 0.3))
    }
