"""Where `vu predict` writes: on the terminal, into one file, or into a folder with a file for each."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from video_understanding.errors import VideoUnderstandingError
from video_understanding.safe_text import one_line
from video_understanding.whole_file import write_whole

if TYPE_CHECKING:
    from video_understanding.prediction import Prediction
    from video_understanding.recognition.modalities_over_time import ModalitiesOverTime
    from video_understanding.recognition.recognizer import Recognizer
    from video_understanding.recognition.writers import File, Writer

_PAGES = (".html", ".htm")


class Documents:
    """Predictions in the form that was asked for, in one document or a document for each file."""

    def __init__(self, arguments: argparse.Namespace, many: int) -> None:
        from video_understanding.recognition.writers import WRITERS

        form = next((form for form in WRITERS if getattr(arguments, form, False)), "txt")
        self._writer: Writer = WRITERS[form]
        self._out = None if arguments.out is None else Path(arguments.out)
        self._folder = self._out is not None and (self._out.is_dir() or arguments.out.endswith("/"))
        self._at_once = form == "txt" and self._out is None  # people read each answer as it comes
        for name in ("overlay", "picture"):
            if getattr(arguments, name) and many > 1:
                raise VideoUnderstandingError(f"--{name}", f"is for one file, not {many}", "Give one file.")
        if not self._writer.holds_many and many > 1 and not self._folder:
            raise VideoUnderstandingError(f"--{form}", f"of {many} files is no single text", "Add --out FOLDER/.")
        self._files: list[File] = []
        self._names = _Names()

    def add(self, prediction: Prediction) -> None:
        """One more file that was recognised."""
        self._files.append(prediction)
        if self._folder:
            place = self._out / f"{self._names.after(prediction.file)}.{self._writer.suffix}"
            write_whole(place, self._writer.text([prediction]))
        elif self._at_once:
            print(self._writer.text([prediction]), end="", flush=True)

    def add_error(self, file: str, error: Exception) -> None:
        """One that was not."""
        from video_understanding.recognition.writers import Unreadable

        self._files.append(Unreadable(file, str(error)))
        if not self._writer.holds_errors or self._folder:
            print(f"vu: {error}", file=sys.stderr)

    def finish(self) -> None:
        """Writes or prints the document of all files, and a line on many of them to stderr."""
        from video_understanding.recognition.writers import summary_text

        if not self._folder and self._out is not None:
            write_whole(self._out, self._writer.text(self._files))
        elif not self._folder and not self._at_once:
            sys.stdout.write(self._writer.text(self._files))
        if len(self._files) > 1:
            print(f"vu: {one_line(summary_text(self._files))}", file=sys.stderr)


class Pages:
    """Where the pages of the files go: one has the name that was given, others are named after their files."""

    def __init__(self, arguments: argparse.Namespace, many: int) -> None:
        self._model = Path(arguments.bundle).resolve().name
        self._out: Path | None = None if arguments.report is None else Path(arguments.report)
        self._names = _Names()
        if self._out is None:
            return
        self._folder = self._out.is_dir() or arguments.report.endswith("/")
        if not self._folder and self._out.suffix.lower() not in _PAGES:  # a clip, perhaps, which must not be lost
            raise VideoUnderstandingError(
                f"--report {arguments.report}", "is no name of a page", "End it with .html, or with / for a folder."
            )
        if not self._folder and many > 1:
            raise VideoUnderstandingError("--report", f"{self._out} is for one file, not {many}", "Name a folder/.")

    def shares(self, recognizer: Recognizer) -> ModalitiesOverTime | None:
        """What gathers a file's windows for its page; None where no page is wanted."""
        from video_understanding.recognition.modalities_over_time import ModalitiesOverTime

        return None if self._out is None else ModalitiesOverTime(recognizer.scorer)

    def write(self, prediction: Prediction, shares: ModalitiesOverTime) -> None:
        """The page of one file."""
        from video_understanding.report.timeline_page import write_timeline

        place = self._out / f"{self._names.after(prediction.file)}_report.html" if self._folder else self._out
        write_timeline(prediction.file, prediction, shares, place, model=self._model)
        print(f"report: {one_line(str(place))}", file=sys.stderr)


class _Names:
    """Names like those of files, without folder and ending; two files of one name have two."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def after(self, file: str) -> str:
        """The name for one more file."""
        stem = name = Path(file).stem
        number = 1
        while name in self._taken:
            number += 1
            name = f"{stem}_{number}"
        self._taken.add(name)
        return name
