"""A page of what was recognised in one file: when, how surely, and which modality carried it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from video_understanding.evaluation.modality_shares import LEAST_DROP
from video_understanding.evaluation.text import head_of, many
from video_understanding.modality import MODALITIES, modalities_of
from video_understanding.prediction import HeadAnswer, Prediction
from video_understanding.recognition.colours import colours_of
from video_understanding.recognition.film import Film, film_of
from video_understanding.recognition.modalities_over_time import ModalitiesOverTime
from video_understanding.recognition.spans import spans_of
from video_understanding.recognition.text import clock
from video_understanding.report.carried import (
    STYLES,
    Moment,
    Stretch,
    mean_share,
    stretches_of,
    takings,
    with_short_ones_joined,
)
from video_understanding.report.document import document, in_words
from video_understanding.report.lanes import Clock, film_lane, head_lanes, lanes, sound_lane
from video_understanding.report.markup import Html, tag
from video_understanding.report.style import TIMELINE_CSS
from video_understanding.report.tables import span_table
from video_understanding.spec import ModelSpec
from video_understanding.whole_file import write_whole

_COLUMNS = 800  # of the loudness
_LABELS, _NAME_LETTERS, _TITLE_LETTERS = 3, 60, 120
_WORTH_SAYING = 0.05  # share of the windows
_READ = (
    "Boxes are the answers, the lines below how sure each window is of them",
    ", and the band what carried them, one part above the other",
)
_HOW = (
    "What a modality carries is found by taking it away, as if the file had never had it, and measuring how much the "
    "class loses, in log-odds. Of what all lose, each has its part. Where little is lost whichever is taken, {enough}."
)


def write_timeline(
    file: str | Path,
    prediction: Prediction,
    shares: ModalitiesOverTime,
    out: str | Path,
    *,
    model: str | None = None,
) -> Path:
    """Writes the page of a file to `out`, and gives back its place; reads the file once more, for its frames.

    `shares` took the windows while `Recognizer.predict` found the prediction. `model` is its name, for the title.
    """
    out = Path(out)
    write_whole(out, timeline_page(file, prediction, shares, model=model))
    return out


def timeline_page(
    file: str | Path, prediction: Prediction, shares: ModalitiesOverTime, *, model: str | None = None
) -> str:
    """The page of `write_timeline` as text."""
    spec, labels = shares.scorer.spec, shares.scorer.labels
    heads = {
        head: stretches_of(
            head,
            labels.names(head),
            spans_of(head, prediction.segments),
            shares.windows,
            head in spec.network.multi_label,
        )
        for head in prediction.heads
    }
    clock_ = Clock.of(prediction.duration_s, max(map(len, heads.values()), default=0))
    film = film_of(file, prediction.duration_s, spec, clock_.thumbnails, _COLUMNS)
    name = head_of(Path(prediction.file).name, _TITLE_LETTERS)
    body = [
        _header(name, prediction, model),
        tag(
            "main",
            _summary(prediction, heads),
            tag("ul", [tag("li", note) for note in prediction.notes], class_="notes") if prediction.notes else None,
            _over_time(film, heads, clock_, colours_of(prediction.heads), spec.modalities),
            [_head_section(head, stretches, spec.modalities) for head, stretches in heads.items()],
        ),
        _footer(shares, spec),
    ]
    return document(name, body, TIMELINE_CSS)


def _header(name: str, prediction: Prediction, model: str | None) -> Html:
    made = in_words(datetime.now(UTC).isoformat(timespec="seconds"))
    told = [clock(prediction.duration_s), *([f"Model: {model}"] if model else []), f"Made: {made}"]
    return tag("header", tag("h1", name), tag("p", " · ".join(told), class_="quiet"))


def _summary(prediction: Prediction, heads: dict[str, list[Stretch]]) -> Html:
    told = [_head_sentences(head, prediction.heads[head], stretches) for head, stretches in heads.items()]
    lacks = [name for name, there in prediction.modalities.items() if not there]
    if lacks:
        nothing = {"video": "nothing to see", "audio": "nothing to hear"}
        what = " and ".join(nothing.get(name, f"no {MODALITIES[name].words.split()[-1]}") for name in lacks)
        has = " and ".join(MODALITIES[name].words for name in prediction.modalities if name not in lacks)
        alone = " alone" if len(lacks) == len(prediction.modalities) - 1 else ""
        told.append(tag("p", f"There is {what} in this file: {has}{alone} carried everything."))
    return tag("section", told, class_="summary", aria_label="summary")


def _head_sentences(head: str, answer: HeadAnswer, stretches: Sequence[Stretch]) -> Html:
    whole = "taken as a whole" if answer.lasts_s is None else f"longest, for {clock(answer.lasts_s)},"
    told = f"{whole} {_quoted(answer)}, {100 * answer.confidence:.0f}\u00a0% sure."
    seconds: Counter[str] = Counter()
    for stretch in stretches:
        seconds[stretch.span.answer.words] += stretch.span.length_s
    if len(seconds) > 1:
        parts = [
            f"“{head_of(name, _NAME_LETTERS)}” for {clock(length)}" for name, length in seconds.most_common(_LABELS)
        ]
        rest = len(seconds) - len(parts)
        told += f" Over time: {', '.join(parts)}{f', and {rest} more' if rest else ''}."
    carried = _carried_words([moment for stretch in stretches for moment in stretch.moments])
    return tag("p", tag("strong", f"{head.capitalize()}: "), told, f" {carried}" if carried else None)


def _quoted(answer: HeadAnswer) -> str:
    nearest = f" (nearest “{head_of(answer.nearest, _NAME_LETTERS)}”)" if answer.nearest is not None else ""
    return f"“{head_of(answer.words, _NAME_LETTERS)}”{nearest}"


def _carried_words(moments: Sequence[Moment]) -> str:
    """Which modality carried the answers of a head, over all its windows that have several."""
    several = [moment for moment in moments if moment.drop]
    if not several:
        return ""
    shares, names = mean_share(several), dict.fromkeys(name for moment in several for name in moment.drop)
    enough = _enough(len(names))
    if shares is None:
        return "Neither is needed: either alone says the same." if len(names) == 2 else f"For all of it {enough}."
    most, *rest = sorted(names, key=lambda name: -shares.get(name, 0.0))
    words = {name: MODALITIES[name].words for name in names}
    told = f"{words[most].capitalize()} carried {100 * shares[most]:.0f}\u00a0% of it"
    told += "".join(f", {words[name]} {100 * shares.get(name, 0.0):.0f}\u00a0%" for name in rest) + "."
    either = sum(moment.share is None for moment in several) / len(several)
    if either >= _WORTH_SAYING:
        told += f" For {100 * either:.0f}\u00a0% of the time {enough}."
    for name in names:
        against = sum(moment.drop.get(name, 0.0) < -LEAST_DROP for moment in several) / len(several)
        if against >= _WORTH_SAYING:
            told += f" For {100 * against:.0f}\u00a0% of the time {words[name]} speaks against it."
    return told


def _enough(modalities: int) -> str:
    return "either alone is enough" if modalities == 2 else "the others are enough"


def _legend(modalities: Sequence[str]) -> list[Html]:
    """What the lines and the band mean."""
    lines = [("", "how sure, with all there is"), *((one.style, one.words) for one in takings(modalities))]
    words = [(style, one.words) for style, one in zip(STYLES, modalities_of(modalities), strict=False)]
    areas = [
        (f"area {style}", f"carried by {own}" if not place else f"by {own}") for place, (style, own) in enumerate(words)
    ]
    every = [*lines, *areas, ("area track", _enough(len(modalities)))]
    return [tag("li", tag("i", class_=style or None), own) for style, own in every]


def _over_time(
    film: Film,
    heads: dict[str, list[Stretch]],
    clock_: Clock,
    colours: Mapping[str, Mapping[str, str]],
    modalities: Sequence[str],
) -> Html:
    several = any(moment.without for stretches in heads.values() for one in stretches for moment in one.moments)
    inside = [tag("h3", "Picture"), film_lane(film), tag("h3", "Sound"), sound_lane(film)]
    for head, stretches in heads.items():
        inside += head_lanes(head, stretches, clock_, colours[head], modalities)
    joined = any(len(with_short_ones_joined(one, clock_.least_s)) < len(one) for one in heads.values())
    short = f" Spans of less than {clock_.least_s:.2g} s that follow each other have one box." if joined else ""
    return tag(
        "section",
        tag("h2", "Over time"),
        tag("p", f"{_READ[0]}{_READ[1] if several else ''}.{short}", class_="quiet"),
        tag("ul", _legend(modalities), class_="legend quiet") if several else None,
        lanes(clock_, inside),
    )


def _head_section(head: str, stretches: Sequence[Stretch], modalities: Sequence[str]) -> Html:
    read = f"{many(len(stretches), 'span')}; shares are the means of the windows in each."
    return tag(
        "section", tag("h2", head.capitalize()), tag("p", read, class_="quiet"), span_table(head, stretches, modalities)
    )


def _footer(shares: ModalitiesOverTime, spec: ModelSpec) -> Html:
    kept = "" if shares.every == 1 else f"; of {shares.every} that follow each other one is drawn"
    windows = f"{many(shares.seen, 'window')} of {spec.window_s:g} s were measured{kept}. Each stands for its middle."
    shown = "This page shows what is in the file: keep it as you keep the file."
    return tag(
        "footer", [tag("p", line) for line in (_HOW.format(enough=_enough(len(spec.modalities))), windows, shown)]
    )
