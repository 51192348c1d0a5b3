"""What a scorer is worth: measured on labelled clips, with how sure that is, by class, by subject, under damage."""

from video_understanding.evaluation.answers import Answers, join_answers
from video_understanding.evaluation.calibration import (
    calibration_error,
    fit_temperature,
    logits_of,
    tempered,
    unknown_threshold,
)
from video_understanding.evaluation.crossval import CrossvalSummary, crossval_summary
from video_understanding.evaluation.evaluate import evaluate
from video_understanding.evaluation.head_report import HeadReport
from video_understanding.evaluation.multi_label import MultiLabelAnswers, MultiLabelReport
from video_understanding.evaluation.report import Report
from video_understanding.evaluation.robustness import Robustness, robustness
from video_understanding.evaluation.subjects import SubjectSummary, subject_summary

__all__ = [
    "Answers",
    "CrossvalSummary",
    "HeadReport",
    "MultiLabelAnswers",
    "MultiLabelReport",
    "Report",
    "Robustness",
    "SubjectSummary",
    "calibration_error",
    "crossval_summary",
    "evaluate",
    "fit_temperature",
    "join_answers",
    "logits_of",
    "robustness",
    "subject_summary",
    "tempered",
    "unknown_threshold",
]
