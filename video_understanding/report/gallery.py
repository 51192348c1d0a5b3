"""The clearest mistakes with their pictures: the clips that the model was surest of, and wrong."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

from video_understanding.datasets.cache import PreparedClips
from video_understanding.datasets.rows import Row
from video_understanding.evaluation import Answers, MultiLabelAnswers, Report
from video_understanding.labels import NONE
from video_understanding.report.markup import Html, tag
from video_understanding.report.words import with_sign

CLIPS_PER_HEAD = 12
_FRAMES = 3
_HEIGHT_PX = 128
_GAP_PX = 4
_QUALITY = 4  # of the JPEG encoder's scale from 1, the best, to 31


@dataclass(frozen=True)
class Mistaken:
    """A clip that was taken for something else.

    head        the head that was wrong
    true, said  the classes, joined by a comma where a clip may show several
    confidence  how sure the model was of its clearest wrong decision
    about       that decision's class, where a clip may show several
    clip        the file's name inside its data set, and the span in it
    jpeg        a strip of three frames as the model saw them; None where the clip has no picture
    """

    head: str
    true: str
    said: str
    confidence: float
    about: str | None
    clip: str
    jpeg: bytes | None


def clearest_mistakes(report: Report, prepared: PreparedClips, clips_per_head: int = CLIPS_PER_HEAD) -> list[Mistaken]:
    """For each head the mistakes made with most confidence; `prepared` are the clips that were evaluated."""
    numbers = {row.place: number for number, row in enumerate(prepared.rows)}
    found = []
    for head, result in report.heads.items():
        answers = result.answers
        told = _of_several(answers) if isinstance(answers, MultiLabelAnswers) else _of_one(answers)
        for confidence, place, true, said, about in sorted(told, key=lambda mistake: -mistake[0])[:clips_per_head]:
            row = answers.rows[place]
            found.append(mistaken_clip(head, true, said, confidence, row, prepared, numbers[row.place], about))
    return found


def mistaken_clip(
    head: str,
    true: str,
    said: str,
    confidence: float,
    row: Row,
    prepared: PreparedClips,
    number: int,
    about: str | None = None,
) -> Mistaken:
    """The clip of a row, whose place in the prepared clips is `number`, with its picture."""
    strip = _strip(prepared, number)
    return Mistaken(head, true, said, confidence, about, _clip_name(row), None if strip is None else jpeg(strip))


def gallery_list(mistakes: Sequence[Mistaken]) -> Html:
    """The mistakes as cards, the pictures inside the page."""
    return tag("ul", [tag("li", _card(mistake)) for mistake in mistakes], class_="gallery")


def jpeg(picture: np.ndarray) -> bytes:
    """A picture uint8 [H,W,3] as JPEG, by the library that reads the clips."""
    height_px, width_px, _ = picture.shape
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width_px, height_px, "yuvj420p"
    encoder.time_base = Fraction(1)  # a codec for films wants one, though this film has one frame
    encoder.options = {"qmin": str(_QUALITY), "qmax": str(_QUALITY)}
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuvj420p")
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def image(data: bytes, words: str) -> Html:
    """A JPEG inside the page, which a screen reader reads as its words."""
    return tag("img", src=f"data:image/jpeg;base64,{base64.b64encode(data).decode()}", alt=words)


Told = tuple[float, int, str, str, str | None]  # confidence, place among the answers, true, said, about


def _of_one(answers: Answers) -> list[Told]:
    wrong = np.flatnonzero(answers.said != answers.truth)
    names = answers.classes
    return [
        (float(answers.confidence[k]), int(k), names[answers.truth[k]], names[answers.said[k]], None) for k in wrong
    ]


def _of_several(answers: MultiLabelAnswers) -> list[Told]:
    """Of each clip the wrong yes or no that was surest."""
    wrong = answers.said != answers.truth  # [K,C]
    sure = np.where(answers.said, answers.scores, 1 - answers.scores) * wrong  # [K,C]
    clearest = sure.argmax(axis=1)  # [K]
    return [
        (
            float(sure[k, clearest[k]]),
            int(k),
            _named(answers, answers.truth[k]),
            _named(answers, answers.said[k]),
            answers.classes[clearest[k]],
        )
        for k in np.flatnonzero(wrong.any(axis=1))
    ]


def _named(answers: MultiLabelAnswers, shown: np.ndarray) -> str:
    return ", ".join(answers.classes[place] for place in np.flatnonzero(shown)) or NONE


def _strip(prepared: PreparedClips, number: int) -> np.ndarray | None:
    """Frames uint8 [h,3w+gaps,3] from all of the clip, side by side; None without any picture."""
    windows = [prepared[place] for place in np.flatnonzero(prepared.row_numbers == number)]
    seen = [frame for clip in windows for frame in clip.frames[clip.frame_present]]
    if not seen:
        return None
    places = [(2 * place + 1) * len(seen) // (2 * _FRAMES) for place in range(_FRAMES)]
    frames = [_small(seen[place]) for place in places]
    gap = np.full((len(frames[0]), _GAP_PX, 3), 128, np.uint8)
    return np.concatenate([frames[0], *(part for frame in frames[1:] for part in (gap, frame))], axis=1)


def _small(frame: np.ndarray) -> np.ndarray:
    """The frame uint8 [H,W,3], made smaller where it is higher than a thumbnail."""
    height_px, width_px, _ = frame.shape
    if height_px <= _HEIGHT_PX:
        return frame
    width_px = max(round(width_px * _HEIGHT_PX / height_px), 1)
    whole = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
    return whole.reformat(width_px, _HEIGHT_PX, interpolation="AREA").to_ndarray(format="rgb24")


def _clip_name(row: Row) -> str:
    if row.start_s is None and row.end_s is None:
        return row.name
    until = "the end" if row.end_s is None else f"{row.end_s:g} s"
    return f"{row.name}, {row.start_s or 0:g} s to {until}"


def _card(mistake: Mistaken) -> Html:
    words = f"{mistake.clip}: is {mistake.true}, said to be {mistake.said}"
    if mistake.jpeg is None:
        picture = tag("div", "no picture in this clip", class_="none")
    else:
        picture = image(mistake.jpeg, f"Three frames of {words}")
    about = f" about {mistake.about}" if mistake.about else ""
    return tag(
        "figure",
        picture,
        tag(
            "figcaption",
            "said ",
            tag("strong", mistake.said),
            f" ({with_sign(mistake.confidence)} sure{about}), is ",
            tag("strong", mistake.true),
            tag("br"),
            mistake.clip,
        ),
    )
