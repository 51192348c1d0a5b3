"""`vu stream`: the same as `vu predict`, live: a line for each step of a file or a camera."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from video_understanding.cli.options import add_runtime

if TYPE_CHECKING:
    from video_understanding.recognition.recognizer import Recognizer
    from video_understanding.recognition.streaming import StreamEvent, StreamingRecognizer

HELP = "recognise live, step by step, from a file or a camera"
EXAMPLE = "  vu stream saved_models/mine camera:0\n  vu stream saved_models/mine lecture.mkv --realtime --json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="BUNDLE", help="folder of a trained model, or a .tflite file of it")
    parser.add_argument("source", metavar="SOURCE", help="video or sound file, or camera:0 (pictures only, no sound)")
    add_runtime(parser)
    parser.add_argument(
        "--stride", type=float, metavar="SECONDS", help="from step to step (default: a quarter of a window)"
    )
    parser.add_argument("--realtime", action="store_true", help="play a file no faster than it would happen")
    parser.add_argument("--json", action="store_true", help="print one line of JSON for each step")


def run(arguments: argparse.Namespace) -> int:
    from video_understanding.media.capture import camera_number
    from video_understanding.runtimes import load, quickest_runtime

    camera = camera_number(arguments.source)
    recognizer = load(arguments.bundle, arguments.runtime or quickest_runtime(arguments.bundle))
    if camera is None:
        stream, events = _of_file(recognizer, arguments)
    else:
        stream, events = _of_camera(recognizer, camera, arguments)
    try:
        for event in events:
            _print(event, arguments.json)
    except BrokenPipeError:
        raise
    except BaseException:  # stopped by Ctrl-C, or the camera is gone: what was recognised so far is told first
        for event in [] if stream.finished else stream.finish():
            _print(event, arguments.json)
        raise
    return 0


def _of_file(
    recognizer: Recognizer, arguments: argparse.Namespace
) -> tuple[StreamingRecognizer, Iterator[StreamEvent]]:
    from video_understanding.recognition.playing import file_stream, play_file

    stream = file_stream(recognizer, arguments.stride)
    return stream, play_file(stream, arguments.source, pace() if arguments.realtime else None)


def _of_camera(
    recognizer: Recognizer, number: int, arguments: argparse.Namespace
) -> tuple[StreamingRecognizer, Iterator[StreamEvent]]:
    from video_understanding.media.capture import CameraFrames
    from video_understanding.recognition.playing import play_pictures

    stream = recognizer.stream(arguments.stride, lateness_s=0.0)  # there is no sound that could be late

    def events() -> Iterator[StreamEvent]:
        with CameraFrames(number, recognizer.spec) as pictures:
            print("vu: a camera gives pictures only, so the sound counts as absent; Ctrl-C stops", file=sys.stderr)
            yield from play_pictures(stream, pictures)

    return stream, events()


def pace(
    clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> Callable[[float], None]:
    """A function that waits until so many seconds have passed since it was made."""
    begin_s = clock()
    return lambda time_s: sleep(max(0.0, begin_s + time_s - clock()))


def _print(event: StreamEvent, as_json: bool) -> None:
    from video_understanding.recognition.text import event_text

    print(json.dumps(event.to_dict(), ensure_ascii=False) if as_json else event_text(event), flush=True)
