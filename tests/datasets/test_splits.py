"""No subject is in training and test, classes keep their proportions, and a frozen split does not change."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from video_understanding.datasets.grouping import clip_ids
from video_understanding.datasets.manifest import Manifest, Row, load_manifest
from video_understanding.datasets.splits import Split, leaks, make_folds, split_rows
from video_understanding.errors import SplitError
from video_understanding.labels import Labels

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
SEEDS = range(12)


def manifest_of(rows) -> Manifest:
    rows = list(rows)
    return Manifest(rows, Labels.found_in(row.labels for row in rows))


def crowd(seed: int, subjects: int = 40, root: Path = Path("/data/crowd")) -> Manifest:
    """People with few or many clips, each with habits of their own; clips have one label or two."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(subjects):
        actions, emotions = rng.dirichlet([1.0] * 3), rng.dirichlet([1.0] * 4)
        for take in range(rng.integers(2, 30)):
            action = ["run", "sit", "wave"][rng.choice(3, p=actions)]
            emotion = ["calm", "glad", "mad", "sad"][rng.choice(4, p=emotions)]
            kept = rng.integers(3)
            rows.append(
                Row(
                    root / f"media/p{person:02}_{take:02}.mp4",
                    {"action": None if kept == 0 else action, "emotion": None if kept == 1 else emotion},
                    subject=f"p{person:02}",
                    root=root,
                )
            )
    return manifest_of(rows)


def people(takes_of: dict[str, int], label: str = "glad", **given) -> Manifest:
    root = Path("/data/people")
    return manifest_of(
        Row(root / f"{name}_{take}.mp4", {"emotion": label}, subject=name, root=root, **given)
        for name, takes in takes_of.items()
        for take in range(takes)
    )


def given(column: str, values: dict[str, list]) -> Manifest:
    """Rows of each subject with these values of the split or fold column."""
    root = Path("/data/given")
    return manifest_of(
        Row(root / f"{name}_{take}.mp4", {"emotion": "glad"}, subject=name, root=root, **{column: value})
        for name, told in values.items()
        for take, value in enumerate(told)
    )


def subjects_in(manifest: Manifest, split: Split) -> dict[str, set]:
    return {part: {manifest.rows[index].subject for index in indices} for part, indices in split.parts.items()}


def assert_disjoint_and_whole(manifest: Manifest, split: Split) -> None:
    inside = subjects_in(manifest, split)
    assert not inside["train"] & inside["validation"]
    assert not inside["train"] & inside["test"]
    assert not inside["validation"] & inside["test"]
    assert sorted(index for indices in split.parts.values() for index in indices) == list(range(len(manifest)))
    assert leaks(manifest, split) == ()


# --- splits that are made here --------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_subjects_stay_in_one_part_and_classes_in_proportion(seed):
    manifest = crowd(seed)
    split = split_rows(manifest, seed=seed)
    assert_disjoint_and_whole(manifest, split)
    for part, share in (("train", 0.7), ("validation", 0.15), ("test", 0.15)):
        assert len(split.parts[part]) / len(manifest) == pytest.approx(share, abs=0.03)
        held = manifest.with_rows(manifest.rows[index] for index in split.parts[part])
        for head in manifest.heads:
            for name, count in manifest.counts(head).items():
                assert held.counts(head)[name] / count == pytest.approx(share, abs=0.07), (part, name)


def test_the_seed_decides():
    manifest = crowd(0)
    hashes = [split_rows(manifest, seed=seed).hash for seed in SEEDS]
    assert hashes == [split_rows(manifest, seed=seed).hash for seed in SEEDS]
    assert len(set(hashes)) == len(hashes)
    tests = [subjects_in(manifest, split_rows(manifest, seed=seed))["test"] for seed in range(40)]
    assert len(set.union(*tests)) > 30  # in time nearly everyone is tested, not only people with few clips


def test_neither_the_order_of_rows_nor_the_location_of_the_data_matters():
    manifest = crowd(1)
    split = split_rows(manifest, seed=3)
    order = np.random.default_rng(0).permutation(len(manifest))
    shuffled = manifest.with_rows(manifest.rows[index] for index in order)
    again = split_rows(shuffled, seed=3)
    assert again.hash == split.hash
    part_of, part_again = split.part_of_rows(), again.part_of_rows()
    assert [part_again[place] for place in range(len(order))] == [part_of[index] for index in order]
    assert split_rows(crowd(1, root=Path("/elsewhere/copy")), seed=3).hash == split.hash


@pytest.mark.parametrize(
    "change",
    [
        {"labels": {"emotion": "sad"}},
        {"labels": {"emotion": "glad", "scene": "beach"}},
        {"subject": "p99"},
        {"start_s": 1.0},
        {"path": Path("/data/crowd/media/renamed.mp4")},
    ],
)
def test_the_hash_depends_on_every_clip(change):
    manifest = crowd(2)
    first = replace(manifest.rows[0], labels={"emotion": "glad"})
    parts = split_rows(manifest, seed=0).parts
    one, other = (
        Split(parts, clip_ids([row, *manifest.rows[1:]]), seed=0).hash for row in (first, replace(first, **change))
    )
    assert one != other


def test_the_hash_depends_on_the_parts_but_not_on_the_notes():
    manifest = people({"a": 2, "b": 2, "c": 2})
    split = split_rows(manifest, seed=0)
    turned = {"train": split.parts["test"], "test": split.parts["train"], "validation": split.parts["validation"]}
    assert replace(split, parts=turned).hash != split.hash
    assert replace(split, notes=("other",)).hash == split.hash


def test_spans_of_one_file_and_chains_of_subjects_stay_together():
    root = Path("/data/chain")
    rows = [
        Row(root / f"{n}.mp4", {"emotion": "glad"}, root=root, start_s=s, end_s=s + 1.0)
        for n in range(8)
        for s in (0.0, 1.0)
    ]
    rows += [
        Row(root / "pair.mp4", {"emotion": "glad"}, subject="ann", start_s=0.0, end_s=1.0, root=root),
        Row(root / "pair.mp4", {"emotion": "glad"}, subject="bob", start_s=1.0, end_s=2.0, root=root),
        Row(root / "bob.mp4", {"emotion": "glad"}, subject="bob", root=root),
        Row(root / "ann.mp4", {"emotion": "glad"}, subject="ann", root=root),
    ]
    manifest = manifest_of(rows)
    for seed in SEEDS:
        split = split_rows(manifest, seed=seed)
        parts = split.part_of_rows()
        assert all(parts[place] == parts[place + 1] for place in range(0, 16, 2))
        assert len(set(parts[16:])) == 1
        assert any("16 of 20 rows have no subject" in note for note in split.notes)


def test_the_same_name_in_two_data_sets_is_two_people():
    one, two = crowd(0, 6, Path("/data/one")), crowd(1, 6, Path("/data/two"))
    manifest = manifest_of([*one, *two])
    splits = [split_rows(manifest, seed=seed) for seed in SEEDS]
    of_one, of_two = 0, len(one)  # a clip of p00 in either set
    together = {split.part_of_rows()[of_one] == split.part_of_rows()[of_two] for split in splits}
    assert together == {True, False}  # each goes its own way
    assert {clip.name.split("/")[0] for clip in splits[0].clips} == {"one", "two"}


def test_a_subject_reaches_over_tables_about_the_same_files(tmp_path):
    for number in range(12):
        (tmp_path / f"{number}.mp4").touch()
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    # Person 0 is in both tables, with one clip in common and one of his own in each.
    (tmp_path / "one/clips.csv").write_text(
        "path,action,subject\n" + "".join(f"../{n}.mp4,surf,{max(0, n - 1)}\n" for n in range(6))
    )
    (tmp_path / "two/clips.csv").write_text(
        "path,emotion,subject\n../0.mp4,sad,0\n" + "".join(f"../{n}.mp4,sad,{n % 6}\n" for n in range(6, 12))
    )
    manifest = load_manifest(tmp_path / "one", tmp_path / "two")
    for seed in SEEDS:
        assert_disjoint_and_whole(manifest, split_rows(manifest, seed=seed))


@pytest.mark.parametrize("groups", [3, 4, 5])
def test_few_subjects_fill_every_part(groups):
    manifest = people({f"s{number}": 3 + number for number in range(groups)})
    for seed in SEEDS:
        assert all(split_rows(manifest, seed=seed).parts.values())


def test_too_few_subjects_are_an_error():
    with pytest.raises(
        SplitError, match=r"3 parts \(train, validation, test\) need as many subjects.* there are 2 in 9"
    ):
        split_rows(people({"a": 4, "b": 5}), seed=0)
    split = split_rows(people({"a": 4, "b": 5}), seed=0, validation=0)
    assert not split.parts["validation"] and split.parts["train"] and split.parts["test"]
    with pytest.raises(SplitError, match="there are 0 in 0 rows"):
        split_rows(people({}), seed=0)


def test_a_rare_class_reaches_every_part_that_it_can():
    root = Path("/data/rare")
    common = [Row(root / f"c{n}.mp4", {"action": "common"}, subject=f"c{n}", root=root) for n in range(60)]
    rare = [Row(root / f"r{n}.mp4", {"action": "rare"}, subject=f"r{n}", root=root) for n in range(3)]
    for seed in SEEDS:
        manifest = manifest_of([*common, *rare])
        split = split_rows(manifest, seed=seed)
        assert sorted(split.part_of_rows()[60:]) == ["test", "train", "validation"]
        assert not split.notes
        fewer = split_rows(manifest.with_rows([*common, *rare[:2]]), seed=seed)
        assert fewer.part_of_rows()[60:].count("train") == 1
        assert any(note.startswith("No clip in") and "action rare" in note for note in fewer.notes)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"test": 1.0}, "test: 1.0 is not a share"),
        ({"validation": -0.1}, "validation: -0.1 is not a share"),
        ({"validation": 0.5, "test": 0.5}, "leave nothing for train"),
        ({"allow_leak": "everything"}, "allow_leak: 'everything' is not a leak"),
    ],
)
def test_invalid_settings_are_refused(settings, message):
    with pytest.raises(SplitError) as caught:
        split_rows(crowd(0), seed=0, **settings)
    assert message in str(caught.value)


# --- splits that the manifest gives ---------------------------------------------------------------


def test_a_given_split_is_used():
    manifest = given("split", {"a": ["train"] * 3, "b": ["validation"] * 2, "c": ["test"]})
    split = split_rows(manifest, seed=5)
    assert split.parts == {"train": (0, 1, 2), "validation": (3, 4), "test": (5,)}


def test_what_a_given_split_lacks_is_taken_out_of_train_by_subject():
    manifest = given("split", {**{f"s{n}": ["train"] * (2 + n) for n in range(8)}, "t": ["test"] * 4})
    split = split_rows(manifest, seed=5)
    assert_disjoint_and_whole(manifest, split)
    assert subjects_in(manifest, split)["test"] == {"t"}
    assert split.parts["validation"]
    assert any("names no validation rows" in note for note in split.notes)
    assert not split_rows(manifest, seed=5, validation=0).parts["validation"]


def test_a_leaking_split_is_refused_unless_allowed():
    manifest = given("split", {"ann": ["train", "train", "test"], "bob": ["train", "validation"], "cy": ["test"]})
    with pytest.raises(SplitError) as caught:
        split_rows(manifest, seed=0)
    for message in ("2 subject(s)", "ann (test 1, train 2)", "bob (train 1, validation 1)", "allow_leak='subject'"):
        assert message in str(caught.value)
    split = split_rows(manifest, seed=0, allow_leak="subject")
    assert leaks(manifest, split) == (("ann", ("train", "test")), ("bob", ("train", "validation")))
    assert any("Leak allowed by name" in note and "ann" in note for note in split.notes)


def test_two_spans_of_one_file_leak_even_without_a_subject():
    root = Path("/data/spans")
    rows = [
        Row(root / "a.mp4", {"action": "x"}, split=part, start_s=s, root=root)
        for s, part in ((0.0, "train"), (9.0, "test"))
    ]
    rows.append(Row(root / "b.mp4", {"action": "x"}, split="validation", root=root))
    with pytest.raises(SplitError, match=r"a\.mp4 \(test 1, train 1\)"):
        split_rows(manifest_of(rows), seed=0)


def test_a_set_marks_all_of_its_rows_or_none():
    half = given("split", {"a": ["train", None], "b": ["test"]})
    with pytest.raises(SplitError, match="1 of 3 rows have no split"):
        split_rows(half, seed=0)
    marked = given("split", {"a": ["train"] * 5, "b": ["validation"], "c": ["test"]})
    free = crowd(0, 10)
    both = manifest_of([*marked, *free])
    split = split_rows(both, seed=0)
    assert split.part_of_rows()[:7] == ["train"] * 5 + ["validation", "test"]
    assert set(split.part_of_rows()[7:]) == {"train", "validation", "test"}
    assert leaks(both, split) == ()


def test_a_split_without_train_is_refused():
    with pytest.raises(SplitError, match="names no train rows"):
        split_rows(given("split", {"a": ["test"], "b": ["validation"]}), seed=0)


# --- folds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS[:6])
def test_folds_test_every_row_once_and_never_a_learned_subject(seed):
    manifest = crowd(seed)
    folds = make_folds(manifest, folds=5, seed=seed)
    assert sorted(index for fold in folds for index in fold.parts["test"]) == list(range(len(manifest)))
    for fold in folds:
        assert_disjoint_and_whole(manifest, fold)
        assert len(fold.parts["test"]) / len(manifest) == pytest.approx(0.2, abs=0.03)
        assert len(fold.parts["validation"]) / len(manifest) == pytest.approx(0.8 * 0.15, abs=0.03)
        tested = manifest.with_rows(manifest.rows[index] for index in fold.parts["test"])
        for head in manifest.heads:
            for name, count in manifest.counts(head).items():
                assert tested.counts(head)[name] / count == pytest.approx(0.2, abs=0.08), name
    assert len({fold.hash for fold in folds}) == 5
    assert [fold.hash for fold in make_folds(manifest, folds=5, seed=seed)] == [fold.hash for fold in folds]
    assert make_folds(manifest, folds=5, seed=seed + 1)[0].hash != folds[0].hash


@pytest.mark.parametrize("validation", [0.15, 0])
def test_leave_one_subject_out(validation):
    manifest = people({"a": 1, "b": 9, "c": 2, "d": 5})
    folds = make_folds(manifest, folds=4, seed=1, validation=validation)
    assert sorted(name for fold in folds for name in subjects_in(manifest, fold)["test"]) == ["a", "b", "c", "d"]
    for fold in folds:
        assert_disjoint_and_whole(manifest, fold)
        assert bool(fold.parts["validation"]) == (validation > 0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"folds": 4},
            "4 parts (1, 2, 3, 4) need as many subjects, or files where there is no subject, and there are 3",
        ),
        ({"folds": 1}, "folds: 1 is too few"),
        ({"folds": 3, "validation": 1.5}, "validation: 1.5 is not a share"),
    ],
)
def test_folds_that_cannot_be_made_are_an_error_with_the_cause(settings, message):
    with pytest.raises(SplitError) as caught:
        make_folds(people({"a": 2, "b": 2, "c": 2}), seed=0, **settings)
    assert message in str(caught.value)


def test_validation_that_cannot_be_taken_out_is_an_error_with_the_cause():
    two = people({"a": 2, "b": 2})
    with pytest.raises(
        SplitError, match=r"2 parts \(train, validation\) need as many subjects.* there are 1 in 2 rows"
    ):
        make_folds(two, folds=2, seed=0)
    assert len(make_folds(two, folds=2, seed=0, validation=0)) == 2


def test_given_folds_are_used():
    manifest = given("fold", {"a": [3, 3], "b": [1], "c": [3], "d": [7], "e": [1]})
    folds = make_folds(manifest, folds=5, seed=0)
    assert [fold.parts["test"] for fold in folds] == [(2, 5), (0, 1, 3), (4,)]
    for fold in folds:
        assert_disjoint_and_whole(manifest, fold)
        assert fold.parts["validation"]
    assert "The 3 folds are those of the fold column." in folds[0].notes
    assert len({make_folds(manifest, seed=seed)[2].hash for seed in SEEDS}) > 1  # validation is still drawn
    with pytest.raises(SplitError, match="names one fold only"):
        make_folds(given("fold", {"a": [2], "b": [2]}), seed=0)


def test_leaking_folds_are_refused_unless_allowed():
    manifest = given("fold", {"ann": [1, 2], "bob": [1], "cy": [2], "dee": [2], "eve": [1]})
    with pytest.raises(SplitError, match=r"fold column puts 1 subject.*ann \(fold 1 1, fold 2 1\)"):
        make_folds(manifest, seed=0)
    folds = make_folds(manifest, seed=0, allow_leak="subject")
    assert len(folds) == 2 and any(name == "ann" for name, _ in leaks(manifest, folds[0]))


def test_an_unfinished_fold_column_is_not_used():
    manifest = given("fold", {"a": [1, None], "b": [2], "c": [1]})
    folds = make_folds(manifest, folds=3, seed=0)
    assert len(folds) == 3 and any("1 of 4 rows have no fold" in note for note in folds[0].notes)


# --- frozen on disk -------------------------------------------------------------------------------


def test_a_frozen_split_is_read_back_for_the_same_clips_in_any_order():
    manifest = crowd(4)
    split = split_rows(manifest, seed=0)
    assert Split.from_json(split.to_json(), manifest) == split
    backwards = manifest.with_rows(reversed(manifest.rows))
    again = Split.from_json(split.to_json(), backwards)
    assert again.hash == split.hash
    assert again.part_of_rows() == split.part_of_rows()[::-1]
    moved = crowd(4, root=Path("/moved"))
    assert Split.from_json(split.to_json(), moved).parts == split.parts


def test_a_frozen_split_of_other_rows_is_refused_with_counts():
    manifest = crowd(4)
    frozen = split_rows(manifest, seed=0).to_json()
    rows = list(manifest.rows)
    new = Row(rows[0].root / "new.mp4", {"action": "run"}, root=rows[0].root)
    changed = [replace(row, subject="somebody") for row in rows[:2]]
    for other, message in (
        ([*rows, new], "rows 1 added (first: new.mp4)"),
        (rows[3:], "rows 3 removed"),
        ([*changed, *rows[2:]], "rows 2 changed in their labels or subject"),
        ([*changed, *rows[5:], new], "rows 1 added, 3 removed, 2 changed in their labels or subject"),
    ):
        with pytest.raises(SplitError) as caught:
            Split.from_json(frozen, manifest.with_rows(other))
        assert message in str(caught.value)


def test_a_frozen_split_changed_by_hand_or_broken_is_refused():
    manifest = people({"a": 2, "b": 2, "c": 2})
    frozen = json.loads(split_rows(manifest, seed=0).to_json())
    clip = frozen["parts"]["test"].pop()
    frozen["parts"]["train"].append(clip)
    with pytest.raises(SplitError, match="changed by hand"):
        Split.from_json(json.dumps(frozen), manifest)
    for text in ("not json", "[]", '{"format": 1}', '{"format": 1, "parts": {"train": [{"colour": 1}]}}'):
        with pytest.raises(SplitError, match="is not a frozen split"):
            Split.from_json(text, manifest)
    with pytest.raises(SplitError, match="has format 2"):
        Split.from_json(json.dumps({**frozen, "format": 2}), manifest)


def test_a_split_holds_every_row_once():
    split = split_rows(people({"a": 2, "b": 2, "c": 2}), seed=0)
    with pytest.raises(SplitError, match="each of 6 rows once"):
        replace(split, parts={**split.parts, "train": split.parts["test"]})
    with pytest.raises(SplitError, match="each of 6 rows once"):
        replace(split, parts={"train": tuple(range(6))})


def test_repr_shows_sizes_and_not_rows():
    text = repr(split_rows(crowd(0), seed=7))
    assert text.startswith("Split(train ") and "seed 7, hash " in text and len(text) < 150


# --- real sets ------------------------------------------------------------------------------------


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["action_fight", "action_ucf_av3", "emotion_javanese", "speech_ravdess"])
def test_real_sets_split_without_leaks_by_given_and_own_folds(name):
    if not SHARED.is_dir():
        pytest.skip("the real clips of ../shared/data are not here")
    manifest = load_manifest(SHARED / name)
    (head,) = manifest.heads
    total = Counter(manifest.counts(head))
    given_folds = make_folds(manifest, seed=0)
    assert len(given_folds) == 4
    free = manifest.with_rows(replace(row, fold=None) for row in manifest)
    for folds in (given_folds, make_folds(free, folds=4, seed=0)):
        for fold in folds:
            assert_disjoint_and_whole(manifest, fold)
            tested = manifest.with_rows(manifest.rows[index] for index in fold.parts["test"]).counts(head)
            assert all(tested[label] / count == pytest.approx(0.25, abs=0.06) for label, count in total.items())
    assert_disjoint_and_whole(manifest, split_rows(manifest, seed=0))
