"""What a scorer is worth: measured on labelled clips, with how sure that is, by class, by subject, under damage."""

from video_understanding.evaluation.answers import Answers, MultiLabelAnswers, join_answers
from video_understanding.evaluation.base_report import BaseHeadReport
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
from video_understanding.evaluation.multi_label import MultiLabelReport
from video_understanding.evaluation.report import Report
from video_understanding.evaluation.robustness import Robustness, robustness
from video_understanding.evaluation.subjects import SubjectSummary

__all__ = [
    "Answers",
    "BaseHeadReport",
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
    "tempered",
    "unknown_threshold",
]
