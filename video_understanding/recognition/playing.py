"""A file or a camera played into a stream, as if it happened now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from video_understanding.media.decode import iter_clips
from video_understanding.recognition.length import FileLength
from video_understanding.recognition.recognizer import Recognizer
from video_understanding.recognition.streaming import StreamEvent, StreamingRecognizer


def file_stream(recognizer: Recognizer, stride_s: float | None = None) -> StreamingRecognizer:
    """A stream for `play_file`: the file itself tells at each instant whether there is a picture, so none is held."""
    return recognizer.stream(stride_s, hold_s=0.5 / recognizer.spec.video.frames_hz)


def play_file(
    stream: StreamingRecognizer, file: str | Path, wait_until: Callable[[float], None] | None = None
) -> Iterator[StreamEvent]:
    """What a `file_stream` says of a file, stride by stride; the last segments come with the last event.

    `wait_until(time_s)` is called before each portion with the moment at which it would be over, live.
    """
    spec, stride, length = stream.spec, stream.stride, FileLength()
    new_frames, new_samples = spec.frames, spec.samples  # of the first window all, then what each has beyond the last
    for clip in iter_clips(file, spec, stride.seconds):
        length.look_at(clip)
        if wait_until is not None:
            wait_until(clip.end_s)
        there = np.flatnonzero(clip.frame_present[-new_frames:]) + spec.frames - new_frames
        if len(there):
            yield from stream.push_frames(clip.frames[there], spec.instants_s(clip.start_s)[there])
        yield from stream.push_sound(clip.waveform[-new_samples:], clip.end_s - new_samples / clip.sample_rate_hz)
        new_frames, new_samples = stride.frames, stride.hops * spec.audio.hop_samples
    yield from stream.finish(length.seconds())


def play_pictures(stream: StreamingRecognizer, pictures: Iterable[tuple[float, np.ndarray]]) -> Iterator[StreamEvent]:
    """What a stream says of pictures as `media.capture.CameraFrames` gives them: (time_s, uint8 [H,W,3]).

    It does not finish the stream: a camera ends when it is stopped.
    """
    for time_s, picture in pictures:
        yield from stream.push_frames(picture[None], np.array([time_s]))
