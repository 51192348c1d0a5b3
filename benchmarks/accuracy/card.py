"""The card of the model in the box: what every card tells, and what holds for this model alone."""

from __future__ import annotations

from typing import Any

from video_understanding.bundle import Bundle
from video_understanding.bundle_card import card


def box_card(bundle: Bundle) -> str:
    """The text of its README.md."""
    facts = bundle.facts
    return "\n".join([card(bundle).rstrip(), "", *_terms(), *_by_set(facts), *_confidence(facts), *_limits()]) + "\n"


def _terms() -> list[str]:
    return [
        "## Terms of these weights",
        "",
        "**Research, non-commercial.** The weights have learned from sets that ask for this, and are passed on under "
        "the strictest of their terms, whatever the licence of the program says:",
        "",
        "- UCF101 (three classes with sound): for research.",
        "- RAVDESS speech (sound alone; calm and disgust left out): CC BY-NC-SA 4.0, name it, no commerce, same terms.",
        "- The Javanese emotion clips have no licence file: used to measure and to train, "
        "never shown, never passed on.",
        "- The surveillance clips of fights: MIT.",
        "- The network that looks began with ImageNet weights of EfficientNet-Lite0: Apache-2.0.",
        "",
        "No clip, picture or name of any of them is in this folder.",
        "",
    ]


def _by_set(facts: dict[str, Any]) -> list[str]:
    rows = [
        f"| {name} | {told['head']} | {told['clips']} | {_uars(told['uar'])} | {told['subjects']} "
        f"| {_percent(told['accuracy_of_subjects'])} |"
        for name, told in facts["by_set"].items()
    ]
    return [
        "## Results by set",
        "",
        "Four folds by subject, each measured by a model of the same kind that had seen none of the fold's subjects. "
        "Classes of all sets stand against each other, so a set can be taken for another.",
        "",
        "| set | head | clips | UAR % as they are | picture alone | sound alone | subjects | their accuracy % |",
        "|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        "UAR is the mean of the folds, accuracy that of the lowest, the median and the highest subject. A subject is a "
        "speaker, or the video a clip was cut from. How people of one age, skin, language or sex fare "
        "could not be measured: the sets do not tell it.",
        "",
    ]


def _uars(told: dict[str, float]) -> str:
    return " | ".join(f"{100 * told[asked]:.1f}" if asked in told else "-" for asked in ("both", "video", "audio"))


def _percent(spread: dict[str, float]) -> str:
    return " - ".join(f"{100 * spread[name]:.0f}" for name in ("min", "median", "max"))


def _confidence(facts: dict[str, Any]) -> list[str]:
    below = ", ".join(f"{head} {value:.2f}" for head, value in facts["unknown_below"].items())
    error = ", ".join(f"{head} {value:.3f}" for head, value in facts["calibration_error"].items())
    lines = [
        "## When it says unknown",
        "",
        f'Below a confidence of {below} the answer is "unknown". Of clips like those of the sets, at most '
        f"{100 * facts['unknown_false_alarms']:.0f} % fall below. Calibration error, of folds it had not learned from: "
        f"{error}.",
        "",
    ]
    if strangers := facts.get("strangers"):
        lines += ["Of clips that show none of its classes it calls unknown:", ""]
        lines += ["| clips | how many | action unknown % | emotion unknown % |", "|---|---|---|---|"]
        lines += [
            f"| {name} | {told['clips']} | {_share(told, 'action')} | {_share(told, 'emotion')} |"
            for name, told in strangers.items()
        ]
        lines.append("")
    return lines


def _share(told: dict[str, Any], head: str) -> str:
    return f"{100 * told[head]:.0f}" if head in told else "-"


def _limits() -> list[str]:
    return [
        "## Where it came from shows",
        "",
        "- Five actions are no catalogue: whatever else happens is taken for one of them, or is unknown.",
        "- Surfing, archery and basketball come from one collection, fights from cameras on walls, emotion from one "
        "studio and one set of recordings of speech. Whoever films otherwise leaves what it knows.",
        "- Emotion rests on the voice: four in five clips it has learned it from have no picture, and all are acted.",
        "- The audio encoder was distilled, without labels, on the sound of UCF101, fights and Javanese among others, "
        "before the folds were made: results with sound may be flattered there. RAVDESS had no part in it.",
        "- It must not be used to find violence, to judge people, or where an error harms anybody.",
        "",
        "Made by `python -m benchmarks.accuracy.box`.",
    ]
