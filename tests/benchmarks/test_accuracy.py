"""The accuracy benchmark measures what it says: the test fold never chooses, and pieces that are done stay done."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.accuracy.choose import choose
from video_understanding.clip import Clip
from video_understanding.scorer import SENSES

FOLDS = (1, 2, 3, 4)


@pytest.mark.parametrize("test", FOLDS)
def test_the_choice_never_sees_the_test_fold(test):
    """A candidate that is perfect on the test fold alone is not chosen, and no training or judging touches it."""
    asked = []

    def score(name: str, learned: frozenset[int], judged: int) -> float:
        asked.append((name, learned, judged))
        assert judged not in learned, "judged on what it has learned"
        if name == "flatters":
            return 100.0 if test in learned or judged == test else 10.0
        return 50.0

    choice = choose(("flatters", "honest"), FOLDS, test, score)
    assert choice.candidate == "honest"
    assert choice.inner == {"flatters": 10.0, "honest": 50.0}
    assert all(test not in learned and test != judged for _, learned, judged in asked)
    for name in ("flatters", "honest"):
        assert sorted(judged for own, _, judged in asked if own == name) == [fold for fold in FOLDS if fold != test]
    assert all(len(learned) == len(FOLDS) - 2 for _, learned, _ in asked)


def test_of_equal_candidates_the_first_is_chosen():
    assert choose(("short", "long"), FOLDS, 1, lambda *_: 40.0).candidate == "short"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A small set of drawn clips with folds, and a spec to go with it."""
    import csv

    from video_understanding.datasets.manifest import load_manifest
    from video_understanding.media.synthetic import make_dataset

    folder = tmp_path_factory.mktemp("drawn")
    table = make_dataset(folder / "clips", seed=3, clips=12, subjects=4, actions=("bounce", "spin"), duration_s=1.0)
    with table.open() as file:
        rows = list(csv.DictReader(file))
    folds = {name: number for number, name in enumerate(sorted({row["subject"] for row in rows}), 1)}
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "fold"])
        writer.writeheader()
        writer.writerows({**row, "fold": folds[row["subject"]]} for row in rows)
    return load_manifest(table)


@pytest.fixture
def pieces(drawn, tmp_path, monkeypatch):
    """Trainings on the drawn set whose eye and ear notice nothing but noise: what is tested happens around them."""
    from benchmarks.accuracy import pieces as module
    from video_understanding.spec import AudioSpec, ModelSpec, NetworkSpec, VideoSpec

    monkeypatch.setenv("VIDEO_UNDERSTANDING_CACHE", str(tmp_path / "cache"))

    class Noise:
        def __init__(self, part, changed):
            self._shape = (1 + changed, part.shape)

        def of(self, prepared):
            changed, shape = self._shape
            return np.random.default_rng(0).normal(size=(changed, len(prepared), *shape)).astype(np.float16)

    monkeypatch.setattr(module, "Remembered", Noise)
    network = NetworkSpec(
        backbone="efficientnet_lite0", unfrozen_blocks=0, listener="separable", unfrozen_listener_blocks=0,
        token_size=8, attention_heads=2,
    )  # fmt: skip
    spec = ModelSpec(1.0, VideoSpec(4, 32, 32), AudioSpec(hop_s=0.5), network)
    return module.Pieces(drawn, spec, "both", tmp_path / "pieces")


def test_a_piece_answers_for_all_folds_it_has_not_learned_and_is_kept(pieces, monkeypatch):
    from benchmarks.accuracy import pieces as module
    from benchmarks.accuracy.measure import choices, results

    recipe = module.Recipe({}, {"epochs": 1})
    told = pieces.answers("one", recipe, frozenset({1, 2}), seed=0)
    assert set(told) == {"both", *SENSES}
    assert {row.fold for row in told["both"]["action"].rows} == {3, 4}
    assert not np.array_equal(told["video"]["action"].scores, told["audio"]["action"].scores)

    def no_more(*_, **__):
        raise AssertionError("trained again")

    monkeypatch.setattr(module, "fit", no_more)
    again = pieces.answers("one", recipe, frozenset({1, 2}), seed=0)
    for asked, heads in again.items():
        assert np.allclose(heads["action"].scores, told[asked]["action"].scores, atol=1e-5)
        assert [row.path for row in heads["action"].rows] == [row.path for row in told[asked]["action"].rows]
    with pytest.raises(AssertionError, match="trained again"):
        pieces.answers("one", module.Recipe({}, {"epochs": 2}), frozenset({1, 2}), seed=0)
    with pytest.raises(AssertionError, match="trained again"):
        results(pieces, "action", choices(pieces, "action", "both", {"one": recipe}, 0), {"one": recipe}, [0])


def test_a_person_is_got_used_to_by_clips_that_are_not_judged(pieces, drawn, monkeypatch):
    from benchmarks.accuracy import person
    from benchmarks.accuracy import pieces as module

    heard, plain = [], person.moments_with_usual
    monkeypatch.setattr(person, "moments_with_usual", lambda *given: (heard.append(len(given[1])), plain(*given))[1])
    people = module.Pieces(drawn, pieces._spec, "both", pieces._folder, people=True)
    told = people.answers("one", module.Recipe({}, {"epochs": 1}), frozenset({1, 2}), seed=0)
    assert sorted(row.path for row in told["person"]["action"].rows) == sorted(
        row.path for row in told["both"]["action"].rows
    )
    assert not np.array_equal(told["person"]["action"].scores, told["both"]["action"].scores)
    unseen = [row for row in drawn.rows if row.fold in (3, 4)]
    assert heard == [2 * len(others) for others, _ in person.halves(unseen, 0)]  # two hops of half a second each
    for others, judged in person.halves(drawn.rows, 0):
        assert not set(others) & set(judged)
        assert len({drawn.rows[place].subject for place in (*others, *judged)}) == 1


def test_people_are_heard_alike_each_by_what_they_say_alone():
    """Their usual voice is the same afterwards, who is not touched stays, and silence says nothing of a voice."""
    from benchmarks.accuracy.alike import heard_alike

    chance = np.random.default_rng(0)
    people = np.array(["ann", "ann", "bob", "bob", "cid", ""])
    heard = chance.normal(0, 1, (2, 6, 2, 6, 3))  # [looks,W,M,S,C]
    heard[:, people == "bob"] = 3 * heard[:, people == "bob"] + 7
    heard[:, 1, 1] = 50.0  # what silence sounds like, which must not count for a voice
    heard[:, 4] = 0
    loud = np.ones((6, 2), bool)
    loud[1, 1] = loud[4] = False
    usual_mean, usual_variance = np.array([0.5, 1.0, 2.0]), np.array([0.25, 1.0, 4.0])
    alike = heard_alike(heard.astype(np.float16), loud, people, usual_mean, usual_variance)
    for look in alike.astype(np.float64):
        for person in ("ann", "bob"):
            spoken = look[(people == person)][loud[people == person]]
            assert np.allclose(spoken.mean(axis=(0, 1)), usual_mean, atol=0.01)
            assert np.allclose(spoken.var(axis=(0, 1)), usual_variance, rtol=0.02)
    assert not alike[:, 4].any()
    assert np.array_equal(alike[:, 5], heard[:, 5].astype(np.float16))
    # Another person's clips change nothing for the first.
    other = heard.copy()
    other[:, people == "bob"] *= 0.1
    again = heard_alike(other.astype(np.float16), loud, people, usual_mean, usual_variance)
    assert np.array_equal(again[:, people == "ann"], alike[:, people == "ann"])


def test_clips_of_one_sense_have_nothing_of_the_other(drawn, tmp_path):
    from benchmarks.accuracy.senses import OneSense
    from video_understanding.spec import AudioSpec, ModelSpec, VideoSpec

    spec = ModelSpec(1.0, VideoSpec(4, 32, 32), AudioSpec(hop_s=0.5))
    for place, sense in enumerate(SENSES):
        cache = OneSense(sense)
        cache.folder = tmp_path / "cache"
        prepared = cache.prepare(drawn.rows[:2], spec, progress=False)
        batch = prepared.sound_batch([0, 1])
        assert batch["presence"].tolist() == [[place == 0, place == 1]] * 2
        clip: Clip = prepared[0]
        assert clip.senses == {name: name == sense for name in SENSES}
        assert bool(batch["sound"].any()) == (sense == "audio")


def test_a_page_tells_results_choices_and_commands():
    from benchmarks.accuracy.page import page

    result = {
        "uar": 91.25, "uar_of_folds": [90.0, 92.5], "uar_interval": [85.0, 96.0], "accuracy": 91.0, "subjects": 5,
        "accuracy_of_subjects": [50.0, 90.0, 100.0],
    }  # fmt: skip
    told = {
        "set": "ucf", "learned": "both", "fusion": "late", "chosen": {"1": {"candidate": "short"}}, "seeds": 1,
        "results": {"both": result, "video": {**result, "uar_interval": None}}, "command": "python -m x", "seconds": 3,
        "commit": "abc",
    }  # fmt: skip
    facts = {"rounds": 1, "cpu": "c", "cores": 2, "system": "s", "python": "3", "versions": {}, "commit": "abc"}
    text = page([json.loads(json.dumps(told))], facts)
    line = next(line for line in text.splitlines() if line.startswith("ucf"))
    assert line.split()[-5:] == ["to", "96", "91.0", "100", "100"]  # interval, accuracy, goal, floor
    taken = [line for line in text.splitlines() if line.startswith("ucf")][1]
    assert taken.split()[-3:] == ["91.0", "-", "99"]  # a sense taken away has no goal of its own
    assert "`python -m x`" in text
    assert "Ways of joining" not in text  # of one there is nothing to say
    assert "| 90 92 |" in text


def test_a_page_tells_whether_another_way_of_joining_is_better():
    from benchmarks.accuracy.page import page

    def told(fusion: str, uar: float) -> dict:
        result = {
            "uar": uar, "uar_of_folds": [uar], "uar_interval": [uar - 5, uar + 5], "accuracy": uar, "subjects": 5,
            "accuracy_of_subjects": [50.0, 90.0, 100.0],
        }  # fmt: skip
        return {
            "set": "javanese", "learned": "both", "fusion": fusion, "chosen": {}, "seeds": 1,
            "results": {"both": result}, "command": "x", "seconds": 3, "commit": "abc",
        }  # fmt: skip

    facts = {"rounds": 1, "cpu": "c", "cores": 2, "system": "s", "python": "3", "versions": {}, "commit": "abc"}
    for uar, apart in ((54.0, "within"), (56.0, "beyond")):
        text = page([told("cross_attention", 50.0), told("late", uar)], facts)
        assert f"the best of 2 is late with {uar:.1f}; the default, cross_attention, has 50.0" in text
        assert f"the best is {apart} its interval of 45 to 55" in text
