"""The model card: what a person should know before using a model, in plain Markdown, made of what its bundle knows.

What the bundle does not know is called unknown; nothing is made up.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from video_understanding.bundle import BUNDLE_FILE, SPEAKER_FILE, Bundle, odd_facts_refused
from video_understanding.errors import BundleError

_TELLS = {"action": "which action happens", "emotion": "which emotion is expressed"}
_FITS = {
    "crop": "scaled until they cover this, and cut off evenly",
    "pad": "scaled until they lie inside, and filled up with black",
    "stretch": "stretched to it",
}
_PARTS = {
    "train": "the clips it has learned from: says what it remembers, not what it can",
    "validation": "clips it has not learned from, but which chose the best epoch; that flatters a little. Of a closed "
    "form all that it learned from, each clip scored by a fit without its subject",
    "test": "clips that took no part in training",
    "crossval": "folds taken together, each measured by a model of its own: tells what this way of training gives",
}
_WEAKEST, _CONFUSIONS = 3, 3


@dataclass(frozen=True)
class HeadResult:
    """What was measured of one head on one part of the data; shares from 0 to 1, intervals of 95 %.

    `found` is the head's whole result, as `HeadReport.to_dict()` gives it.
    """

    part: str
    head: str
    clips: int
    accuracy: float
    accuracy_interval: Sequence[float] | None
    uar: float
    uar_interval: Sequence[float] | None
    found: Mapping[str, Any]


def results(bundle: Bundle) -> tuple[HeadResult, ...]:
    """Everything that the bundle's metrics tell of whole heads; other metrics are left out."""
    told = []
    for part, metrics in bundle.facts.get("metrics", {}).items():
        without = f" without {metrics['without']}" if metrics.get("without") else ""
        try:
            for head, found in metrics.get("heads", {}).items():
                whole = found.get("pooled", found)  # of a cross-validation: all folds together
                shares = (whole["accuracy"], whole.get("accuracy_interval"), whole["uar"], whole.get("uar_interval"))
                told.append(HeadResult(part + without, head, whole["clips"], *shares, whole))
        except (AttributeError, KeyError, TypeError) as error:
            raise BundleError(
                bundle.folder / BUNDLE_FILE, f"metrics of {part!r} in it are not a report", "Evaluate the model again."
            ) from error
    return tuple(told)


def in_words(value: Any) -> str:
    """Facts, and facts within facts, as words in a row: "epochs 3, settings batch size 16, augment yes"."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name.replace('_', ' ')} {in_words(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(in_words, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else "none" if value is None else str(value)


@odd_facts_refused
def card(bundle: Bundle) -> str:
    """The text of the bundle's README.md."""
    sections = {
        "What goes in": _inputs(bundle),
        "What comes out": _outputs(bundle),
        "What it has learned from": _learned(bundle),
        "Numbers": _numbers(bundle),
        "How it fails": _failures(bundle),
        "What it must not be used for": _refusals(bundle),
        "Exports": _exports(bundle),
        "Licences": _licences(bundle),
        "How to use it": _use(bundle),
    }
    blocks = [f"# {_text(bundle.name)}", *_about(bundle)]
    for title, lines in sections.items():
        blocks += [f"## {title}", "\n".join(lines)]
    return "\n\n".join(blocks) + "\n"


def _about(bundle: Bundle) -> list[str]:
    *most, last = (_TELLS.get(head, f"the {head}") for head in bundle.labels)
    tells = " and ".join([*([", ".join(most)] if most else []), last])
    versions = ", ".join(f"{package} {version}" for package, version in bundle.facts.get("versions", {}).items())
    return [
        f"Tells {tells} in a short clip of video with sound: {bundle.spec.network.words}.",
        f"Made: {_text(bundle.facts.get('created', 'unknown'))}. With: {_text(versions or 'unknown')}.",
        *_person(bundle),
    ]


def _person(bundle: Bundle) -> list[str]:
    if "personalised" not in bundle.facts:
        return []
    many = bundle.facts["personalised"].get("files", 0)
    return [
        f"**Made used to one person**, by the sound of {many} of their recordings (`vu personalise`). The numbers "
        "below were measured before that, with people it had never heard. Nobody else should be listened to with it."
    ]


def _inputs(bundle: Bundle) -> list[str]:
    spec, video, audio = bundle.spec, bundle.spec.video, bundle.spec.audio
    return [
        f"- **A clip** is {spec.window_s:g} s long. A longer file is walked through in windows of this length; a "
        "shorter one is filled up.",
        f"- **Picture:** {spec.frames} frames, {video.frames_hz:g} a second, {video.width_px} pixels wide and "
        f"{video.height_px} high, RGB, `uint8`. Frames of another shape are {_FITS[video.fit]}.",
        *_zoomed(bundle),
        f"- **Sound:** {spec.samples} samples of one channel at {audio.sample_rate_hz} Hz, `float32` from -1 to 1, "
        f"heard in {spec.hops} hops of {audio.hop_s:g} s.",
        f"- The model takes {', '.join(spec.modalities)}. Any of them may be missing: presence says which are there.",
    ]


def _zoomed(bundle: Bundle) -> list[str]:
    video = bundle.spec.video
    if video.zoom == 1:
        return []
    return [
        f"- **Part of the picture:** pictures are read {video.read_width_px} pixels wide and {video.read_height_px} "
        "high, and the network looks at the part of the size above in which most moves, one for all frames of a clip. "
        "`video_understanding.prepare` finds it."
    ]


def _outputs(bundle: Bundle) -> list[str]:
    lines = []
    for head in bundle.heads:
        at_once = ", of which a clip may show several or none" if head.is_multi else ""
        lines.append(f"- **{head.name}**, {len(head.classes)} classes{at_once}: {'; '.join(map(_text, head.classes))}")
        if (below := bundle.unknown_below(head.name)) is not None:
            lines.append(f'  - Answers with a confidence below {below:.3g} are called "unknown".')
        elif not head.is_multi:
            lines.append("  - It always names a class, however unsure: too few validation clips to choose a threshold.")
        if (temperature := bundle.temperature(head.name)) != 1:
            lines.append(f"  - Confidence is evened out with a temperature of {temperature:.3g}.")
    return [*lines, "", "It knows no other classes: whatever a clip shows, it looks for the likeliest of these."]


def _learned(bundle: Bundle) -> list[str]:
    data = bundle.facts.get("data")
    lines = ["Unknown: the bundle does not say which data it was."]
    if data:
        rows = [[str(entry.get(name) or "unknown") for name in ("name", "clips", "licence")] for entry in data]
        lines = _table(["data", "clips", "terms"], rows)
    training = bundle.facts.get("training")
    return [*lines, "", f"Training: {_text(in_words(training)) if training else 'unknown'}."]


def _numbers(bundle: Bundle) -> list[str]:
    told = results(bundle)
    if not told:
        return ["Unknown: no results are kept in the bundle. `vu evaluate` measures them."]
    rows = [
        [
            result.part,
            result.head,
            str(result.clips),
            _percent(result.accuracy),
            _between(result.accuracy_interval),
            _percent(result.found.get("majority_accuracy")),
            _percent(result.uar),
            _between(result.uar_interval),
            _percent(result.found.get("chance_uar")),
        ]
        for result in told
    ]
    names = ["measured on", "head", "clips", "accuracy %", "95 %", "by guessing", "UAR %", "95 %", "by guessing"]
    parts = dict.fromkeys(bundle.facts["metrics"])
    split = bundle.facts.get("split_hash")
    return [
        *_table(names, rows),
        "",
        *(f"**Warning:** {_text(warning)}\n" for warning in bundle.facts.get("warnings", ())),
        "UAR, the unweighted average recall, is the mean over classes of the share that was found. Guessing means "
        "always saying the most frequent class. Intervals are from drawing subjects (or files) again, and left out "
        "where there are too few of them, or all agree.",
        "",
        *_multi_label_numbers(bundle, told),
        *(f"- **{_text(part)}**: {_PARTS[part]}." for part in parts if part in _PARTS),
        f"- The split into these parts: {f'`{split}`' if split else 'unknown'}.",
    ]


def _multi_label_numbers(bundle: Bundle, told: Sequence[HeadResult]) -> list[str]:
    heads = bundle.spec.network.multi_label
    if not heads:
        return []
    means = [
        f"{_percent(result.found.get('mean_average_precision'))} % on {_text(result.part)} ({result.head})"
        for result in told
        if result.head in heads
    ]
    return [
        f"Of {' and '.join(heads)} a clip may show several classes: accuracy is the share of clips of which every "
        "class is right, and UAR the mean over classes of the share of yes and of no that was found. "
        f"Mean average precision: {', '.join(means) or 'unknown'}.",
        "",
    ]


def _failures(bundle: Bundle) -> list[str]:
    spec = bundle.spec
    lines = [
        f"- What lasts less than {1 / spec.video.frames_hz:g} s may fall between two frames, and what is small "
        f"vanishes in {spec.video.read_width_px}x{spec.video.read_height_px} pixels.",
        *(["- What happens elsewhere than where most moves is not seen."] if spec.video.zoom > 1 else []),
        "- Clips unlike those it has learned from, with other people, places, cameras or languages, may be taken for "
        "anything, with high confidence. The numbers above say nothing of them.",
    ]
    lines += _conditions(bundle)
    told = results(bundle)
    if not told:
        return [*lines, "- Which classes it takes for others is unknown: no results are kept in the bundle."]
    parts = {result.part for result in told}
    best = next((part for part in ("test", "validation", "crossval") if part in parts), told[0].part)
    for result in told:
        if result.part == best:
            lines += [f"- {result.head}, on {_text(best)}: {line}." for line in _weaknesses(result)]
    return lines


def _conditions(bundle: Bundle) -> list[str]:
    """What `Robustness.to_dict()` tells, a line for each head."""
    conditions = bundle.facts.get("metrics", {}).get("robustness", {})
    lines = []
    for head in bundle.labels.heads:
        told = [f"{name} {_percent(found[head]['uar'])} %" for name, found in conditions.items() if head in found]
        if told:
            lines.append(f"- {head}, UAR with {', '.join(told)}.")
    return lines


def _weaknesses(result: HeadResult) -> list[str]:
    found = result.found
    classes = found.get("classes") or ()
    missed = sorted((c for c in classes if c["recall"] is not None and c["recall"] < 1), key=lambda c: c["recall"])
    lines = []
    if missed:
        told = (f"{_text(c['name'])} ({_percent(c['recall'])} % of {c['clips']})" for c in missed[:_WEAKEST])
        lines.append(f"found least often are {', '.join(told)}")
    names = [c["name"] for c in classes]
    pairs = [
        (count, names[true], names[said])
        for true, counts in enumerate(found.get("confusion") or ())
        for said, count in enumerate(counts)
        if count and true != said
    ]
    pairs.sort(key=lambda pair: -pair[0])
    if pairs:
        told = (f"{_text(true)} for {_text(said)} ({count})" for count, true, said in pairs[:_CONFUSIONS])
        lines.append(f"taken for another most often are {', '.join(told)}")
    spread = (found.get("subjects") or {}).get("accuracy")
    if spread and spread["min"] < spread["max"]:
        lines.append(f"accuracy of single subjects is from {_percent(spread['min'])} to {_percent(spread['max'])} %")
    if sure := found.get("reliability"):
        lines.append(f"it was sure to {_percent(sure['confidence'])} % and right in {_percent(result.accuracy)} %")
    return lines


def _refusals(bundle: Bundle) -> list[str]:
    lines = [
        "- No decisions about people: not in hiring, school, policing, insurance, health, or at borders.",
        "- No watching of people who do not know of it or have not agreed.",
        "- No alarm or control that can do harm without a person who looks first.",
    ]
    if "emotion" in bundle.labels.heads:
        lines.insert(
            1,
            "- No conclusions about what anybody feels. The emotion it names is an expression as it is acted for "
            "recordings; a face and a voice do not tell a feeling.",
        )
    return lines


def _exports(bundle: Bundle) -> list[str]:
    exports = bundle.facts.get("exports")
    if not exports:
        return ["Unknown: none are recorded. `vu export` makes them, and measures how far each differs."]
    return [f"- `{file}`: {_text(in_words(facts)) or 'unknown'}" for file, facts in exports.items()]


def _licences(bundle: Bundle) -> list[str]:
    weights = bundle.facts.get("licences")
    if weights is None:
        lines = ["- Weights it began with: unknown."]
    elif not weights:
        lines = ["- It began with random weights."]
    else:
        lines = [f"- Weights it began with, {_text(name)}: {_text(licence)}" for name, licence in weights.items()]
    return [*lines, "- The terms of the data above may bind what the model is used for, too."]


def _use(bundle: Bundle) -> list[str]:
    folder = bundle.folder.resolve().name
    shell = shlex.quote(folder)
    adapted = [f"vu predict {shell} recordings/ --speaker-of folder"] * (bundle.folder / SPEAKER_FILE).exists()
    return [
        "```python",
        "import video_understanding as vu",
        "",
        f"model = vu.load({json.dumps(folder, ensure_ascii=False)})",
        'print(model.predict("clip.mp4"))',
        "```",
        "",
        "```sh",
        f"vu info {shell}",
        f"vu predict {shell} clip.mp4",
        *adapted,
        f"vu evaluate {shell} clips.csv",
        "```",
    ]


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [names, ["---"] * len(names), *([_text(cell) for cell in row] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def _text(text: str) -> str:
    """The text in one line, and none of it read as Markdown."""
    return re.sub(r"([\\`*<|\[])", r"\\\1", " ".join(str(text).split()))


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _between(interval: Sequence[float] | None) -> str:
    return "-" if interval is None else f"{_percent(interval[0])} to {_percent(interval[1])}"
