"""Preflight: what is in a data set, and what would spoil training on it or evaluation with it."""

from video_understanding.datasets.preflight.check import check_dataset
from video_understanding.datasets.preflight.report import ClassCount, Finding, FoundRow, PreflightReport

__all__ = ["ClassCount", "Finding", "FoundRow", "PreflightReport", "check_dataset"]
