"""Training of heads of which a clip may show several classes: targets, weights, what is refused, and that it learns."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.training.test_fit import SETTINGS, SPEC
from video_understanding.cli import crossval, train
from video_understanding.datasets.cache import ClipCache
from video_understanding.datasets.manifest import Manifest, load_manifest
from video_understanding.datasets.rows import Row
from video_understanding.datasets.splits import split_rows
from video_understanding.datasets.targets import targets_of
from video_understanding.errors import TrainingError
from video_understanding.evaluation import HeadReport, MultiLabelReport, evaluate
from video_understanding.labels import Labels
from video_understanding.media.synthetic import make_dataset
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.training.batches import ClipBatches, class_weights_of, yes_weights_of
from video_understanding.training.fit import fit, labels_to_learn

MULTI = dataclasses.replace(SPEC, network=dataclasses.replace(SPEC.network, multi_label=("action",)))


def manifest_of(*actions: str | None) -> Manifest:
    rows = tuple(
        Row(Path(f"/set/{place}.mp4"), {"action": action}, origin=f"clips.csv:{place + 2}", root=Path("/set"))
        for place, action in enumerate(actions)
    )
    return Manifest(rows, Labels.found_in(row.labels for row in rows))


def learned(manifest: Manifest, *multi_label: str) -> Labels:
    return labels_to_learn(manifest, ["train"] * len(manifest), multi_label)


def test_targets_are_ones_for_all_classes_shown():
    manifest = manifest_of("spin|bounce", "none", None, "spin")
    targets = targets_of(manifest.rows, manifest.labels)["action"]
    assert targets.tolist() == [[1, 1, 1], [0, 0, 1], [0, 0, 0], [0, 1, 1]]


def test_a_rare_class_counts_more_up_to_a_limit():
    shown = np.zeros((100, 4), np.float32)
    shown[:, -1], shown[:75, 0], shown[:20, 1], shown[:2, 2] = 1, 1, 1, 1
    unlabelled = np.zeros((50, 4), np.float32)
    assert yes_weights_of(np.concatenate([shown, unlabelled])) == [1.0, 4.0, 10.0]


def test_several_labels_are_refused_for_a_head_of_one():
    with pytest.raises(TrainingError) as caught:
        learned(manifest_of("spin", "bounce|spin", "none"))
    assert "clips.csv:3: action 'bounce|spin' is not one class" in str(caught.value)
    assert "--multi-label action" in str(caught.value)
    manifest = manifest_of("spin", "bounce|spin", "none")
    for place in (1, 2):  # the last is "none", which names no class here
        part = manifest.with_rows([manifest.rows[0], manifest.rows[place]])
        with pytest.raises(TrainingError, match="--multi-label action"):
            learned(part)


def test_none_is_no_class_of_a_multi_label_head():
    manifest = manifest_of("spin", "bounce", "none")
    assert learned(manifest)["action"] == ("bounce", "none", "spin")
    assert learned(manifest, "action")["action"] == ("bounce", "spin")


def test_one_class_can_be_learned_from_yes_and_no():
    assert learned(manifest_of("spin", "none", "spin"), "action")["action"] == ("spin",)
    with pytest.raises(TrainingError, match=r"only one action, 'bounce\|spin'"):
        learned(manifest_of("spin|bounce", "bounce|spin", None), "action")


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> tuple[Manifest, ClipCache]:
    """Clips whose action is that and the emotion; slide and sad are no classes, so some show none."""
    folder = tmp_path_factory.mktemp("data")
    make_dataset(
        folder / "clips", seed=1, clips=36, duration_s=1.0, actions=("bounce", "spin", "slide"),
        emotions=("happy", "sad"), subjects=6, width_px=64, height_px=48,
    )  # fmt: skip
    plain = load_manifest(folder / "clips")

    def told(row: Row) -> str:
        shown = [name for name in (row.labels.get("action"), row.labels.get("emotion")) if name not in ("slide", "sad")]
        return "|".join(shown) or "none"

    rows = [dataclasses.replace(row, labels={**row.labels, "action": told(row)}) for row in plain.rows]
    rows[0] = dataclasses.replace(rows[0], labels={**rows[0].labels, "action": None})
    labels = Labels.found_in(row.labels for row in rows)
    assert labels == Labels(action=("bounce", "happy", "spin"), emotion=("happy", "sad"))
    return Manifest(tuple(rows), labels, plain.sources), ClipCache(folder / "cache")


def run(data, out: Path, **changes):
    manifest, cache = data
    settings = dataclasses.replace(SETTINGS, **changes)
    split = split_rows(manifest, seed=0, validation=0.2, test=0.2)
    return fit(manifest, split, MULTI, out, settings, cache=cache, progress=False)


def test_it_learns_and_is_evaluated(data, tmp_path):
    trained = run(data, tmp_path, epochs=12, mixup=0.0, augment=False, learning_rate=4e-3, label_smoothing=0.0)
    assert trained.history["loss"][-1] < 0.8 * trained.history["loss"][0]
    assert {"val_action_accuracy", "val_emotion_accuracy"} <= set(trained.history)
    report = evaluate(KerasScorer(trained.model), trained.prepared, trained.rows_of("train"), progress=False)
    action = report.heads["action"]
    assert isinstance(action, MultiLabelReport) and isinstance(report.heads["emotion"], HeadReport)
    chance = np.mean([result.clips / action.clips for result in action.classes])  # the AP of scores at random
    assert action.mean_average_precision > chance + 0.2
    assert evaluate(KerasScorer(trained.model), trained.prepared, trained.rows_of("test"), progress=False).text()


def test_the_other_settings_train_as_well(data, tmp_path):
    trained = run(data, tmp_path, epochs=1, mixup=0.4, focal_gamma=2.0, balance="sampling")
    assert np.isfinite(trained.history["val_loss"]).all()


def batches(data, **changes) -> ClipBatches:
    manifest, cache = data
    prepared = cache.prepare(manifest.rows, MULTI, progress=False)
    settings = dataclasses.replace(SETTINGS, augment=False, batch_size=len(prepared), **changes)
    return ClipBatches(prepared, manifest.rows, manifest.labels, np.arange(len(prepared)), settings, learning=True)


def test_mixed_clips_have_mixed_yes_and_no(data):
    _, targets = batches(data, mixup=1.0)[0]
    shown, weight = targets["action"][:, :-1], targets["action"][:, -1]  # [B,C], [B]
    assert shown.max() <= 1 and ((shown > 0) & (shown < 1)).any()
    assert (shown.sum(axis=1) > 1).any()  # several at once stay several
    assert weight.min() >= 0 and weight.max() <= 1


def test_sampling_draws_clips_of_no_class_as_well(data):
    drawn = np.concatenate(
        [batches(data, balance="sampling", mixup=0.0, seed=seed)[0][1]["action"] for seed in range(9)]
    )
    none = (drawn[:, -1] == 1) & ~drawn[:, :-1].any(axis=1)
    assert 0.1 < none.mean() < 0.5


def test_weights_of_one_label_heads_are_as_before():
    table = targets_of(manifest_of("a", "a", "b").rows, Labels(action=("a", "b")))["action"]
    assert class_weights_of(table) == pytest.approx([0.75, 1.5])


@pytest.mark.parametrize("command", [train, crossval])
def test_the_command_line_names_the_heads(command):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    options = ["clips.csv"] + (["--out", "x"] if command is train else [])
    spec, _ = train.chosen(parser.parse_args([*options, "--multi-label", "emotion", "--multi-label", "action"]))
    assert spec.network.multi_label == ("action", "emotion")
    spec, _ = train.chosen(parser.parse_args(options))
    assert spec.network.multi_label == ()
