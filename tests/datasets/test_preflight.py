"""Every defect that spoils learning or measuring is found, at the right rows, and a clean data set is called clean."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from video_understanding.datasets.manifest import Manifest, Row, load_manifest
from video_understanding.datasets.preflight import PreflightReport, check_dataset
from video_understanding.datasets.preflight.scan import Facts, Scanned, scan_row
from video_understanding.datasets.preflight.shortcuts import find_shortcuts
from video_understanding.datasets.preflight.similarity import SAME_SOUND, PictureFingerprint, SoundFingerprint
from video_understanding.labels import Labels
from video_understanding.media.synthetic import Scene, damage, make_dataset, write_scene
from video_understanding.media.synthetic.tracks import PictureTrack, SoundTrack, write_tracks

RATE_HZ = 16_000
SIZE = {"width_px": 96, "height_px": 72}
TEST_PERSON = "person_3"


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    """24 clips of four people, two actions, two emotions."""
    folder = tmp_path_factory.mktemp("clean")
    make_dataset(
        folder,
        seed=5,
        clips=24,
        subjects=4,
        duration_s=1.6,
        actions=("bounce", "grow"),
        emotions=("angry", "sad"),
        **SIZE,
    )
    return folder


class DataSet:
    """A copy of the clean clips, to be spoiled; one person is the test."""

    def __init__(self, made: Path, folder: Path) -> None:
        shutil.copytree(made, folder)
        self.folder = folder
        with (folder / "clips.csv").open(newline="") as file:
            self.rows = list(csv.DictReader(file))
        for row in self.rows:
            row["split"] = "test" if row["subject"] == TEST_PERSON else "train"

    def of(self, split: str) -> dict[str, str]:
        return next(row for row in self.rows if row["split"] == split)

    def add(self, like: dict[str, str], path: str, **changed: str) -> str:
        self.rows.append({**like, "path": path, **changed})
        return path

    def check(self) -> PreflightReport:
        with (self.folder / "clips.csv").open("w", newline="") as file:
            table = csv.DictWriter(file, self.rows[0].keys())
            table.writeheader()
            table.writerows(self.rows)
        return check_dataset(load_manifest(self.folder), progress=False)

    def origin(self, path: str) -> str:
        return next(f"clips.csv:{line}" for line, row in enumerate(self.rows, 2) if row["path"] == path)


@pytest.fixture
def data(made, tmp_path) -> DataSet:
    return DataSet(made, tmp_path / "data")


def the(report: PreflightReport, kind: str):
    """The one finding of the report, which must be of this kind."""
    assert [finding.kind for finding in report.findings] == [kind], report.text()
    return report.findings[0]


def sound_of(path: Path) -> np.ndarray:
    """float32 [N], mono at 16 kHz."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("flt", "mono", RATE_HZ)
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def pictures_of(path: Path, height_px: int = 72, width_px: int = 96) -> tuple[list[np.ndarray], np.ndarray]:
    """uint8 [H,W,3] each, and when each is shown."""
    with av.open(str(path)) as container:
        frames = [
            (f.reformat(width_px, height_px).to_ndarray(format="rgb24"), f.time) for f in container.decode(video=0)
        ]
    return [pixels for pixels, _ in frames], np.array([time_s for _, time_s in frames])


def write_again(path: Path, picture_from: Path, sound: np.ndarray, codec: str = "aac", late_s: float = 0.0) -> Path:
    """A file with a picture encoded anew, at another size, and this sound."""
    pixels, times_s = pictures_of(picture_from, 60, 80)
    picture = PictureTrack(
        pixels, times_s, float(times_s[-1] + 0.08), 60, 80, None, options={"preset": "veryfast", "crf": "30"}
    )
    late = np.zeros(round(late_s * RATE_HZ), np.float32)
    blocks = [np.concatenate([late, sound])[:, None]]
    return write_tracks(path, picture, SoundTrack(blocks, RATE_HZ, 1, codec=codec, options={"b": "64k"}))


def test_a_clean_data_set_gives_no_findings(data):
    report = data.check()
    assert report.findings == ()
    assert report.text().endswith("Nothing was found that needs attention.")


def test_all_is_counted(data):
    report = data.check()
    grow = report.classes["action"]["grow"]
    assert (report.clips, grow.clips, grow.subjects, grow.splits) == (24, 12, 4, {"train": 9, "test": 3})
    assert report.splits == {"train": 18, "test": 6}
    assert report.subjects == {f"person_{number}": 6 for number in range(4)}
    assert report.modalities == {"picture": 24, "sound": 24, "silent": 0, "unreadable": 0}
    assert report.hours == pytest.approx(24 * 1.6 / 3600, rel=0.1)


def test_unreadable_clips_are_told_with_cause_and_cure(data):
    paths = [row["path"] for row in data.rows if row["split"] == "train"][:4]
    for path, kind in zip(paths, ("zero_bytes", "truncated", "not_media"), strict=False):
        damage(data.folder / path, kind, 1, data.folder / "spoiled.mp4").replace(data.folder / path)
    (data.folder / paths[3]).unlink()
    finding = the(data.check(), "unreadable")
    assert finding.severity == "problem"
    assert [row.origin for row in finding.rows] == [data.origin(path) for path in paths]
    for row, told in zip(finding.rows, ("empty", "cut off", "text", "does not exist"), strict=True):
        assert told in row.remark
    assert "4 of 24" in finding.message


def test_a_clip_that_is_cut_off_is_a_warning_with_its_notes(data):
    path = data.of("train")["path"]
    damage(data.folder / path, "cut_short", 1, data.folder / "cut.mp4").replace(data.folder / path)
    finding = the(data.check(), "damaged")
    assert (finding.severity, [row.origin for row in finding.rows]) == ("warning", [data.origin(path)])
    assert "cut off" in finding.rows[0].remark


def test_silent_tracks_are_counted_by_class(data):
    row = data.of("train")
    damage(data.folder / row["path"], "silent_sound", 1, data.folder / "silent.mp4").replace(data.folder / row["path"])
    finding = the(data.check(), "silent")
    assert [row.origin for row in finding.rows] == [data.origin(row["path"])]
    assert "1 of 24" in finding.message and f"{row['action']} 1 of 12" in finding.message


def test_sound_that_begins_late_is_not_called_silent(tmp_path):
    sound = np.zeros((12 * RATE_HZ, 1), np.float32)
    sound[11 * RATE_HZ :] = 0.1 * np.sin(np.arange(RATE_HZ) / 5)[:, None]
    late = write_tracks(tmp_path / "late.mp4", None, SoundTrack([sound], RATE_HZ, 1))
    assert not scan_row(Row(late)).silent
    assert scan_row(Row(late, end_s=9.0)).silent


def test_a_copy_under_another_name_is_found_where_it_is_tested_on(data):
    row = data.of("train")
    copy = data.add(row, "media/other_name.mp4", subject=TEST_PERSON, split="test")
    shutil.copy(data.folder / row["path"], data.folder / copy)
    finding = the(data.check(), "same_file")
    assert finding.severity == "problem" and "several splits" in finding.message
    assert {row.origin for row in finding.rows} == {data.origin(row["path"]), data.origin(copy)}


def test_a_copy_of_the_same_subject_is_only_a_warning(data):
    row = data.of("train")
    copy = data.add(row, "media/other_name.mp4")
    shutil.copy(data.folder / row["path"], data.folder / copy)
    assert the(data.check(), "same_file").severity == "warning"


def test_a_copy_with_another_label_is_a_problem(data):
    row = data.of("train")
    other = next(name for name in ("bounce", "grow") if name != row["action"])
    copy = data.add(row, "media/other_name.mp4", action=other)
    shutil.copy(data.folder / row["path"], data.folder / copy)
    finding = the(data.check(), "same_file")
    assert finding.severity == "problem" and "different action labels" in finding.message


@pytest.mark.parametrize("split_of_the_copy", ["", "train"])
def test_where_the_split_is_still_to_be_made_copies_of_two_subjects_are_a_problem(data, split_of_the_copy):
    row = data.of("train")
    copy = data.add(row, "media/other_name.mp4", subject="someone_else")
    shutil.copy(data.folder / row["path"], data.folder / copy)
    for other in data.rows:
        other["split"] = split_of_the_copy if other["path"] == copy else ""
    (finding,) = data.check().found("same_file")
    assert finding.severity == "problem" and "several subjects" in finding.message


@pytest.mark.parametrize("codec", ["aac", "libmp3lame"])
def test_one_sound_under_two_pictures_is_found_after_encoding_it_anew(data, codec):
    heard, seen = data.of("train"), data.of("test")
    dubbed = data.add(seen, "media/dubbed.mp4")
    sound = 0.4 * sound_of(data.folder / heard["path"])
    write_again(data.folder / dubbed, data.folder / seen["path"], sound, codec, late_s=0.025)
    report = data.check()
    assert [finding.kind for finding in report.problems] == ["same_sound"]
    sounds, pictures = report.found("same_sound")[0], report.found("same_picture")[0]
    assert {row.origin for row in sounds.rows} == {data.origin(heard["path"]), data.origin(dubbed)}
    assert {row.origin for row in pictures.rows} == {data.origin(seen["path"]), data.origin(dubbed)}
    assert pictures.severity == "warning"  # of one person, and both in the test


def test_one_picture_under_two_sounds_is_found_after_encoding_it_anew(data):
    seen, heard = data.of("train"), data.of("test")
    new = write_scene(data.folder / "new.mp4", Scene("wave", "happy", seed=77), duration_s=1.6, **SIZE)
    dubbed = data.add(heard, "media/dubbed.mp4")
    write_again(data.folder / dubbed, data.folder / seen["path"], sound_of(new))
    finding = the(data.check(), "same_picture")
    assert finding.severity == "problem"
    assert {row.origin for row in finding.rows} == {data.origin(seen["path"]), data.origin(dubbed)}


def test_a_clip_that_is_encoded_anew_is_told_once_and_with_its_copies_as_one_group(data):
    row = data.of("train")
    again, same = data.add(row, "media/again.mp4", split="test", subject=TEST_PERSON), data.add(row, "media/same.mp4")
    write_again(data.folder / again, data.folder / row["path"], sound_of(data.folder / row["path"]))
    shutil.copy(data.folder / row["path"], data.folder / same)
    report = data.check()
    assert [(finding.kind, len(finding.rows)) for finding in report.findings] == [("same_sound", 3), ("same_file", 2)]
    assert "1 group" in report.findings[0].message


def test_a_recording_cut_a_little_later_is_still_the_same(tmp_path):
    scene = write_scene(tmp_path / "whole.mp4", Scene("bounce", "angry", seed=3), duration_s=3.0, **SIZE)
    whole, later = (scan_row(Row(scene, start_s=start_s)) for start_s in (0.0, 0.3))
    assert whole.sound.similarity(later.sound) >= SAME_SOUND
    assert whole.picture.is_similar(scan_row(Row(scene, start_s=0.25)).picture)


def test_two_clips_of_one_fixed_camera_are_not_the_same_picture():
    rng = np.random.default_rng(1)
    place = rng.integers(0, 255, (32, 32, 3))

    def clip(rng: np.random.Generator) -> PictureFingerprint:
        frames = np.repeat(place[None], 12, axis=0)  # [T,H,W,3]
        for frame in frames:
            top, left = rng.integers(0, 24, 2)
            frame[top : top + 8, left : left + 8] = 250
        return PictureFingerprint.of(frames.astype(np.uint8), np.ones(12, bool))

    one, other = clip(rng), clip(rng)
    assert one.is_similar(one) and not one.is_similar(other)
    noise = np.clip(place[None] + rng.normal(0, 1, (12, 32, 32, 3)), 0, 255).astype(np.uint8)
    assert PictureFingerprint.of(noise, np.ones(12, bool)) is None  # nothing moves: it cannot be told


def test_too_little_sound_is_not_compared():
    click = np.zeros(8_000, np.float32)
    click[4_000:4_080] = 1.0
    assert SoundFingerprint.of(click, 8_000) is None
    assert SoundFingerprint.of(click[:100], 8_000) is None
    assert SoundFingerprint.of(np.zeros(8_000, np.float32), 8_000) is None


def test_spans_of_one_file_are_different_clips(tmp_path):
    for number, seed in enumerate((1, 2)):
        scene = Scene("bounce", "angry", number, seed=seed)
        write_scene(tmp_path / f"long_{number}.mp4", scene, duration_s=6.0, **SIZE)
    sizes = [(tmp_path / f"long_{n}.mp4").stat().st_size for n in range(2)]
    smaller = int(np.argmin(sizes))
    with (tmp_path / f"long_{smaller}.mp4").open("ab") as file:  # of equal size, so that their bytes are compared
        file.write((gap := max(sizes) - min(sizes)).to_bytes(4, "big") + b"free" + bytes(gap - 8))
    lines = [f"long_{n}.mp4,{'bounce' if s else 'grow'},p{n},{s},{s + 2}" for n in range(2) for s in (0, 2, 4)]
    table = tmp_path / "clips.csv"
    table.write_text("\n".join(["path,action,subject,start,end", *lines]))
    report = check_dataset(load_manifest(table), progress=False)
    assert not [finding for finding in report.findings if finding.kind.startswith("same")], report.text()
    assert report.hours == pytest.approx(12 / 3600)


@pytest.mark.parametrize("column", ["split", "fold"])
def test_a_subject_in_two_parts_is_a_leak(data, column):
    for row in data.rows:
        row["fold"] = "2" if row["split"] == "test" else "1"
    moved = next(row for row in data.rows if row["subject"] == "person_1")
    moved[column] = {"split": "test", "fold": "2"}[column]
    finding = the(data.check(), f"leak_{column}")
    assert finding.severity == "problem"
    assert "person_1 (train: 5, test: 1)" in finding.message or "person_1 (1: 5, 2: 1)" in finding.message
    own = {data.origin(row["path"]) for row in data.rows if row["subject"] == "person_1"}
    assert {row.origin for row in finding.rows} == own


def test_rare_and_missing_classes_are_told(data):
    kept = [row for row in data.rows if row["action"] == "bounce"]
    grow = [row for row in data.rows if row["action"] == "grow" and row["subject"] == "person_0"][:1]
    data.rows = kept + grow
    report = data.check()
    assert {finding.kind for finding in report.warnings} == {"imbalance", "rare_class", "absent_class"}
    assert "bounce has 12 times as many clips as grow (12 and 1)" in report.found("imbalance")[0].message
    assert "grow (1 clips of 1 subjects)" in report.found("rare_class")[0].message
    assert "test has no grow" in report.found("absent_class")[0].message


def test_a_class_that_train_lacks_is_a_problem(data):
    for row in data.rows:
        row["split"] = "train" if row["subject"] == TEST_PERSON else "test"
    data.rows = [row for row in data.rows if row["split"] == "test" or row["action"] == "grow"]
    problems = {finding.kind for finding in data.check().problems}
    assert problems == {"absent_class", "no_split"}  # one subject is left to learn from, and none to validate on


def test_clips_without_a_subject_are_told(data):
    nameless = [row for row in data.rows if row["split"] == "train"][:2]
    for row in nameless:
        row["subject"] = ""
    finding = the(data.check(), "no_subject")
    assert [row.origin for row in finding.rows] == [data.origin(row["path"]) for row in nameless]


def test_sound_that_only_one_class_has_is_a_problem_and_told_with_numbers(data):
    for row in data.rows:
        if row["action"] == "grow":
            damage(data.folder / row["path"], "missing_sound", 1, data.folder / "mute.mp4").replace(
                data.folder / row["path"]
            )
    report = data.check()
    finding = the(report, "shortcut_sound")
    assert finding.severity == "problem"
    assert (report.modalities["sound"], report.modalities["silent"]) == (12, 0)
    told = "grow" if "without a sound track" in finding.message else "bounce"
    assert "of 12 clips with" in finding.message and f"12 are {told}" in finding.message
    assert {row.path for row in finding.rows} == {row["path"] for row in data.rows if row["action"] == told}


FACTS = Facts("mp4", "h264", "aac", (320, 240), 25.0, 2.0)


def scans(count: int, of: dict[str, dict], clips_each: int = 2, root: str = "/data/one") -> list[Scanned]:
    """Clips of `count` subjects who by turns do each thing of `of`, with what is technically special about it."""
    made = []
    for subject in range(count):
        action = list(of)[subject % len(of)]
        special = dict(of[action])
        silent = special.pop("silent", False)
        made += [
            Scanned(
                Row(Path(f"{root}/{subject}_{take}.mp4"), {"action": action}, subject=f"s{subject}", root=Path(root)),
                facts=replace(FACTS, **special),
                silent=silent,
            )
            for take in range(clips_each)
        ]
    return made


@pytest.mark.parametrize(
    ("special", "kind", "severity"),
    [
        ({"sound_codec": None}, "shortcut_sound", "problem"),
        ({"picture_codec": None, "size_px": None, "frames_hz": None}, "shortcut_picture", "problem"),
        ({"silent": True}, "shortcut_silence", "problem"),
        ({"size_px": (640, 480)}, "shortcut_size", "warning"),
        ({"frames_hz": 30.0}, "shortcut_frame_rate", "warning"),
        ({"container": "avi"}, "shortcut_format", "warning"),
        ({"sound_codec": "mp3"}, "shortcut_sound_format", "warning"),
        ({"duration_s": 4.0}, "shortcut_duration", "warning"),
    ],
)
def test_each_technical_shortcut_is_told(special, kind, severity):
    found = list(find_shortcuts(scans(12, {"run": {}, "sit": special})))
    assert [(finding.kind, finding.severity) for finding in found] == [(kind, severity)]
    assert "12 are " in found[0].message and "50 %" in found[0].message


def test_what_one_subject_does_often_is_no_shortcut_where_others_contradict():
    made = scans(12, {"run": {}, "sit": {}}, clips_each=40)
    sizes = {"s0": (640, 480), "s1": (640, 480), "s3": (640, 480)}
    alike = [replace(scan, facts=replace(FACTS, size_px=sizes.get(scan.row.subject, FACTS.size_px))) for scan in made]
    few = [scan for scan in alike if scan.row.subject not in ("s1", "s3") or scan.row.path.stem.endswith("_0")]
    assert list(find_shortcuts(few)) == []


def test_two_subjects_alone_prove_no_shortcut():
    made = scans(12, {"run": {}, "sit": {}}, clips_each=12)
    mute = [
        replace(scan, facts=replace(FACTS, sound_codec=None)) if scan.row.subject in ("s1", "s3") else scan
        for scan in made
    ]
    assert list(find_shortcuts(mute)) == []


def test_chance_is_rarely_taken_for_a_shortcut():
    made = scans(60, {"run": {}, "sit": {}}, clips_each=1)
    alarms = 0
    for seed in range(100):
        codecs = np.random.default_rng(seed).choice(["aac", "ac3", "flac", "mp3", "opus"], len(made))
        random = [
            replace(scan, facts=replace(FACTS, sound_codec=codec)) for scan, codec in zip(made, codecs, strict=True)
        ]
        alarms += len(list(find_shortcuts(random)))
    assert alarms <= 4


def test_where_the_source_explains_the_label_only_the_source_is_told():
    one = scans(12, {"run": {}, "sit": {}}, root="/data/one")
    two = scans(12, {"swim": {}, "dive": {}}, root="/data/two")
    two = [replace(scan, facts=replace(FACTS, sound_codec=None, frames_hz=30.0)) for scan in two]
    (finding,) = find_shortcuts([*one, *two])
    assert (finding.kind, finding.severity) == ("shortcut_source", "warning")
    assert "4 of 4 classes come from one source only" in finding.message
    assert "presence of a sound track" in finding.message and "frame rate" in finding.message


def test_a_shortcut_inside_one_of_several_sources_is_still_told():
    one = scans(12, {"run": {}, "sit": {"sound_codec": None}}, root="/data/one")
    two = scans(12, {"swim": {}, "dive": {}}, root="/data/two")
    assert {finding.kind for finding in find_shortcuts([*one, *two])} == {"shortcut_sound", "shortcut_source"}


def test_notes_of_the_manifest_are_warnings(data):
    data.check()
    manifest = replace(load_manifest(data.folder), notes=("One line was odd.",))
    finding = the(check_dataset(manifest, progress=False), "note")
    assert (finding.severity, finding.message) == ("warning", "One line was odd.")


def test_the_report_fits_a_terminal_and_shortens_long_lists(data):
    for row in data.rows[:12]:
        (data.folder / row["path"]).write_bytes(b"")
    text = data.check().text()
    assert max(map(len, text.splitlines())) <= 96
    assert "and 4 more" in text and data.origin(data.rows[0]["path"]) in text
    assert data.origin(data.rows[11]["path"]) not in text


def test_many_classes_and_folds_fit_too():
    rows = [
        Row(
            Path(f"/data/{n}.mp4"),
            {"action": f"a rather long name of class {n}"},
            subject=f"s{n}",
            fold=n % 12,
            origin=f"list:{n}",
        )
        for n in range(40)
    ]
    report = check_dataset(Manifest(rows, Labels.found_in(row.labels for row in rows)), progress=False)
    text = report.text()
    assert max(map(len, text.splitlines())) <= 96
    assert "10 more classes" in text and "more columns" in text


def test_the_report_is_plain_values_for_json(data):
    (data.folder / data.of("test")["path"]).write_bytes(b"")
    report = json.loads(json.dumps(data.check().to_dict()))
    assert (report["problems"], report["warnings"], report["clips"]) == (1, 0, 24)
    assert report["findings"][0]["rows"][0]["origin"] == data.origin(data.of("test")["path"])
    assert report["classes"]["emotion"]["sad"]["splits"]["test"] == 3


def test_the_outcome_does_not_depend_on_the_number_of_workers(data):
    row = data.of("train")
    shutil.copy(data.folder / row["path"], data.folder / data.add(row, "media/copy.mp4"))
    data.check()
    manifest = load_manifest(data.folder)
    one, many = (check_dataset(manifest, workers=workers, progress=False) for workers in (1, 4))
    assert one.to_dict() == many.to_dict()


@pytest.mark.shared_data
def test_real_clips_whose_missing_sound_gives_the_label_away(shared_data):
    report = check_dataset(load_manifest(shared_data / "action_fight"), progress=False)
    assert [finding.kind for finding in report.problems] == ["shortcut_sound"]
    assert "of 31 clips without a sound track" in report.problems[0].message
    assert "26 are no_fight" in report.problems[0].message
    assert "77 of 189" in report.found("silent")[0].message


@pytest.mark.shared_data
def test_a_play_that_a_public_set_holds_twice_in_two_folds_is_found(shared_data):
    manifest = load_manifest(shared_data / "action_ucf_av3")
    dunks = [row for row in manifest if row.labels.get("action") == "basketball_dunk"]
    (finding,) = check_dataset(manifest.with_rows(dunks), progress=False).found("same_sound")
    assert finding.severity == "problem"
    assert [Path(row.path).stem for row in finding.rows] == ["v_BasketballDunk_g01_c02", "v_BasketballDunk_g10_c02"]


@pytest.mark.shared_data
def test_takes_of_one_actor_saying_the_same_are_not_the_same_sound(shared_data):
    manifest = load_manifest(shared_data / "speech_ravdess")
    actors = [row for row in manifest if row.subject in ("A02", "A07", "A23")]
    report = check_dataset(manifest.with_rows(actors), progress=False)
    assert report.found("same_sound") == ()
    (copies,) = report.found("same_file")  # and of one take there are indeed two
    assert [Path(row.path).stem for row in copies.rows] == ["03-01-03-01-02-01-07", "03-01-03-01-02-02-07"]
