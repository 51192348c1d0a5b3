"""The program `vu-edge`: recognises files, or a camera, by one TFLite file, with LiteRT, NumPy and PyAV alone.

Exit codes: 0 done, 2 bad input or usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from video_understanding import DISTRIBUTION, __version__
from video_understanding.arguments import Parser
from video_understanding.errors import MediaError, VideoUnderstandingError, missing_extra
from video_understanding.program_output import refusal, safe_output
from video_understanding.stderr_lines import allow_redirecting

if TYPE_CHECKING:
    from video_understanding.recognition.recognizer import Recognizer
    from video_understanding.recognition.streaming import StreamEvent, StreamingRecognizer

_NAME = "vu-edge"
_EXAMPLE = (
    f"  {_NAME} model_int8.tflite holiday.mp4\n"
    f"  {_NAME} model_int8.tflite *.mp4 --json > answers.json\n"
    f"  {_NAME} model_int8.tflite camera:0 --stream"
)
_EDGE_PACKAGES = ("av", "numpy")  # which an install of the bare minimum may lack


def main(words: Sequence[str] | None = None) -> int:
    """Runs the program with the given words, or those of the command line; returns the exit code."""
    arguments = make_parser().parse_args(words)
    allow_redirecting()
    try:
        with safe_output():
            code = _run(arguments)
            sys.stdout.flush()  # a reader that went away is noticed here, not at exit
        return code
    except VideoUnderstandingError as error:
        print(f"{_NAME}: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package not in _EDGE_PACKAGES:
            raise
        print(f"{_NAME}: {missing_extra(package, f'by {_NAME}', 'edge')}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{_NAME}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `vu-edge ... | head` is no error
        return 0
    except OSError as error:  # a full disk
        if error.strerror is None:
            raise
        print(f"{_NAME}: {refusal(error)}", file=sys.stderr)
        return 2


def make_parser() -> argparse.ArgumentParser:
    """The parser of the program."""
    parser = Parser(
        prog=_NAME,
        description="Recognises the action and the emotion in files, on a device without TensorFlow.",
        epilog=f"example:\n{_EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", metavar="MODEL.tflite", help="what `vu export` wrote")
    parser.add_argument("files", nargs="+", metavar="FILE", help="video or sound file, or camera:0 with --stream")
    parser.add_argument("--json", action="store_true", help="print one JSON list, an entry for each file")
    parser.add_argument("--stream", action="store_true", help="print one line of JSON for each step, as it is found")
    parser.add_argument("--threads", type=int, metavar="N", help="how many threads compute (default: 1)")
    parser.add_argument("--version", action="version", version=f"{DISTRIBUTION} {__version__}")
    return parser


def _run(arguments: argparse.Namespace) -> int:
    from video_understanding.edge.litert_scorer import LiteRTScorer
    from video_understanding.media.capture import CAMERA
    from video_understanding.recognition.recognizer import Recognizer

    for source in arguments.files:
        if not arguments.stream and source.startswith(CAMERA):
            raise MediaError(source, "never ends", "Add --stream, which answers at every step.")
    scorer = LiteRTScorer(arguments.model, arguments.threads)
    recognizer = Recognizer(scorer, scorer.unknown_below)
    return (_stream if arguments.stream else _predict)(recognizer, arguments)


def _predict(recognizer: Recognizer, arguments: argparse.Namespace) -> int:
    """Tells of each file as a whole."""
    from video_understanding.recognition.text import prediction_text

    entries: list[dict[str, Any]] = []
    failed = False
    for file in arguments.files:
        try:
            prediction = recognizer.predict(file)
        except MediaError as error:
            failed = True
            entries.append({"file": file, "error": str(error)})
            if not arguments.json:
                print(f"{_NAME}: {error}", file=sys.stderr)
            continue
        entries.append(prediction.to_dict())
        if not arguments.json:
            print(prediction_text(prediction), flush=True)
    if arguments.json:
        print(json.dumps(entries, indent=2, ensure_ascii=False))
    return 2 if failed else 0


def _stream(recognizer: Recognizer, arguments: argparse.Namespace) -> int:
    """Tells of each step of each file, or of a camera until it is stopped."""
    failed = False
    for source in arguments.files:
        try:
            stream, events = _played(recognizer, source)
            try:
                for event in events:
                    _print_line({"file": source, **event.to_dict()})
            except KeyboardInterrupt:  # what was recognised so far is told first
                for event in [] if stream.finished else stream.finish():
                    _print_line({"file": source, **event.to_dict()})
                raise
        except MediaError as error:
            failed = True
            _print_line({"file": source, "error": str(error)})
    return 2 if failed else 0


def _played(recognizer: Recognizer, source: str) -> tuple[StreamingRecognizer, Iterator[StreamEvent]]:
    from video_understanding.media.capture import CAMERA
    from video_understanding.recognition.playing import file_stream, play_file

    if source.startswith(CAMERA):
        stream = recognizer.stream(lateness_s=0.0)  # there is no sound that could be late
        return stream, _camera_events(recognizer, stream, source)
    stream = file_stream(recognizer)
    return stream, play_file(stream, source)


def _camera_events(recognizer: Recognizer, stream: StreamingRecognizer, source: str) -> Iterator[StreamEvent]:
    from video_understanding.media.capture import CameraFrames, camera_number
    from video_understanding.recognition.playing import play_pictures

    with CameraFrames(camera_number(source), recognizer.spec) as pictures:
        yield from play_pictures(stream, pictures)


def _print_line(values: dict[str, Any]) -> None:
    print(json.dumps(values, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.exit(main())
