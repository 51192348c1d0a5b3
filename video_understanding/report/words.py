"""What a report says in plain sentences: what was measured, how good that is, what goes wrong, how far to trust it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from video_understanding.evaluation.intervals import LEAST_GROUPS
from video_understanding.evaluation.text import between, head_of, many, percent
from video_understanding.modality import MODALITIES
from video_understanding.report.markup import Html, tag
from video_understanding.report.tables import confused

_PAIRS = 2
_NAME_LETTERS = 60
_FEW_CLIPS = 50
_HONEST = 0.05  # confidence this far from accuracy is still called right
_PARTS = {
    "test": "clips that took no part in the training",
    "validation": "clips that the model has not learned from, but which chose the best epoch; that flatters a little. "
    "Of a closed form it is all that was learned from, each clip scored by a fit without its subject",
}
Values = Mapping[str, Any]


def measured(values: Values, part: str | None) -> Html:
    """On what the result stands: clips, subjects, and which clips they are."""
    if "folds" in values:
        clips = max(found["pooled"]["clips"] for found in values["heads"].values())
        folds = many(values["folds"], "fold")
        return tag("p", f"Measured in {folds} on {many(clips, 'clip')}, each by a model that has not learned from it.")
    subjects = {found["groups"] for found in values["heads"].values() if found["group"] == "subject"}
    of_subjects = f" of {many(max(subjects), 'subject')}" if subjects else ""
    taken = [MODALITIES[name].words for name in (values.get("without") or "").split(", ") if name in MODALITIES]
    without = f" {' and '.join(taken).capitalize()} {'was' if len(taken) == 1 else 'were'} taken away." if taken else ""
    kind = f": {_PARTS[part]}" if part in _PARTS else ""
    windows = "" if values["windows"] == values["overall"]["clips"] else f" ({many(values['windows'], 'window')})"
    clips = f"{many(values['overall']['clips'], 'clip')}{windows}"
    return tag("p", f"Measured on {clips}{of_subjects}{kind}.{without}")


def head_sentences(head: str, found: Values) -> Html:
    """One head in a few sentences: how often it is right beside guessing, what it confuses, what confidence means."""
    told = [_multi_label_result(found) if is_multi_label(found) else _result(found), _beside_guessing(found)]
    told += [_weakness(found), _trust(found)]
    return tag("p", tag("strong", f"{head.capitalize()}: "), " ".join(sentence for sentence in told if sentence))


def with_sign(share: float | None) -> str:
    """ "84.2 %", which no line end takes apart."""
    return f"{percent(share)}\u00a0%"


def is_multi_label(found: Values) -> bool:
    """Whether a head's result is that of clips which may show several classes."""
    return "mean_average_precision" in found


def how_sure(found: Values) -> str:
    """What the intervals of a head are, or why there are none."""
    if found["uar_interval"] or found["accuracy_interval"]:
        group = found["group"]
        return f"Intervals of 95\u00a0% come from drawing {group}s again: clips of one {group} are alike."
    if found["groups"] < LEAST_GROUPS:
        return f"There is no interval: that takes {LEAST_GROUPS} {found['group']}s or more, not {found['groups']}."
    return "There is no interval, because all draws agree."


def _result(found: Values) -> str:
    return (
        f"{with_sign(found['accuracy'])} of {many(found['clips'], 'clip')} are right{_interval(found, 'accuracy')}; "
        f"always saying the most frequent class gives {with_sign(found['majority_accuracy'])}. The mean over classes "
        f"(UAR) is {with_sign(found['uar'])}{_interval(found, 'uar')}; guessing gives {with_sign(found['chance_uar'])}."
    )


def _multi_label_result(found: Values) -> str:
    mean = found["mean_average_precision"]
    ranked = "" if mean is None else f"Mean average precision is {with_sign(mean)}. "
    return (
        f"{ranked}All that is said of a clip is right in {with_sign(found['accuracy'])} of "
        f"{many(found['clips'], 'clip')}{_interval(found, 'accuracy')}; always saying the most frequent set of classes "
        f"gives {with_sign(found['majority_accuracy'])}. The mean over classes of yes and no (UAR) is "
        f"{with_sign(found['uar'])}{_interval(found, 'uar')}; guessing gives {with_sign(found['chance_uar'])}."
    )


def _interval(found: Values, measure: str) -> str:
    interval = found[f"{measure}_interval"]
    return f" (95\u00a0%: {between(interval)})" if interval else ""


def _beside_guessing(found: Values) -> str:
    interval, guess = found["uar_interval"], found["chance_uar"]
    if interval is None:
        low, _ = found.get("accuracy_wilson") or (1.0, 1.0)
        few = " Even if every clip stood for itself, they would be too few to tell this from guessing."
        return how_sure(found) + (few if low <= found["majority_accuracy"] else "")
    if interval[0] > guess:
        return "That is clearly more than guessing."
    return "The interval holds what guessing gives: these clips do not show that it tells the classes apart."


def _weakness(found: Values) -> str:
    if is_multi_label(found):
        return _missed_and_claimed(found)
    names = [head_of(result["name"], _NAME_LETTERS) for result in found["classes"]]
    pairs = confused(found["confusion"])
    if not pairs:
        return "It made no mistake on these clips."
    told = [
        f"“{names[true]}” for “{names[said]}” ({count} of {many(sum(found['confusion'][true]), 'clip')})"
        for count, true, said in pairs[:_PAIRS]
    ]
    return f"Most often it takes {' and '.join(told)}."


def _missed_and_claimed(found: Values) -> str:
    """The class that is overlooked most often, and the one most often seen where it is not."""
    classes = found["classes"]
    missed = [(round(c["clips"] * (1 - c["recall"])), c) for c in classes if c["recall"] is not None]
    claimed = [(round(c["said"] * (1 - c["precision"])), c) for c in classes if c["precision"] is not None]
    told = []
    for verb, whole, pairs in (("overlooks", "clips", missed), ("wrongly claims", "said", claimed)):
        count, worst = max(pairs, key=lambda pair: pair[0], default=(0, None))
        if count:
            told.append(f"{verb} “{head_of(worst['name'], _NAME_LETTERS)}” ({count} of {many(worst[whole], 'time')})")
    return f"Most often it {' and '.join(told)}." if told else "It made no mistake on these clips."


def _trust(found: Values) -> str:
    """Calibration in words."""
    reliability = found.get("reliability")
    few = " With so few clips that says little." if found["clips"] < _FEW_CLIPS else ""
    if reliability is None:
        error = found["calibration_error"]
        said = "can be taken at its word" if error <= _HONEST else "is not to be taken at its word"
        return f"Its confidence {said}: it is off by {percent(error)} points on average.{few}"
    sure, right = reliability["confidence"], found["accuracy"]
    numbers = f"on average {with_sign(sure)} sure, {with_sign(right)} right"
    if sure - right > _HONEST:
        said = f"It is too sure of itself: {numbers}."
    elif right - sure > _HONEST:
        said = f"It is more cautious than it need be: {numbers}."
    elif reliability["error"] > 2 * _HONEST:
        error = percent(reliability["error"])
        said = f"Its confidence is right as a whole ({numbers}), but off by {error} points at single levels."
    else:
        said = f"Its confidence can be taken at its word: {numbers}."
    return said + few
