"""Predictions and streams as text for people."""

from __future__ import annotations

from video_understanding.modality import MODALITIES
from video_understanding.prediction import HeadAnswer, Prediction, Segment
from video_understanding.recognition.streaming import StreamEvent
from video_understanding.safe_text import one_line

_BAR_LETTERS = 20
_CLASSES_SHOWN = 4  # the best of each head
_NAME_LETTERS = 24
_PARTS = " ▏▎▍▌▋▊▉█"  # a letter of a bar, filled by eighths


def prediction_text(prediction: Prediction) -> str:
    """The answers of a file with bars, and its timeline where more than one thing happens."""
    words = [MODALITIES[name].words.split()[-1] for name, there in prediction.modalities.items() if there]
    lines = [f"{one_line(prediction.file)}  ({clock(prediction.duration_s)}, {' and '.join(words)})"]
    for head, answer in prediction.heads.items():
        lines += _head_lines(head, answer, prediction.duration_s)
    if len(prediction.segments) > 1:
        lines += ["  timeline", *(f"    {line}" for line in segment_lines(prediction.segments))]
    return "\n".join([*lines, *(f"  note      {one_line(note)}" for note in prediction.notes)])


def segment_lines(segments: tuple[Segment, ...]) -> list[str]:
    """A line for each segment: when it begins and ends, and what is said of it."""
    told = [[_sure(answer) for answer in segment.heads.values()] for segment in segments]
    widths = [max(map(len, column)) for column in zip(*told, strict=True)]
    return [
        f"{clock(segment.start_s):>8} - {clock(segment.end_s):>8}  "
        + "  ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True)).rstrip()
        for segment, texts in zip(segments, told, strict=True)
    ]


def event_text(event: StreamEvent) -> str:
    """A line for the window, if there is one, and one for each segment that it settled."""
    lines = []
    if event.answer is not None:
        told = "   ".join(f"{head} {_sure(answer)}" for head, answer in event.heads.items())
        lines.append(f"{clock(event.answer.end_s):>8}  {told}")
    lines += [f"  settled {line.strip()}" for line in segment_lines(event.segments)]
    return "\n".join(lines)


def clock(time_s: float) -> str:
    """ "0:05.30", "1:02:05.30": a time that people can read."""
    hundredths = round(time_s * 100)
    minutes, rest = divmod(hundredths, 6_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 100:02}.{rest % 100:02}"
    return f"{hours}:{minutes:02}:{seconds}" if hours else f"{minutes}:{seconds}"


def _head_lines(head: str, answer: HeadAnswer, duration_s: float) -> list[str]:
    best = sorted(answer.scores.items(), key=lambda pair: -pair[1])[:_CLASSES_SHOWN]
    lasts = f" for {clock(answer.lasts_s)} of {clock(duration_s)}, more than any other" if answer.lasts_s else ""
    lines = [f"  {head:<8}  {_sure(answer)}{lasts}"]
    if len(best) > 1:
        width = min(_NAME_LETTERS, max(len(name) for name, _ in best))
        lines += [
            f"            {name[:width]:<{width}}  {100 * score:5.1f} %  {_bar(score)}".rstrip() for name, score in best
        ]
    return lines


def _sure(answer: HeadAnswer) -> str:
    nearest = f", nearest {answer.nearest}" if answer.nearest is not None else ""
    return f"{answer.words} ({100 * answer.confidence:.0f} %{nearest})"


def _bar(share: float) -> str:
    eighths = round(max(0.0, min(1.0, share)) * _BAR_LETTERS * 8)
    return (_PARTS[8] * (eighths // 8) + _PARTS[eighths % 8]).rstrip()
