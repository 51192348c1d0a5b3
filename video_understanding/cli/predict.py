"""`vu predict`: which action happens and which emotion is expressed in files, and when."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from video_understanding.cli.options import add_runtime
from video_understanding.cli.prediction_output import Documents, Pages
from video_understanding.cli.speakers import add_speaker_of, speaker_weights
from video_understanding.progress import Bar
from video_understanding.safe_text import one_line

if TYPE_CHECKING:
    from video_understanding.prediction import Prediction
    from video_understanding.recognition.answers import WindowAnswer
    from video_understanding.recognition.recognizer import Recognizer

HELP = "recognise the action and the emotion in files; a longer file gets a timeline"
EXAMPLE = (
    "  vu predict saved_models/mine holiday.mp4\n"
    "  vu predict saved_models/mine clips/ --json > answers.json\n"
    "  vu predict saved_models/mine lecture.mkv --srt --out lecture.srt --overlay shown.mp4 --picture when.png\n"
    "  vu predict saved_models/mine lecture.mkv --report lecture.html\n"
    "  vu predict saved_models/mine anna/ bert/ --speaker-of folder\n"
    '  vu predict saved_models/mine holiday.mp4 --labels "surfing, playing the piano, a horse race"'
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="BUNDLE", help="folder of a trained model, or a .tflite file of it")
    parser.add_argument("files", nargs="+", metavar="FILE", help="video or sound file, or a folder of some")
    add_runtime(parser)
    add_speaker_of(parser, columns=False)
    parser.add_argument(
        "--labels",
        type=lambda text: [label for part in text.split(",") if (label := " ".join(part.split()))],
        metavar="A,B",
        help="answer which of these, in your own words, is to be seen, too (head `words`); needs a model with words",
    )
    parser.add_argument(
        "--stride", type=float, metavar="SECONDS", help="from window to window (default: a quarter of one)"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON list, an entry for each file")
    form.add_argument("--srt", action="store_true", help="print subtitles")
    form.add_argument("--csv", action="store_true", help="print a table, a row for each file")
    form.add_argument("--segments-csv", action="store_true", help="print a table, a row for each segment")
    parser.add_argument("--out", metavar="PLACE", help="write there instead: a file, or a folder with a file for each")
    parser.add_argument("--overlay", metavar="VIDEO", help="write the video with captions, for one FILE")
    parser.add_argument("--picture", metavar="PNG", help="draw the timeline, for one FILE")
    parser.add_argument(
        "--report",
        nargs="?",
        const="./",
        metavar="HTML",
        help="write a page with the timeline and which modality carried it: a file ending with .html, or a folder with "
        "a page for each FILE (default: the one you are in)",
    )


def run(arguments: argparse.Namespace) -> int:
    from video_understanding.errors import MediaError
    from video_understanding.recognition.strides import Stride
    from video_understanding.runtimes import load, quickest_runtime

    files = media_files(arguments.files)
    output = Documents(arguments, len(files))
    pages = Pages(arguments, len(files))
    recognizer = load(arguments.bundle, arguments.runtime or quickest_runtime(arguments.bundle))
    if arguments.labels is not None:
        recognizer = recognizer.with_labels(arguments.labels)
    Stride.of(recognizer.spec, arguments.stride)
    speakers = _Speakers(recognizer, files, arguments)
    failed = False
    for number, file in enumerate(files, start=1):
        doing = one_line(Path(file).name)
        if len(files) > 1:
            doing = f"{number}/{len(files)} {doing}"
        try:
            recognizer, notes = speakers.recognizer_of(file), speakers.notes_of(file)
            output.add(_predict(recognizer, file, doing, arguments, pages, notes))
        except MediaError as error:
            failed = True
            output.add_error(file, error)
    output.finish()
    return 2 if failed else 0


def media_files(names: list[str]) -> list[str]:
    """The files as they are named, and those in and below named folders that end like media, in order."""
    from video_understanding.datasets.rows import is_media
    from video_understanding.errors import MediaError

    files: list[str] = []
    for name in names:
        if not Path(name).is_dir():
            files.append(name)
            continue
        inside = sorted(str(path) for path in Path(name).rglob("*") if is_media(path) and path.is_file())
        if not inside:
            raise MediaError(name, "holds no file that ends like video or sound", "Give a folder of media files.")
        files += inside
    return files


def _predict(
    recognizer: Recognizer,
    file: str,
    doing: str,
    arguments: argparse.Namespace,
    pages: Pages,
    notes: tuple[str, ...],
) -> Prediction:
    answers: list[WindowAnswer] = []
    shares = pages.shares(recognizer)
    keep = arguments.overlay or arguments.picture
    with _bar(file, doing) as bar:

        def progress(answer: WindowAnswer) -> None:
            bar.update(max(0.0, min(answer.end_s, bar.total or answer.end_s) - bar.done))
            if shares is not None:
                shares.add(answer)
            if keep:
                answers.append(dataclasses.replace(answer, tokens={}))  # which nobody needs for drawing

        prediction = recognizer.predict(file, arguments.stride, progress)
    prediction = dataclasses.replace(prediction, notes=(*prediction.notes, *notes))
    if arguments.overlay:
        from video_understanding.recognition.overlay import write_overlay

        write_overlay(file, prediction, answers, arguments.overlay)
    if arguments.picture:
        from video_understanding.recognition.timeline_picture import draw_timeline

        draw_timeline(file, prediction, answers, recognizer.spec, arguments.picture)
    if shares is not None:
        pages.write(prediction, shares)
    return prediction


class _Speakers:
    """Recognises each file by the model adapted to its speaker, where `--speaker-of` says who that is."""

    def __init__(self, recognizer: Recognizer, files: list[str], arguments: argparse.Namespace) -> None:
        self._recognizer, self._of = recognizer, arguments.speaker_of
        self._weights = None
        self._files: dict[Path, list[str]] = {}
        self._known: dict[Path, tuple[Recognizer, tuple[str, ...]]] = {}
        if self._of is None:
            return
        self._weights, notes = speaker_weights(arguments.bundle, recognizer.labels)
        for note in notes:
            print(f"vu: {note}", file=sys.stderr)
        for file in files:
            self._files.setdefault(self._speaker(file), []).append(file)

    def recognizer_of(self, file: str) -> Recognizer:
        """What recognises the file; the speaker's files are encoded when the first of them is asked for."""
        return self._adapted(file)[0]

    def notes_of(self, file: str) -> tuple[str, ...]:
        """By what the answers of the file are adapted, in words."""
        return self._adapted(file)[1]

    def _adapted(self, file: str) -> tuple[Recognizer, tuple[str, ...]]:
        if self._weights is None:
            return self._recognizer, ()
        speaker = self._speaker(file)
        if speaker not in self._known:
            self._known[speaker] = self._adapt(self._files[speaker])
        return self._known[speaker]

    def _adapt(self, files: list[str]) -> tuple[Recognizer, tuple[str, ...]]:
        from video_understanding.features.speaker_sound import adapted, speaker_sound
        from video_understanding.recognition.recognizer import Recognizer

        plain = self._recognizer
        sound = speaker_sound(files, plain.scorer, self._weights, skip_unreadable=True)
        if not len(sound.clips):
            return plain, ("not adapted to the speaker: no sound",)
        scorer = adapted(plain.scorer, self._weights, sound)
        return Recognizer(scorer, plain.unknown_below), (f"adapted to the speaker by {sound.words}",)

    def _speaker(self, file: str) -> Path:
        place = Path(file).resolve()
        return place.parent if self._of == "folder" else place


@contextmanager
def _bar(file: str, doing: str) -> Iterator[Bar]:
    """A bar over the seconds of a file."""
    from video_understanding.media.container import open_media

    with open_media(Path(file)) as media:
        total_s = media.announced_s
    with Bar(total_s and round(total_s), doing, "s", leave=False) as bar:
        yield bar
