"""Errors that a person can act on: each names the thing, what is wrong with it, and what to try."""

from __future__ import annotations

from pathlib import Path

from video_understanding.safe_text import one_line


class VideoUnderstandingError(Exception):
    """Bad input or usage, told in one line; the command line turns it into exit code 2.

    `subject` is the file, column or setting at fault, `cause` says what is wrong with it,
    `cure` what the user can try.
    """

    def __init__(self, subject: str | Path, cause: str, cure: str) -> None:
        self.subject = str(subject)
        self.cause = cause
        self.cure = cure
        super().__init__(subject, cause, cure)

    def __str__(self) -> str:
        line = f"{self.subject}: {self.cause}. {self.cure}"
        # A file's own name and metadata may hold line breaks and what terminals obey; an error is one visible line.
        return one_line(" ".join(line.split()))


class SpecError(VideoUnderstandingError):
    """A model spec whose numbers do not fit together."""


class ClipError(VideoUnderstandingError):
    """Arrays that do not make a clip: a wrong shape, type or time."""


class MediaError(VideoUnderstandingError):
    """A media file that cannot be read, or not be written."""


class ManifestError(VideoUnderstandingError):
    """A table or folder of labelled clips that cannot be understood."""


class SplitError(VideoUnderstandingError):
    """A split that cannot be made, or that would leak a subject between its parts."""


class CacheError(VideoUnderstandingError):
    """A cache of prepared clips that cannot be made or read."""


class TrainingError(VideoUnderstandingError):
    """A training that cannot begin or go on."""


class BundleError(VideoUnderstandingError):
    """A trained model on disk that is not there, not whole, or of a newer program."""


class SearchError(VideoUnderstandingError):
    """An index that is not there, not whole or of another model, or a search that cannot be answered."""


class ExportError(VideoUnderstandingError):
    """A model that cannot be exported, or whose export tells something else than the model."""


class MissingExtraError(VideoUnderstandingError):
    """A part of the program that needs a package which is not installed."""


def missing_extra(package: str, purpose: str, extra: str) -> MissingExtraError:
    """The error for an absent package: `purpose` says what it is for, `extra` which extra brings it."""
    return MissingExtraError(
        package,
        f"is needed {purpose} and is not installed",
        f"Install it, in a clone of this project, with: pip install '.[{extra}]'",
    )
