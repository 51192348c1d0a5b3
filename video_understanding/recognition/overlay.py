"""The original video once more, with what was recognised written over it, and its sound as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from video_understanding.errors import MediaError, missing_extra
from video_understanding.media.container import Clock, OpenMedia, open_media
from video_understanding.media.picture import PictureMaker, orientation
from video_understanding.prediction import HeadAnswer, Prediction
from video_understanding.recognition.answers import WindowAnswer
from video_understanding.recognition.colours import answer_colour, colours_of
from video_understanding.safe_text import one_line
from video_understanding.spec import VideoSpec
from video_understanding.whole_file import whole_file

if TYPE_CHECKING:
    import av

CLOCK_HZ = 90_000  # of the written pictures: whole ticks for all usual frame rates
# Below this height captions cannot be read, above that width nobody needs a preview: pictures are scaled into it.
_LEAST_HEIGHT_PX, _MOST_WIDTH_PX = 360, 1920
_FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
# Sound that these containers hold as it is; other sound is coded anew as AAC.
_KEPT_SOUND = {"aac", "mp3", "mp3float", "ac3", "eac3", "alac"}
_GREY, _WHITE = (110, 110, 110), (255, 255, 255)
_SHADE = 0.35  # how much of the picture is left behind the captions


def write_overlay(file: str | Path, prediction: Prediction, answers: Sequence[WindowAnswer], out: str | Path) -> Path:
    """Writes the video of `file` with captions to `out` (H.264); returns `out`.

    The words are those of the segment at hand; the bar beside them is the score that the windows around gave them,
    `answers` in the order of time.
    """
    import av

    out = Path(out)
    if out.suffix.lower() not in _FORMATS:
        raise MediaError(out, f"{out.suffix!r} is not a known file extension", f"Use one of: {', '.join(_FORMATS)}.")
    captions = _Captions(prediction, answers)
    with open_media(Path(file)) as media:
        if media.picture is None:
            raise MediaError(file, "has no picture to write on", "Use --srt, --csv or --picture for sound alone.")
        try:
            with (
                whole_file(out) as unfinished,
                av.open(str(unfinished), "w", format=_FORMATS[out.suffix.lower()]) as made,
            ):
                _copy(media, made, captions)
        except (av.error.FFmpegError, OSError) as error:
            raise MediaError(out, f"cannot be written ({error})", "Give another place or another ending.") from error
    return out


class _Captions:
    """Writes what holds at a moment onto a picture."""

    def __init__(self, prediction: Prediction, answers: Sequence[WindowAnswer]) -> None:
        self._cv2 = _opencv()
        self._segments = prediction.segments
        self._colours = colours_of(prediction.heads)
        self._middles_s = np.array([answer.middle_s for answer in answers])  # [W]
        self._scores = {
            head: np.array([answer.scores[head] for answer in answers]) for head in prediction.heads
        }  # [W,C] each
        self._places = {
            head: {name: place for place, name in enumerate(answer.scores)} for head, answer in prediction.heads.items()
        }

    def draw(self, picture: np.ndarray, time_s: float) -> np.ndarray:
        """The picture uint8 [H,W,3] with a line for each head that says something then."""
        segment = next((part for part in self._segments if part.start_s <= time_s < part.end_s), None)
        if segment is None:
            return picture
        cv2, height = self._cv2, picture.shape[0]
        line_px = max(20, height // 16)
        top = height - line_px * len(segment.heads) - line_px // 4
        picture = np.ascontiguousarray(picture)
        picture[top:] = (picture[top:] * _SHADE).astype(np.uint8)
        letter, thick, gap = line_px / 36, max(1, line_px // 18), line_px // 3
        bar_px = picture.shape[1] // 4
        for row, (head, answer) in enumerate(segment.heads.items()):
            base = top + line_px * (row + 1) - line_px // 5
            sure = self._sure(head, answer, time_s)
            upper, lower = base - line_px // 2, base - line_px // 8
            cv2.rectangle(picture, (gap, upper), (gap + bar_px, lower), _GREY, thick)
            colour = tuple(bytes.fromhex(answer_colour(answer, self._colours[head])[1:]))  # of red, green and blue
            cv2.rectangle(picture, (gap, upper), (gap + round(bar_px * sure), lower), colour, -1)
            place = (2 * gap + bar_px, base - line_px // 10)
            words = f"{head}: {answer.words}"
            cv2.putText(picture, one_line(words), place, cv2.FONT_HERSHEY_SIMPLEX, letter, _WHITE, thick, cv2.LINE_AA)
        return picture

    def _sure(self, head: str, answer: HeadAnswer, time_s: float) -> float:
        """The score at this moment of what the segment says, between the two windows around it."""
        names = (answer.nearest or answer.label,) if isinstance(answer.label, str) else answer.label
        places = [self._places[head][name] for name in names]
        if not places or not len(self._middles_s):
            return answer.confidence
        scores = self._scores[head][:, places].min(axis=1)  # [W]
        return float(np.interp(time_s, self._middles_s, scores))


def _copy(media: OpenMedia, made: Any, captions: _Captions) -> None:
    """All packets of both streams: pictures decoded, written on and coded anew, sound as it is where that goes."""
    import av

    pictures = _Pictures(media, made, captions)
    sound = _sound_copier(media, made)
    early = []  # packets of sound before the first picture: writing begins when the picture's size is known
    for packet in _packets(media):
        if packet.stream is not media.picture:
            early.append(packet)
        else:
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                continue  # damage: the picture before stays
            for frame in frames:
                pictures.add(frame)
        if pictures.began:
            for waiting in early:
                sound.add(waiting)
            early.clear()
    pictures.finish()
    if sound is not None:
        sound.finish()


def _packets(media: OpenMedia) -> Iterator[av.Packet]:
    import av

    try:
        yield from media.container.demux(media.streams)
    except (av.error.FFmpegError, IndexError):
        return  # a file that is cut off ends where it can be read no further


class _Pictures:
    """Codes pictures anew, upright, with captions."""

    def __init__(self, media: OpenMedia, made: Any, captions: _Captions) -> None:
        self._media, self._captions, self._made = media, captions, made
        self._clock = Clock(media.picture, media.zero_s)
        self._make: PictureMaker | None = None
        self._last_tick = -1
        rate = media.picture.average_rate or Fraction(25)
        self._stream = made.add_stream("libx264", rate=min(rate, Fraction(120)), options={"preset": "veryfast"})
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, CLOCK_HZ)

    @property
    def began(self) -> bool:
        """Whether a picture was written."""
        return self._make is not None

    def add(self, frame: av.VideoFrame) -> None:
        import av

        if frame.pts is None:
            return
        time_s = self._clock.time_s(frame.pts)
        tick = round(time_s * CLOCK_HZ)
        if tick <= self._last_tick or time_s < 0:
            return
        self._last_tick = tick
        if self._make is None:
            self._set_up(frame)
        picture = self._captions.draw(self._make(frame), time_s)  # [H,W,3]
        coded = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        coded.pts, coded.time_base = tick, Fraction(1, CLOCK_HZ)
        self._made.mux(self._stream.encode(coded))

    def finish(self) -> None:
        if self._make is None:
            raise MediaError(self._media.path, "has no picture that can be decoded", "Use --srt or --csv.")
        self._made.mux(self._stream.encode(None))

    def _set_up(self, frame: av.VideoFrame) -> None:
        """The size of all pictures follows from the first: upright, with square pixels, even."""
        height, width = float(frame.height), frame.width * self._media.pixel_aspect()
        if orientation(frame)[0]:
            height, width = width, height
        scale = min(max(1.0, _LEAST_HEIGHT_PX / height), _MOST_WIDTH_PX / width)
        height_px, width_px = (max(2, 2 * round(side * scale / 2)) for side in (height, width))
        self._make = PictureMaker(VideoSpec(1.0, height_px, width_px, "stretch"))
        self._stream.height, self._stream.width = height_px, width_px


class _KeptSound:
    """Copies the packets of the sound, on the clock of the pictures."""

    def __init__(self, media: OpenMedia, made: Any) -> None:
        self._made, self._zero_s = made, media.zero_s
        self._stream = made.add_stream_from_template(media.sound)

    def add(self, packet: av.Packet) -> None:
        if not packet.size or packet.pts is None or packet.dts is None:
            return
        shift = round(self._zero_s / packet.time_base)
        packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
        packet.stream = self._stream
        self._made.mux(packet)

    def finish(self) -> None:
        """Nothing waits."""


class _CodedSound:
    """Codes the sound anew as AAC."""

    def __init__(self, media: OpenMedia, made: Any) -> None:
        self._made, self._zero_s = made, media.zero_s
        context = media.sound.codec_context
        self._stream = made.add_stream("aac", rate=context.sample_rate, layout=context.layout.name)

    def add(self, packet: av.Packet) -> None:
        import av

        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            return
        for frame in frames:
            if frame.pts is not None:
                frame.pts -= round(self._zero_s / frame.time_base)
                self._made.mux(self._stream.encode(frame))

    def finish(self) -> None:
        self._made.mux(self._stream.encode(None))


def _sound_copier(media: OpenMedia, made: Any) -> _KeptSound | _CodedSound | None:
    if media.sound is None:
        return None
    kept = media.sound.codec_context.name in _KEPT_SOUND
    return _KeptSound(media, made) if kept else _CodedSound(media, made)


def _opencv() -> ModuleType:
    try:
        import cv2
    except ImportError as error:
        raise missing_extra("opencv-python-headless", "to write captions on pictures", "camera") from error
    return cv2
