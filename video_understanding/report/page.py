"""The whole report as one page of HTML that needs nothing else: no scripts, no other files, no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from video_understanding.errors import VideoUnderstandingError
from video_understanding.evaluation.text import many
from video_understanding.report.charts import History, curve_panels
from video_understanding.report.document import document, in_words
from video_understanding.report.gallery import Mistaken
from video_understanding.report.head_section import head_section, pooled
from video_understanding.report.markup import Html, tag
from video_understanding.report.study_section import study_section
from video_understanding.report.tables import condition_table
from video_understanding.report.words import head_sentences, measured

Values = Mapping[str, Any]
_PARTS = ("test", "validation")  # the first that is there is told in full, and in the summary
_ROBUSTNESS = (
    "The same clips with one modality only, and with white noise so many decibels below the sound. The bar is the UAR."
)
_NOTHING = tag("p", "No clips were kept apart, so nothing was measured.", class_="summary")
_CURVES = (
    "Blue, solid: the clips learned from. Orange, dashed: validation clips. Dotted: the best epoch, which was kept. "
    "Where blue goes on getting better and orange does not, the model learns by heart."
)


def report_page(
    values: Values,
    *,
    history: History | None = None,
    gallery: Sequence[Mistaken] | None = None,
    doubtful: Sequence[Mistaken] = (),
    json_name: str | None = None,
) -> str:
    """The page of a report, made of the very values that its JSON holds.

    `values` is one of these, and may also tell "model", "data", "runtime" and "created" in words, and of a "training"
    its "preset" in words, the number of "clips" learned from and of "parameters":
    `Report.to_dict()`, with "robustness" if that was measured; {"test": ..., "validation": ...} of such;
    `CrossvalSummary.to_dict()`. "warnings" of a training stand before all else. `history` is that of
    `keras.Model.fit`. `gallery` holds mistakes of the part that is told in full, the test part if there is one.
    `doubtful` holds the clips whose labels are doubtful; "learning_curve" of the values stands beside them.
    `json_name` is the file beside the page that holds the values.
    """
    parts = _parts(values)
    curves = _curves(history, parts)
    if not parts and curves is None:
        raise VideoUnderstandingError(
            "report", "holds no result", "Give what `vu evaluate --json` prints, or the report.json of a training."
        )
    body = [
        _header(values),
        tag(
            "main",
            _list(values.get("warnings")),
            [_main_part(part, found, gallery or ()) for part, found in list(parts.items())[:1]] or _NOTHING,
            _robustness(values.get("robustness")),
            study_section(values.get("learning_curve"), doubtful),
            curves,
            [_other_part(part, found) for part, found in list(parts.items())[1:]],
        ),
        _footer(
            bool(gallery or doubtful) or any(_names_people(found) for found in parts.values()),
            bool(values.get("anonymous")),
            json_name,
        ),
    ]
    return document(_title(values), body)


def _parts(values: Values) -> dict[str | None, Values]:
    """The parts of the data that were measured, the one to tell in full first; None names a report's only part."""
    if "heads" in values:
        return {None: values}
    return {part: values[part] for part in _PARTS if part in values}


def _title(values: Values) -> str:
    if "folds" in values:
        return "Cross-validation"
    return f"Report on {values['model']}" if values.get("model") else "Report"


def _header(values: Values) -> Html:
    told = {"data": "Data", "runtime": "Computed by", "created": "Made"}
    lines = [f"{word}: {in_words(values[name])}" for name, word in told.items() if values.get(name)]
    training = _training_words(values.get("training") or {})
    told = [tag("p", " · ".join(words), class_="quiet") for words in (lines, training) if words]
    return tag("header", tag("h1", _title(values)), told)


def _training_words(training: Values) -> list[str]:
    """What was trained on how many clips, as far as it is known."""
    told = {
        "Preset": training.get("preset"),
        "Learned from": many(training["clips"], "clip") if "clips" in training else None,
        "Parameters": f"{training['parameters']:,}" if "parameters" in training else None,
    }
    return [f"{word}: {value}" for word, value in told.items() if value]


def _summary(part: str | None, found: Values) -> Html:
    heads = {head: pooled(result) for head, result in found["heads"].items()}
    told = [head_sentences(head, result) for head, result in heads.items()]
    return tag("section", measured(found, part), told, class_="summary", aria_label="summary")


def _main_part(part: str | None, found: Values, gallery: Sequence[Mistaken]) -> list[Html | None]:
    heads = [head_section(head, result, gallery) for head, result in found["heads"].items()]
    return [_summary(part, found), _list(found.get("notes")), *heads]


def _list(notes: Sequence[str] | None) -> Html | None:
    return tag("ul", [tag("li", note) for note in notes], class_="notes") if notes else None


def _robustness(conditions: Values | None) -> Html | None:
    if not conditions:
        return None
    return tag("section", tag("h2", "Robustness"), tag("p", _ROBUSTNESS, class_="quiet"), condition_table(conditions))


def _beside(parts: Mapping[str | None, Values]) -> str:
    """Why the curves give other numbers than the results do."""
    if "validation" not in parts:
        return ""
    counted = f" Below each curve: what {many(parts['validation']['windows'], 'validation window')} gave in that epoch."
    if "test" not in parts:
        return counted
    return f"{counted} The results above are of other clips: {many(parts['test']['overall']['clips'], 'test clip')}."


def _curves(history: History | None, parts: Mapping[str | None, Values]) -> Html | None:
    drawn = curve_panels(history) if history else None
    if drawn is None:
        return None
    panels, best = drawn
    return tag(
        "section",
        tag("h2", "How the training went"),
        tag("p", _CURVES, f" The best was epoch {best}.{_beside(parts)}", class_="quiet"),
        tag("div", panels, class_="panels"),
    )


def _other_part(part: str, found: Values) -> Html:
    """A part that is not the main one: its summary, and the rest where it is asked for."""
    heads = [head_section(head, result, ()) for head, result in found["heads"].items()]
    more = tag("details", tag("summary", f"All about the {part} clips"), heads)
    return tag("section", tag("h2", f"On the {part} clips"), _summary(part, found), _list(found.get("notes")), more)


def _names_people(found: Values) -> bool:
    if found.get("anonymous"):
        return False
    results = [pooled(result) for result in found["heads"].values()]
    return any(result.get("mistakes") or result.get("subjects") for result in results)


def _footer(private: bool, anonymous: bool, json_name: str | None) -> Html:
    beside = ["The same values for programs lie beside this page: ", tag("a", json_name, href=json_name), "."]
    told = [
        "UAR, the unweighted average recall, is the mean over classes of the share that was found: a class with few "
        "clips counts as much as one with many. Guessing means always saying the same. All shares are in percent.",
        *([beside] if json_name else []),
        *(["This page names no clip and no person. Subjects have numbers, others in each head."] if anonymous else []),
        *(["This page names clips or people, and may show them: keep it as you keep the data."] if private else []),
    ]
    return tag("footer", [tag("p", line) for line in told])
