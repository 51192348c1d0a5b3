"""Speakers known: the second weights of a linear bundle, and every way to use them, on voices that are drawn."""

from __future__ import annotations

import dataclasses
import json
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from video_understanding.bundle import SPEAKER_FILE, Bundle
from video_understanding.cli.info import describe
from video_understanding.cli.main import main
from video_understanding.datasets.cache import ClipCache
from video_understanding.datasets.manifest import load_manifest
from video_understanding.datasets.speakers import speaker_numbers
from video_understanding.edge.litert_scorer import LiteRTScorer
from video_understanding.errors import BundleError
from video_understanding.evaluation.known_speakers import Encoding, evaluate_known_speakers
from video_understanding.export.make import export_bundle
from video_understanding.features import statistics
from video_understanding.features.prepare import from_prepared
from video_understanding.features.speaker_sound import adapted, speaker_sound
from video_understanding.features.speaker_weights import SpeakerWeights
from video_understanding.labels import Labels
from video_understanding.layers import statistics as layers
from video_understanding.models.load import keras_scorer
from video_understanding.spec import AudioSpec, ModelSpec, NetworkSpec, VideoSpec
from video_understanding.training.crossval import crossval
from video_understanding.training.measuring import BY_ALL, BY_OTHER_HALF
from video_understanding.training.settings import TrainingSettings
from video_understanding.training.train import train

SPEC = ModelSpec(
    window_s=0.5,
    video=VideoSpec(frames_hz=2, height_px=32, width_px=32),
    audio=AudioSpec(hop_s=0.5),
    network=NetworkSpec(classifier="linear", unfrozen_blocks=0, listener="separable", unfrozen_listener_blocks=0),
)
SETTINGS = TrainingSettings(close_up=False)
SPEAKERS, CLIPS = 12, 8


def write_wave(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def write_voices(folder: Path, moods_of_speaker: int) -> Path:
    """Noise of a loudness of each speaker's own, 6 dB softer when calm and 6 dB louder when angry."""
    folder.mkdir()
    chance = np.random.default_rng(0)
    lines = ["path,emotion,subject"]
    for speaker in range(SPEAKERS):
        own_db = -50 + 40 * speaker / SPEAKERS
        for clip in range(CLIPS):
            angry = bool((speaker + clip) % 2 if moods_of_speaker == 2 else speaker % 2)
            level_db = own_db + (6 if angry else -6) + chance.normal()
            samples = chance.normal(size=8000) * 10 ** (level_db / 20)
            name = f"s{speaker:02}_{clip}.wav"
            write_wave(folder / name, samples)
            lines.append(f"{name},{'angry' if angry else 'calm'},{speaker}")
    (folder / "clips.csv").write_text("\n".join(lines) + "\n")
    return folder / "clips.csv"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("speakers")


@pytest.fixture(scope="module")
def cache(folder) -> ClipCache:
    return ClipCache(folder / "cache")


@pytest.fixture(scope="module")
def voices(folder) -> Path:
    return write_voices(folder / "voices", moods_of_speaker=2)


@pytest.fixture(scope="module")
def bundle(voices, folder, cache) -> Bundle:
    return train(load_manifest(voices), SPEC, folder / "bundle", SETTINGS, cache=cache, progress=False)


def test_second_weights_are_solved_where_speakers_are_known_and_they_help(bundle):
    assert bundle.facts["training"]["speaker_normalisation"] == {"emotion": True}
    weights = SpeakerWeights.read(bundle.folder, bundle.labels)
    assert list(weights.heads["emotion"]) == [("audio",)]
    assert weights.windows_per_clip == 1
    assert "--speaker-of folder" in bundle.card_file.read_text()
    told = " ".join(describe(bundle).split())
    assert "speakers adapts to them (--speaker-of): emotion yes" in told and SPEAKER_FILE in told


def test_they_are_not_where_each_speaker_shows_one_mood(folder, cache):
    manifest = load_manifest(write_voices(folder / "one_mood", moods_of_speaker=1))
    bundle = train(manifest, SPEC, folder / "uneven", SETTINGS, cache=cache, progress=False)
    assert bundle.facts["training"]["speaker_normalisation"] == {"emotion": False}
    assert SpeakerWeights.read(bundle.folder, bundle.labels) is None
    (bundle.folder / SPEAKER_FILE).write_bytes(b"of a training before")
    train(manifest, SPEC, bundle.folder, SETTINGS, resume=True, cache=cache, progress=False)
    assert SpeakerWeights.read(bundle.folder, bundle.labels) is None


def test_statistics_are_those_that_the_layers_make():
    tokens = np.random.default_rng(0).random((3, 4, 6), np.float32)
    for name, pool in statistics.POOLINGS.items():
        np.testing.assert_allclose(pool(tokens), layers.POOLINGS[name](tokens), atol=1e-6)
        assert pool(tokens).shape[-1] == 6 * statistics.POOLED_WIDTHS[name]
        np.testing.assert_allclose(pool(tokens[:, :1]), layers.POOLINGS[name](tokens[:, :1]), atol=1e-6)


def test_weights_are_read_back_as_written_and_damage_is_told_in_one_line(bundle, tmp_path):
    weights = SpeakerWeights.read(bundle.folder, bundle.labels)
    weights.write(tmp_path)
    again = SpeakerWeights.read(tmp_path, bundle.labels)
    own = {"audio": np.random.default_rng(0).random(len(weights.normalisation.usual), np.float32)}
    np.testing.assert_array_equal(again.logits("emotion", own), weights.logits("emotion", own))
    file = tmp_path / SPEAKER_FILE
    whole = file.read_bytes()
    middle = len(whole) // 2
    for damaged in (b"", b"no archive", whole[:middle], whole[:middle] + b"\0\1\2\3" * 9 + whole[middle + 36 :]):
        file.write_bytes(damaged)
        with pytest.raises(BundleError, match=r"cannot be read .*Restore it from a copy") as refused:
            SpeakerWeights.read(tmp_path, bundle.labels)
        assert "\n" not in str(refused.value)
    file.write_bytes(whole)
    with pytest.raises(BundleError, match="does not have"):
        SpeakerWeights.read(tmp_path, Labels(action=("one", "two")))
    assert SpeakerWeights.read(tmp_path / "elsewhere", bundle.labels) is None


def test_a_later_format_is_refused_as_such(bundle, tmp_path):
    with np.load(bundle.folder / SPEAKER_FILE) as arrays:
        values = dict(arrays)
    about = json.loads(str(values["about"]))
    for changes, words in (({"format": 2}, "newer"), ({"windows_per_clip": 10**9}, "windows_per_clip")):
        np.savez(tmp_path / SPEAKER_FILE, **{**values, "about": np.array(json.dumps(about | changes))})
        with pytest.raises(BundleError, match=words):
            SpeakerWeights.read(tmp_path, bundle.labels)
    np.savez(tmp_path / SPEAKER_FILE, **{**values, "usual": np.full_like(values["usual"], np.nan)})
    with pytest.raises(BundleError, match="finite"):
        SpeakerWeights.read(tmp_path, bundle.labels)


def test_a_cross_validation_says_what_known_speakers_bring(voices, folder, cache):
    found = crossval(load_manifest(voices), SPEC, folder / "folds", SETTINGS, folds=3, cache=cache, progress=False)
    known, half = (found.speaker_known[name]["emotion"].mean for name in (BY_ALL, BY_OTHER_HALF))
    assert min(known, half) > found.uar.mean + 0.1
    values = found.to_dict()["speaker_known"]
    assert values[BY_ALL]["emotion"]["mean"] == known
    lines = [line for line in found.text().splitlines() if "speaker known" in line]
    assert len(lines) == 2 and f"{100 * known:.1f}" in lines[0]


def test_evaluate_adapts_to_the_speakers_of_a_column_and_says_so(bundle, voices, cache, monkeypatch, capsys):
    monkeypatch.setenv("VIDEO_UNDERSTANDING_CACHE", str(cache.folder))
    words = ["evaluate", str(bundle.folder), str(voices), "--with-seen", "--json"]
    found = {}
    for of in (None, "subject", "file", "folder"):
        assert main([*words, *([] if of is None else ["--speaker-of", of])]) == 0
        found[of] = json.loads(capsys.readouterr().out)
    uar = {of: values["heads"]["emotion"]["uar"] for of, values in found.items()}
    assert uar["subject"] > uar[None] + 0.1
    # All in one folder have the mean of all: nothing is taken out but that.
    assert uar["folder"] < uar["subject"] - 0.1
    assert "speaker_of" not in found[None] and found["subject"]["speaker_of"] == "subject"
    notes = found["subject"]["notes"]
    assert "Speakers are distinguished by subject." in notes
    assert "Adapted to 12 speakers by their own clips, without labels: 8 to 8 clips each, 96 in all." in notes
    assert main([*words, "--speaker-of", "singer"]) == 2
    assert "no column 'singer'" in capsys.readouterr().err
    assert main([*words, "--speaker-of", "subject", "--without", "audio"]) == 2


def test_predict_adapts_to_each_folder_and_answers_as_evaluate(bundle, voices, tmp_path, capsys):
    files = sorted(voices.parent.glob("s0[01]_*.wav"))
    for file in files:
        (tmp_path / file.name[:3]).mkdir(exist_ok=True)
        shutil.copy(file, tmp_path / file.name[:3])
    words = ["predict", str(bundle.folder), str(tmp_path), "--json"]
    assert main([*words, "--speaker-of", "folder"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert all(entry["notes"] == ["adapted to the speaker by 4 s of sound in 8 files"] for entry in entries)
    weights = SpeakerWeights.read(bundle.folder, bundle.labels)
    rows = tuple(row for row in load_manifest(voices).rows if row.subject in "01")
    prepared = ClipCache(tmp_path / "cache").prepare(rows, SPEC, progress=False)
    scorer = keras_scorer(bundle)
    speakers = speaker_numbers(rows)
    report = evaluate_known_speakers(scorer, weights, prepared, rows, speakers, Encoding(scorer, prepared))
    speakers[:3], unlabelled = -1, (dataclasses.replace(rows[0], labels={}), *rows[1:])
    partly = evaluate_known_speakers(scorer, weights, prepared, unlabelled, speakers, Encoding(scorer, prepared))
    assert "2 clips of unknown speakers scored without adaptation." in partly.notes
    answers = report.heads["emotion"].answers
    scores = {row.path.name: own for row, own in zip(answers.rows, answers.scores, strict=True)}
    for entry in entries:
        told = [entry["emotion"]["scores"][name] for name in answers.classes]
        np.testing.assert_allclose(told, scores[Path(entry["file"]).name], atol=1e-3)
    assert main(words) == 0
    assert all("notes" not in entry for entry in json.loads(capsys.readouterr().out))


def test_a_model_that_cannot_adapt_says_so_and_answers_as_without(bundle, voices, tmp_path, capsys):
    for file in bundle.folder.iterdir():
        if file.is_file() and file.name != SPEAKER_FILE:
            shutil.copy(file, tmp_path)
    words = ["predict", str(tmp_path), str(voices.parent / "s03_1.wav"), "--json"]
    assert main([*words, "--speaker-of", "file"]) == 0
    printed = capsys.readouterr()
    assert len(printed.err.splitlines()) == 1 and "cannot adapt to speakers" in printed.err
    assert main(words) == 0
    assert capsys.readouterr().out == printed.out


def test_a_long_file_is_pooled_in_parts_as_long_as_the_clips_learned_from(bundle, tmp_path):
    weights, scorer = SpeakerWeights.read(bundle.folder, bundle.labels), keras_scorer(bundle)
    samples = np.random.default_rng(0).normal(size=6 * 16000) * 0.05
    samples[2 * 16000 : 4 * 16000] = 0
    write_wave(tmp_path / "long.wav", samples)
    for windows, parts in ((1, 8), (2, 4), (4, 2)):  # of 0.5 s; the two seconds of silence are no part
        own = dataclasses.replace(weights, windows_per_clip=windows)
        sound = speaker_sound([tmp_path / "long.wav"], scorer, own)
        assert (len(sound.clips), sound.seconds) == (parts, 4.0)


def test_a_tflite_file_adapts_as_keras_does(bundle, voices):
    scorer, prepared = keras_scorer(bundle), ClipCache().prepare(load_manifest(voices).rows[:8], SPEC, progress=False)
    report = export_bundle(bundle, ["fp32"], from_prepared(prepared, np.arange(8)), {})
    assert not report.refused, report.text()
    weights = SpeakerWeights.read(bundle.folder, bundle.labels)
    files = [row.path for row in prepared.rows]
    found = []
    for own in (scorer, LiteRTScorer(bundle.folder / "model_fp32.tflite")):
        sound = speaker_sound(files, own, weights)
        assert sound.clips.shape[0] == 8 and sound.seconds == 4
        found.append(adapted(own, weights, sound)(from_prepared(prepared, np.arange(8)))["emotion"])
    np.testing.assert_allclose(found[0], found[1], atol=1e-3)
    assert np.abs(found[0] - scorer(from_prepared(prepared, np.arange(8)))["emotion"]).max() > 0.1


def test_personalise_folds_the_speaker_into_an_ordinary_model(bundle, voices, tmp_path, capsys):
    files = [str(file) for file in sorted(voices.parent.glob("s02_*.wav"))]
    assert main(["personalise", str(bundle.folder), *files, "--out", str(tmp_path / "own"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["files"], told["seconds"]) == (8, 4.0) and 0.3 < told["distance"] < 3
    made = Bundle.read(tmp_path / "own")
    weights = SpeakerWeights.read(bundle.folder, bundle.labels)
    prepared = ClipCache(tmp_path / "cache").prepare(load_manifest(voices).rows[16:24], SPEC, progress=False)
    inputs, plain = from_prepared(prepared, np.arange(8)), keras_scorer(bundle)
    expected = adapted(plain, weights, speaker_sound(files, plain, weights))(inputs)["emotion"]
    np.testing.assert_allclose(keras_scorer(made)(inputs)["emotion"], expected, atol=1e-4)
    assert SpeakerWeights.read(made.folder, made.labels) is None
    # Sets of modalities without second weights answer as before, though the statistics are standardised anew.
    chance = np.random.default_rng(0)
    tokens = {name: chance.random((2, *shape), np.float32) for name, shape in plain.token_shapes.items()}
    for presence in ((True, True), (True, False)):
        shown = np.array([presence] * 2)
        np.testing.assert_allclose(
            keras_scorer(made).fuse(tokens, shown)["emotion"], plain.fuse(tokens, shown)["emotion"], atol=1e-4
        )


def test_personalise_refuses_several_people_unless_they_are_meant(bundle, voices, tmp_path, capsys):
    files = [str(voices.parent / f"s{speaker:02}_1.wav") for speaker in (0, 3, 6, 9, 11)]
    words = ["personalise", str(bundle.folder), *files, "--out", str(tmp_path / "own")]
    assert main(words) == 2
    assert "plainly of several speakers" in capsys.readouterr().err
    assert not (tmp_path / "own").exists()
    assert main([*words, "--several"]) == 0
    assert "2 s of sound" in capsys.readouterr().out
