"""Everything that a report shows of one head, each picture with a sentence how to read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from video_understanding.evaluation.text import between, percent
from video_understanding.report.charts import fold_dots, reliability_diagram, scale
from video_understanding.report.gallery import Mistaken, gallery_list
from video_understanding.report.markup import Html, joined, tag
from video_understanding.report.tables import (
    LARGEST_MATRIX,
    bin_table,
    class_table,
    confusion_table,
    fold_table,
    mistake_table,
    spread_table,
    subject_table,
)
from video_understanding.report.words import how_sure, is_multi_label, with_sign

Values = Mapping[str, Any]
_READ = {
    "folds": "How the result of one fold lies apart from that of another: a dot for each, and a line at their mean. "
    "The rest is of all folds' clips together.",
    "classes": "Recall is the share of a class's clips that were found; precision the share of those said to be of the "
    "class that are; F1 joins both. The bar is the recall.",
    "several": "Recall is the share of the clips showing a class that were found; precision the share of those said to "
    "show it that do; F1 joins both. AP is average precision: how far up the clips that show it are ranked.",
    "confusion": "A row is what clips are, a column what they were said to be. What is right lies on the framed "
    "diagonal; a cell tells clips, and is as deep in colour as its share of the row.",
    "pairs": f"With more than {LARGEST_MATRIX} classes only what is confused most often is told.",
    "reliability": "Each dot holds the clips of one level of confidence, the larger the more. On the dotted line "
    "confidence is what it says; below it the model is too sure, above it too cautious.",
    "subjects": "The same measures for each subject, the least accurate first: a mean hides the person whom the model "
    "does not understand.",
    "gallery": "The clips of which the model was surest, and wrong: three frames of each, as it saw them. "
    "Look here for wrong labels first.",
    "mistakes": "The clips of which the model was surest, and wrong. Look here for wrong labels first.",
}


def head_section(head: str, result: Values, gallery: Sequence[Mistaken]) -> Html:
    """Everything about one head."""
    found = pooled(result)
    blocks = [tag("h2", head.capitalize()), _scores(found)]
    if result is not found:
        blocks.append(_block("Over the folds", _READ["folds"], _folds(result.get("by_fold")), _spreads(result)))
    several = is_multi_label(found)
    blocks.append(_block("By class", _READ["several" if several else "classes"], class_table(found["classes"])))
    if found.get("confusion"):
        blocks.append(_confusion(found))
    if found.get("reliability"):
        blocks.append(_reliability(found["reliability"]))
    if found.get("subjects"):
        blocks.append(_subjects(found["subjects"]))
    blocks.append(_mistakes(found, [mistake for mistake in gallery if mistake.head == head]))
    return tag("section", blocks)


def _block(title: str, read: str, *inside: Html | None) -> Html:
    return Html("".join([tag("h3", title), tag("p", read, class_="quiet"), *(part for part in inside if part)]))


def _scores(found: Values) -> Html:
    """Accuracy and UAR on a track each, beside what guessing gives."""
    several = is_multi_label(found)
    names = ("All of a clip right", "UAR of yes and no") if several else ("Accuracy", "UAR, the mean over classes")
    figures = []
    for name, measure, guess in zip(names, ("accuracy", "uar"), ("majority_accuracy", "chance_uar"), strict=True):
        value, interval = found[measure], found[f"{measure}_interval"]
        told = f"95\u00a0%: {between(interval)}; " if interval else ""
        caption = tag("figcaption", f"{told}by guessing {with_sign(found[guess])}")
        words = tag("div", tag("strong", with_sign(value)), f" {name}")
        figures.append(tag("figure", words, scale(name, value, interval, found[guess]), caption))
    band = "; pale band: the interval" if found["uar_interval"] or found["accuracy_interval"] else ""
    read = f"Dot: the result; orange line: guessing{band}. {how_sure(found)}"
    return Html(tag("div", figures, class_="panels") + tag("p", read, class_="quiet") + tag("dl", _more(found)))


def _more(found: Values) -> list[Html]:
    """The numbers that have no picture."""
    error = (found.get("reliability") or {}).get("error", found.get("calibration_error"))
    told = {
        "Macro F1": with_sign(found["macro_f1"]),
        "Calibration error": percent(error) + " points",
    }
    if is_multi_label(found):
        mean = {"Mean average precision": with_sign(found["mean_average_precision"])}
        told = {**mean, "Micro F1": with_sign(found["micro_f1"]), **told}
    else:
        told["Log loss, Brier score"] = f"{found['log_loss']:.3f}, {found['brier']:.3f}"
        told["Accuracy, if clips were independent"] = f"95\u00a0%: {between(found['accuracy_wilson'])}"
    return [part for name, value in told.items() for part in (tag("dt", name), tag("dd", value))]


def _folds(folds: Sequence[Values] | None) -> Html | None:
    """The folds side by side, as dots on a line and in a table."""
    if not folds:
        return None
    figures = []
    for name, measure in (("Accuracy", "accuracy"), ("UAR", "uar")):
        values = [fold[measure] for fold in folds]
        caption = tag("figcaption", f"from {percent(min(values))} to {with_sign(max(values))}")
        words = tag("div", tag("strong", with_sign(sum(values) / len(values))), f" {name}, mean of the folds")
        figures.append(tag("figure", words, fold_dots(name, values), caption))
    return joined([tag("div", figures, class_="panels"), fold_table(folds)])


def _spreads(result: Values) -> Html:
    return spread_table(
        {
            name.replace("_", " ").replace("uar", "UAR").replace("f1", "F1"): spread
            for name, spread in result.items()
            if name not in ("folds", "by_fold", "pooled")
        }
    )


def _confusion(found: Values) -> Html:
    names = [result["name"] for result in found["classes"]]
    read = _READ["confusion"] if len(names) <= LARGEST_MATRIX else _READ["pairs"]
    return _block("What is taken for what", read, confusion_table(names, found["confusion"]))


def _reliability(reliability: Values) -> Html:
    return _block(
        "Can its confidence be trusted?",
        _READ["reliability"],
        tag("figure", reliability_diagram(reliability), class_="narrow"),
        tag("details", tag("summary", "The numbers"), bin_table(reliability["points"])),
    )


def _subjects(summary: Values) -> Html:
    lowest, highest = summary["accuracy"]["min"], summary["accuracy"]["max"]
    apart = f" Accuracy is from {percent(lowest)} to {with_sign(highest)}." if lowest < highest else ""
    read = f"{_READ['subjects']}{apart}"
    return _block("By subject", read, subject_table(summary["subjects"]))


def _mistakes(found: Values, gallery: Sequence[Mistaken]) -> Html | None:
    if gallery:
        return _block("The clearest mistakes", _READ["gallery"], gallery_list(gallery))
    if found.get("mistakes"):
        return _block("The clearest mistakes", _READ["mistakes"], mistake_table(found["mistakes"]))
    return None


def pooled(result: Values) -> Values:
    """Of a cross-validation all folds together, else the result itself."""
    return result.get("pooled", result)
