"""The synthetic clips are as specified: times, numbers, labels and damage are measured with plain PyAV."""

from __future__ import annotations

import csv
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest

from video_understanding.errors import ClipError, ManifestError, MediaError
from video_understanding.media.synthetic import (
    ACTIONS,
    DAMAGES,
    EMOTIONS,
    Halves,
    Scene,
    TwoCues,
    burst_onsets_s,
    damage,
    make_dataset,
    read_barcode,
    write_calibration_clip,
    write_scene,
    write_timeline,
)
from video_understanding.media.synthetic.barcode import draw_barcode
from video_understanding.media.synthetic.effects import action_sound
from video_understanding.media.synthetic.figure import BELL, Look
from video_understanding.media.synthetic.halves import HALVES_OF_ACTION, HALVES_OF_EMOTION

os.environ.setdefault("SVT_LOG", "1")  # AV1's encoder is talkative otherwise
RATE_HZ = 16_000


@dataclass
class Decoded:
    """What an ordinary player would show, on a clock that begins with the file."""

    pictures: list[np.ndarray] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    sound: np.ndarray = field(default_factory=lambda: np.empty(0))
    sound_start_s: float = np.nan
    rate_hz: int = 0
    errors: int = 0

    @property
    def numbers(self) -> list[int | None]:
        return [read_barcode(picture) for picture in self.pictures]

    @property
    def onsets_s(self) -> np.ndarray:
        return self.sound_start_s + burst_onsets_s(self.sound, self.rate_hz)

    @property
    def sound_end_s(self) -> float:
        return self.sound_start_s + len(self.sound) / self.rate_hz


def decode(path: Path) -> Decoded:
    import av

    found, blocks = Decoded(), []
    with av.open(str(path)) as container:
        # MPEG-TS clocks begin anywhere; in the others the delay of a stream counts from zero.
        zero_s = container.start_time / av.time_base if container.format.name == "mpegts" else 0.0
        for packet in container.demux():
            try:
                frames = packet.decode()
            except av.FFmpegError:
                found.errors += 1
                continue
            for frame in frames:
                time_s = float(frame.pts * frame.time_base) - zero_s
                if isinstance(frame, av.VideoFrame):
                    found.pictures.append(frame.to_ndarray(format="rgb24"))
                    found.times_s.append(time_s)
                    continue
                samples = frame.to_ndarray()  # [C,n], or interleaved [1,n*C]
                if not frame.format.is_planar:
                    samples = samples.reshape(-1, frame.layout.nb_channels).T
                if samples.dtype.kind == "i":
                    samples = samples / np.iinfo(samples.dtype).max
                if not blocks:
                    found.sound_start_s, found.rate_hz = time_s, frame.sample_rate
                blocks.append(samples.mean(axis=0))
    if blocks:
        found.sound = np.concatenate(blocks)
    return found


# --- the measuring clip ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(48, 27), (48, 36), (64, 64), (90, 160), (320, 240)])
def test_a_barcode_is_read_at_any_size(size):
    rng = np.random.default_rng(0)
    for number in [0, 1, 255, 256, 65_535, *rng.integers(0, 65_536, 40).tolist()]:
        picture = rng.integers(60, 200, (240, 320, 3), dtype=np.uint8)
        draw_barcode(picture, number)
        assert read_barcode(cv2.resize(picture, size, interpolation=cv2.INTER_AREA)) == number


def test_no_number_is_read_where_there_is_none():
    rng = np.random.default_rng(0)
    plain = [np.full((60, 80, 3), grey, np.uint8) for grey in (0, 128, 255)]
    coarse = [cv2.resize(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), (80, 60)) for _ in range(200)]
    acted = list(Scene("bounce", "happy").frames([0.0, 0.3], height_px=120, width_px=160))
    assert [read_barcode(picture) for picture in plain + coarse + acted] == [None] * 205


@pytest.mark.parametrize(
    ("name", "codec", "options", "sound_codec"),
    [
        ("a.mp4", "libx264", {"bf": "3", "g": "12"}, "aac"),
        ("a.mkv", "libx265", {"preset": "ultrafast", "x265-params": "log-level=none"}, "libopus"),
        ("b.mkv", "mpeg2video", {"bf": "2"}, "libmp3lame"),
        ("a.webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}, "libopus"),
        ("b.mp4", "libsvtav1", {"preset": "8"}, "aac"),
        ("a.mov", "libx264", {"preset": "ultrafast"}, "pcm_s16le"),
        ("a.ts", "libx264", {"bf": "2"}, "aac"),
        ("b.ts", "mpeg2video", {}, "libmp3lame"),
        ("a.avi", "mpeg4", {}, "libmp3lame"),
    ],
)
def test_numbers_and_bursts_survive_every_codec_and_container(tmp_path, name, codec, options, sound_codec):
    bursts_s = (0.25, 0.8)
    path = write_calibration_clip(
        tmp_path / name,
        duration_s=1.2,
        width_px=160,
        height_px=120,
        codec=codec,
        codec_options=options,
        sound_codec=sound_codec,
        burst_times_s=bursts_s,
    )
    found = decode(path)
    assert found.numbers == list(range(30))
    np.testing.assert_allclose(found.times_s, np.arange(30) / 25, atol=1e-3)
    np.testing.assert_allclose(found.onsets_s, bursts_s, atol=5e-4)


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".ts"])
@pytest.mark.parametrize(("picture_start_s", "sound_start_s"), [(0.3, 0.0), (0.0, 0.37)])
def test_each_stream_starts_at_its_given_time(tmp_path, ending, picture_start_s, sound_start_s):
    path = write_calibration_clip(
        tmp_path / f"late{ending}",
        duration_s=1.5,
        width_px=160,
        height_px=120,
        picture_start_s=picture_start_s,
        sound_start_s=sound_start_s,
        burst_times_s=(0.6, 1.1),
    )
    found = decode(path)
    assert found.numbers == list(range(len(found.pictures)))
    np.testing.assert_allclose(found.times_s, picture_start_s + np.arange(len(found.times_s)) / 25, atol=1e-3)
    assert found.times_s[-1] + 1 / 25 >= 1.5 - 1e-3
    assert found.sound_start_s == pytest.approx(sound_start_s, abs=1e-3)
    np.testing.assert_allclose(found.onsets_s, (0.6, 1.1), atol=5e-4)


def test_streams_end_at_their_given_time(tmp_path):
    options = {"duration_s": 1.5, "width_px": 160, "height_px": 120, "picture_end_s": 0.8, "sound_end_s": 1.0}
    found = decode(write_calibration_clip(tmp_path / "short.mkv", **options))
    assert len(found.pictures) == 20
    assert found.sound_end_s == pytest.approx(1.0, abs=0.025)  # AAC comes in whole packets of 21 ms


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_uneven_frame_times_are_kept(tmp_path, ending):
    times_s = np.cumsum(np.random.default_rng(3).uniform(0.01, 0.15, 20))
    path = tmp_path / f"uneven{ending}"
    write_calibration_clip(path, duration_s=2.0, frame_times_s=times_s, width_px=160, height_px=120)
    found = decode(path)
    assert found.numbers == list(range(20))
    np.testing.assert_allclose(found.times_s, times_s, atol=6e-4)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
def test_bursts_are_found_in_soft_and_noisy_sound_of_any_rate(tmp_path, rate_hz):
    path = tmp_path / "bursts.mov"
    write_calibration_clip(
        path,
        duration_s=1.0,
        burst_times_s=(0.2, 0.7),
        sample_rate_hz=rate_hz,
        with_picture=False,
        sound_codec="pcm_s16le",
    )
    found = decode(path)
    assert not found.pictures
    noise = np.random.default_rng(0).normal(0, 0.01, len(found.sound))
    np.testing.assert_allclose(burst_onsets_s(0.3 * found.sound + noise, rate_hz), (0.2, 0.7), atol=5e-4)
    assert len(burst_onsets_s(noise, rate_hz)) == 0


def test_what_cannot_be_written_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(MediaError, match="AVI supports no late start"):
        write_calibration_clip(tmp_path / "a.avi", codec="mpeg4", sound_codec="libmp3lame", sound_start_s=0.2)
    with pytest.raises(MediaError, match="not a known file extension"):
        write_calibration_clip(tmp_path / "a.xyz")
    with pytest.raises(MediaError, match="neither picture nor sound"):
        write_calibration_clip(tmp_path / "a.mp4", with_picture=False, with_sound=False)
    with pytest.raises(MediaError, match="codecs that this container can hold"):
        write_calibration_clip(tmp_path / "a.webm", codec="libx264", duration_s=0.5)
    assert not list(tmp_path.iterdir())


def test_an_interrupt_leaves_no_half_file(tmp_path):
    class Interrupted(Scene):
        def frames(self, times_s, **size):
            yield next(super().frames(times_s, **size))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_scene(tmp_path / "clip.mp4", Interrupted("spin", "happy"))
    assert not list(tmp_path.iterdir())


# --- scenes ---------------------------------------------------------------------------------------------------------


def drawn(scene: Scene | TwoCues, times_s: np.ndarray) -> np.ndarray:
    """uint8 [T,H,W,3]"""
    return np.stack(list(scene.frames(times_s, height_px=120, width_px=160)))


def patch_of(frames: np.ndarray, colour: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Middle (x, y) and area of what has this colour in each frame, all float [T], in pixels."""
    near = (np.abs(frames.astype(int) - colour) < 6).all(axis=-1)  # [T,H,W]
    area = near.sum(axis=(1, 2))
    x = (near * np.arange(near.shape[2])).sum(axis=(1, 2)) / np.maximum(area, 1)
    y = (near * np.arange(near.shape[1])[:, None]).sum(axis=(1, 2)) / np.maximum(area, 1)
    return x, y, area


def test_a_scene_is_the_same_for_the_same_seed_and_another_for_another():
    times_s = np.array([0.2, 0.9])
    scene, same, other = (Scene("wave", "sad", 2, 0.4, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(drawn(scene, times_s), drawn(same, times_s))
    np.testing.assert_array_equal(scene.waveform(1.0, RATE_HZ), same.waveform(1.0, RATE_HZ))
    assert (drawn(scene, times_s) != drawn(other, times_s)).mean() > 0.3
    assert np.abs(scene.waveform(1.0, RATE_HZ) - other.waveform(1.0, RATE_HZ)).max() > 0.05
    assert drawn(scene, times_s[1:])[0].tolist() == drawn(scene, times_s)[1].tolist()  # a time has one picture


@pytest.mark.parametrize(
    "wrong", [{"action": "fly"}, {"emotion": "bored"}, {"difficulty": 1.5}, {"subject": -1}, {"seed": -1}]
)
def test_a_scene_with_invalid_values_is_refused(wrong):
    with pytest.raises(ClipError, match=next(iter(wrong))):
        Scene(**{"action": "spin", "emotion": "happy", **wrong})


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_action_moves_in_its_own_way(seed):
    times_s = np.arange(0, 2, 0.02)
    course = {}
    for action in ACTIONS:
        frames = drawn(Scene(action, "neutral", subject=4, seed=seed), times_s)
        x, y, area = patch_of(frames, Look.of(4).skin)
        crossings = int((np.diff(np.sign(x - x.mean())) != 0).sum())
        course[action] = (np.ptp(x), np.ptp(y), area.max() / area.min(), crossings)
        if action == "wave":
            bell_x, bell_y, _ = patch_of(frames, BELL)
            assert np.ptp(bell_x) > 12
            assert np.ptp(bell_y) > 5
        if action == "spin":  # a face upside down and upright within one turn: light eyes go below the middle
            eyes_y = patch_of(frames, (252, 252, 250))[1]
            assert np.ptp(eyes_y) > 8
    assert course["bounce"][1] > 25
    assert course["bounce"][0] < 4
    assert course["slide"][0] > 50
    assert course["slide"][1] < 6
    assert course["shake"][3] >= 18  # twice in each of its 0.14 to 0.20 s
    assert 6 < course["shake"][0] < 25
    assert course["slide"][3] <= 4
    assert course["grow"][2] > 2
    for still in ("spin", "wave"):
        assert max(course[still][:2]) < 8  # a turning face moves the middle of the skin a little


def test_the_thud_coincides_with_the_figure_on_the_ground():
    scene = Scene("bounce", "neutral", seed=4)
    times_s = np.arange(0, 2, 0.01)
    height = -patch_of(drawn(scene, times_s), Look.of(0).skin)[1]  # [T]
    grounded_s = times_s[1:-1][(height[1:-1] <= height[:-2]) & (height[1:-1] < height[2:])]
    sound = action_sound(scene.motion, 2.0, RATE_HZ, np.random.default_rng(0))
    loud = np.flatnonzero(np.abs(sound) > 0.6)
    thuds_s = loud[np.diff(loud, prepend=-RATE_HZ) > 0.2 * RATE_HZ] / RATE_HZ
    assert len(thuds_s) >= 2
    for thud_s in thuds_s:
        assert np.abs(grounded_s - thud_s).min() < 0.03


def test_every_emotion_has_a_face_of_its_own_at_every_difficulty_but_the_scene_stays():
    for difficulty in (0.0, 0.5, 1.0):
        pictures = [drawn(Scene("slide", emotion, 1, difficulty, 9), np.zeros(1))[0] for emotion in EMOTIONS]
        for place, picture in enumerate(pictures):
            for other in pictures[:place]:
                changed = (np.abs(picture.astype(int) - other).max(axis=-1) > 30).sum()
                assert 25 < changed < 2_500  # the face, and nothing but the face


def pitch_track_hz(sound: np.ndarray) -> np.ndarray:
    """float [K]: the pitch of each loud, voiced stretch of 50 ms."""
    found = []
    for begin in range(0, len(sound) - 800, 400):
        part = sound[begin : begin + 800] * np.hanning(800)
        if part.std() < 0.02:
            continue
        alike = np.correlate(part, part, "full")[799:] / (part @ part)
        lag = 25 + int(np.argmax(alike[25:260]))
        if alike[lag] > 0.5:
            found.append(RATE_HZ / lag)
    return np.array(found)


@pytest.mark.parametrize("subject", [0, 1, 5])
def test_voices_carry_the_emotion_in_pitch_and_loudness(subject):
    voices = {emotion: Scene("spin", emotion, subject, seed=8).utterance for emotion in EMOTIONS}
    sounds = {emotion: voice.waveform(4.0, RATE_HZ) for emotion, voice in voices.items()}
    pitch_hz = {emotion: pitch_track_hz(sound) for emotion, sound in sounds.items()}
    middle_hz = {emotion: float(np.median(track)) for emotion, track in pitch_hz.items()}
    assert middle_hz["neutral"] == pytest.approx(Look.of(subject).speaker_hz, rel=0.05)
    assert middle_hz["sad"] < 0.92 * middle_hz["neutral"]
    assert middle_hz["fearful"] > 1.5 * middle_hz["neutral"]
    assert middle_hz["happy"] > 1.15 * middle_hz["neutral"]
    spread = {emotion: float(track.std() / track.mean()) for emotion, track in pitch_hz.items()}
    assert spread["surprised"] > 3 * spread["neutral"]
    assert sounds["angry"].std() > 1.4 * sounds["sad"].std()


def test_the_mouth_opens_with_the_voice():
    scene = Scene("grow", "happy", seed=2)
    times_s = np.arange(0, 2, 0.02) + 0.01
    loudness = scene.utterance.loudness(times_s)
    voice = scene.utterance.waveform(2.0, RATE_HZ)
    level = np.sqrt((voice.reshape(100, -1) ** 2).mean(axis=1))  # [100]
    assert np.corrcoef(loudness, level)[0, 1] > 0.85
    still = Scene("wave", "surprised", seed=2)
    red = patch_of(drawn(still, times_s), (140, 34, 48))[2]
    assert np.corrcoef(still.utterance.loudness(times_s), red)[0, 1] > 0.85


# --- scenes that need both modalities -------------------------------------------------------------------------------


def test_the_picture_is_independent_of_the_tone_and_the_sound_of_the_sign():
    times_s = np.array([0.1, 0.4])
    for cue in range(3):
        pictures = [drawn(TwoCues(cue, tone, 3, seed=4, difficulty=0.5), times_s) for tone in range(3)]
        sounds = [TwoCues(sign, cue, 3, seed=4, difficulty=0.5).waveform(1.0, RATE_HZ) for sign in range(3)]
        for other in (1, 2):
            np.testing.assert_array_equal(pictures[0], pictures[other])
            np.testing.assert_array_equal(sounds[0], sounds[other])
    shown = [drawn(TwoCues(cue, 0, 4, seed=4), times_s) for cue in range(4)]
    assert min((shown[a] != shown[b]).mean() for a in range(4) for b in range(a)) > 0.01


def test_the_audible_cue_is_the_pitch():
    def loudest_hz(tone: int, seed: int) -> float:
        sound = TwoCues(0, tone, 4, seed=seed, difficulty=0.5).waveform(2.0, RATE_HZ)
        return float(np.argmax(np.abs(np.fft.rfft(sound))) / 2.0)

    for seed in range(5):
        for tone, plain_hz in enumerate((330, 660, 1_320, 2_640)):
            assert loudest_hz(tone, seed) == pytest.approx(plain_hz, rel=0.1)


@pytest.mark.parametrize("classes", [2, 3])
def test_one_cue_alone_is_exactly_at_chance_in_the_whole_and_in_every_subject(tmp_path, monkeypatch, classes):
    made = []
    monkeypatch.setattr(
        "video_understanding.media.synthetic.dataset.write_scene", lambda path, scene, **_: made.append((path, scene))
    )
    clips = classes**2 * 6
    table = make_dataset(tmp_path, seed=3, clips=clips, mode="needs_both", subjects=3, classes=classes)
    rows = read_rows(table)
    assert [row["action"] for row in rows] == [scene.label for _, scene in made]
    assert {row["emotion"] for row in rows} == {""}
    for cue in ("sign", "tone"):
        counts = Counter((scene.subject, getattr(scene, cue), scene.label) for _, scene in made)
        assert len(counts) == 3 * classes * classes  # every label with every cue in every subject ...
        assert set(counts.values()) == {2}  # ... equally often
    with pytest.raises(ManifestError, match="not a multiple of"):
        make_dataset(tmp_path / "odd", seed=3, clips=clips + 1, mode="needs_both", classes=classes)


# --- files ----------------------------------------------------------------------------------------------------------


def test_a_written_scene_is_h264_and_aac_and_holds_what_was_drawn_and_sounded(tmp_path):
    import av

    scene = Scene("bounce", "happy", 1, 0.0, 7)
    path = write_scene(tmp_path / "deep" / "clip.mp4", scene, duration_s=1.2, frames_hz=10.0)
    with av.open(str(path)) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
    found = decode(path)
    np.testing.assert_allclose(found.times_s, np.arange(12) / 10, atol=1e-3)
    wanted = drawn(scene, np.arange(12) / 10).astype(float)
    assert np.abs(np.stack(found.pictures) - wanted).mean() < 6
    sound = scene.waveform(1.2, RATE_HZ)
    assert np.corrcoef(found.sound[: len(sound)], sound)[0, 1] > 0.9  # also no sample late


def test_a_late_stream_lacks_its_beginning_and_stays_in_time(tmp_path):
    scene = Scene("wave", "angry", 2, 0.0, 7)
    path = write_scene(tmp_path / "late.mp4", scene, frames_hz=10.0, picture_start_s=0.5, sound_start_s=0.25)
    found = decode(path)
    np.testing.assert_allclose(found.times_s, 0.5 + np.arange(15) / 10, atol=1e-3)
    assert np.abs(np.stack(found.pictures) - drawn(scene, 0.5 + np.arange(15) / 10).astype(float)).mean() < 6
    assert found.sound_start_s == pytest.approx(0.25, abs=1e-3)
    sound = scene.waveform(2.0, RATE_HZ)[round(found.sound_start_s * RATE_HZ) :]
    assert np.corrcoef(found.sound[2_000 : len(sound)], sound[2_000:])[0, 1] > 0.9
    with pytest.raises(MediaError, match="leaves no sound"):
        write_scene(tmp_path / "never.mp4", scene, sound_start_s=2.0)


def test_one_stream_can_be_left_out(tmp_path):
    scene = Scene("grow", "sad")
    assert not len(decode(write_scene(tmp_path / "deaf.mp4", scene, duration_s=0.5, with_sound=False)).sound)
    assert not decode(write_scene(tmp_path / "blind.mp4", scene, duration_s=0.5, with_picture=False)).pictures


def test_a_timeline_changes_where_it_says(tmp_path):
    parts = [
        (Scene("bounce", "happy", 0, 0, 1), 1.0),
        (TwoCues(1, 1, seed=2), 0.64),
        (Scene("spin", "sad", 3, 0, 3), 0.8),
    ]
    found = decode(write_timeline(tmp_path / "long.mp4", parts, frames_hz=12.5))
    assert len(found.pictures) == 31  # 2.44 s
    begin_s = 0.0
    for scene, duration_s in parts:
        inside = [place for place, time_s in enumerate(found.times_s) if begin_s <= time_s < begin_s + duration_s]
        wanted = drawn(scene, np.array(found.times_s)[inside] - begin_s)
        assert np.abs(np.stack(found.pictures)[inside].astype(float) - wanted).mean() < 6
        sound = scene.waveform(duration_s, RATE_HZ)
        first = round(begin_s * RATE_HZ)
        assert np.corrcoef(found.sound[first : first + len(sound)], sound)[0, 1] > 0.85
        begin_s += duration_s
    with pytest.raises(MediaError, match="last no time"):
        write_timeline(tmp_path / "none.mp4", [])


# --- damage ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sound_clip(tmp_path_factory) -> Path:
    """A whole file of 2 s: 25 frames, sound without a gap."""
    return write_scene(tmp_path_factory.mktemp("whole") / "clip.mp4", Scene("spin", "happy", 1, 0.3, 5))


@pytest.mark.parametrize("kind", DAMAGES)
def test_each_damage_is_as_documented_and_leaves_the_original_alone(tmp_path, sound_clip, kind):
    import av

    original = sound_clip.read_bytes()
    path = damage(sound_clip, kind, 3, tmp_path / "spoiled.mp4")
    assert sound_clip.read_bytes() == original
    assert path.read_bytes() != original
    assert damage(sound_clip, kind, 3, tmp_path / "again.mp4").read_bytes() == path.read_bytes()
    whole = decode(sound_clip)
    if kind in ("truncated", "zero_bytes", "not_media"):
        with pytest.raises(av.FFmpegError):
            av.open(str(path))
        sizes = {"truncated": len(original) * 2 // 3, "zero_bytes": 0}
        assert path.stat().st_size == sizes.get(kind, path.stat().st_size)
        return
    found = decode(path)
    same_pictures = len(found.pictures) == 25 and all(map(np.array_equal, found.pictures, whole.pictures))
    if kind in ("missing_sound", "short_sound", "silent_sound"):
        assert same_pictures
        assert found.errors == 0
        if kind == "missing_sound":
            assert not len(found.sound)
        elif kind == "short_sound":
            assert found.sound_end_s == pytest.approx(1.0, abs=0.1)
        else:
            assert found.sound_end_s == pytest.approx(2.0, abs=0.1)
            assert not found.sound.any()
    elif kind == "missing_picture":
        assert not found.pictures
        np.testing.assert_array_equal(found.sound, whole.sound)
    elif kind == "cut_short":
        with av.open(str(path)) as container:
            assert container.duration / av.time_base == pytest.approx(2.0, abs=0.1)  # the index promises all
        assert 3 < len(found.pictures) < 22
        assert 0.2 < found.sound_end_s < 1.8
    else:  # bit_flips, zeroed_block
        assert path.stat().st_size == len(original)
        assert found.pictures
        assert not same_pictures


@pytest.mark.parametrize("ending", [".mkv", ".ts"])
def test_other_containers_lose_their_sound_and_no_picture(tmp_path, ending):
    whole = write_calibration_clip(tmp_path / f"whole{ending}", duration_s=0.8, width_px=160, height_px=120)
    deaf = decode(damage(whole, "missing_sound", 1, tmp_path / f"deaf{ending}"))
    assert deaf.numbers == list(range(20))
    assert not len(deaf.sound)
    silent = decode(damage(whole, "silent_sound", 1, tmp_path / f"silent{ending}"))
    assert silent.numbers == list(range(20))
    assert len(silent.sound) > 30_000
    assert not silent.sound.any()


def test_bits_flip_elsewhere_for_another_seed_and_unknown_damage_is_refused(tmp_path, sound_clip):
    first, second = (damage(sound_clip, "bit_flips", seed, tmp_path / f"{seed}.mp4").read_bytes() for seed in (1, 2))
    assert first != second
    with pytest.raises(MediaError, match="not a known damage"):
        damage(sound_clip, "rust", 1, tmp_path / "never.mp4")
    with pytest.raises(MediaError, match="is not there"):
        damage(tmp_path / "absent.mp4", "truncated", 1, tmp_path / "never.mp4")


# --- data sets ------------------------------------------------------------------------------------------------------

SMALL = {"duration_s": 0.4, "frames_hz": 10.0, "width_px": 64, "height_px": 48}


def read_rows(table: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))


def test_a_data_set_is_labelled_balanced_and_there(tmp_path):
    rows = read_rows(make_dataset(tmp_path, seed=1, clips=36, subjects=3, **SMALL))
    assert list(rows[0]) == ["path", "action", "emotion", "subject"]
    assert all((tmp_path / row["path"]).stat().st_size > 500 for row in rows)
    for column, values in (("action", ACTIONS), ("emotion", EMOTIONS), ("subject", range(3))):
        counts = Counter(row[column] for row in rows)
        assert len(counts) == len(values)
        assert set(counts.values()) == {36 // len(values)}
    for head in ("action", "emotion"):  # the subject is independent of the label
        assert set(Counter((row["subject"], row[head]) for row in rows).values()) == {2}
    assert max(Counter((row["action"], row["emotion"]) for row in rows).values()) <= 2
    assert not list(tmp_path.rglob(".partial.*"))


def test_a_data_set_is_the_same_for_the_same_seed(tmp_path):
    tables = [
        make_dataset(tmp_path / name, seed=seed, clips=4, **SMALL) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert tables[0].read_bytes() == tables[1].read_bytes()
    for row in read_rows(tables[0]):
        first, same, other = ((table.parent / row["path"]).read_bytes() for table in tables)
        assert first == same
        assert first != other


def test_what_lies_in_memory_makes_no_other_file(tmp_path):
    """An encoder that reads past its own rows once made other files of the same frames, now and then."""
    scene, rng, lying_about = Scene("spin", "sad", 3, 0.0, 3), np.random.default_rng(0), []
    files = set()
    for _ in range(10):
        lying_about = [np.full(int(size), 1e9) for size in rng.integers(100, 60_000, 30)] + lying_about[:15]
        path = write_scene(tmp_path / "clip.mp4", scene, duration_s=1.0, width_px=64, height_px=48)
        files.add(path.read_bytes())
    assert len(files) == 1


def test_making_it_again_reuses_complete_files_and_makes_the_others(tmp_path):
    table = make_dataset(tmp_path, seed=1, clips=4, **SMALL)
    paths = [tmp_path / row["path"] for row in read_rows(table)]
    before = [path.read_bytes() for path in paths]
    written = [path.stat().st_ino for path in paths]
    paths[1].unlink()
    paths[2].write_bytes(before[2][:500])
    table.unlink()
    assert len(read_rows(make_dataset(tmp_path, seed=1, clips=5, **SMALL))) == 5
    assert [path.read_bytes() for path in paths] == before
    assert [path.stat().st_ino for path in (paths[0], paths[3])] == [written[0], written[3]]
    with pytest.raises(ManifestError, match="another seed"):
        make_dataset(tmp_path, seed=2, clips=4, **SMALL)


def test_a_foreign_table_is_not_overwritten(tmp_path):
    (tmp_path / "clips.csv").write_text("path,action\n", encoding="utf-8")
    with pytest.raises(ManifestError, match="not made here"):
        make_dataset(tmp_path, seed=1, clips=4, **SMALL)
    assert (tmp_path / "clips.csv").read_text(encoding="utf-8") == "path,action\n"


def test_a_share_of_rows_can_lack_one_label(tmp_path, monkeypatch):
    monkeypatch.setattr("video_understanding.media.synthetic.dataset.write_scene", lambda *_, **__: None)
    rows = read_rows(make_dataset(tmp_path, seed=1, clips=40, partial_labels=0.5))
    lacking = Counter((row["action"] == "", row["emotion"] == "") for row in rows)
    assert lacking == {(False, False): 20, (True, False): 10, (False, True): 10}


def test_each_half_of_a_label_is_in_one_modality_alone():
    """Labels that share the visual half have the same pixels, and those that share the audible half the same sound."""
    times_s = np.arange(6) / 4

    def pixels(action: str, emotion: str) -> np.ndarray:
        return np.stack(list(Halves(action, emotion, seed=3).frames(times_s, height_px=64, width_px=80)))

    def sound(action: str, emotion: str) -> np.ndarray:
        return Halves(action, emotion, seed=3).waveform(1.0, RATE_HZ)

    assert np.array_equal(pixels("wave_bell", "happy"), pixels("wave_rattle", "calm"))
    assert not np.array_equal(pixels("wave_bell", "happy"), pixels("bounce_bell", "happy"))
    assert not np.array_equal(pixels("wave_bell", "happy"), pixels("wave_bell", "angry"))
    assert np.array_equal(sound("wave_bell", "happy"), sound("bounce_bell", "angry"))
    assert not np.array_equal(sound("wave_bell", "happy"), sound("wave_rattle", "happy"))
    assert not np.array_equal(sound("wave_bell", "happy"), sound("wave_bell", "calm"))
    for halves in (HALVES_OF_ACTION, HALVES_OF_EMOTION):
        for place in (0, 1):
            shared = Counter(pair[place] for pair in halves.values())
            assert set(shared.values()) == {2}, "either half alone leaves two of four labels"
    with pytest.raises(ClipError, match="cannot be drawn"):
        Halves("wave", "happy")


def test_a_data_set_of_halves_is_balanced_and_can_hold_other_people(tmp_path, monkeypatch):
    monkeypatch.setattr("video_understanding.media.synthetic.dataset.write_scene", lambda *_, **__: None)
    tables = {}
    for first in (0, 6):
        folder = tmp_path / str(first)
        table = make_dataset(folder, seed=1, clips=192, mode="halves", subjects=6, first_subject=first)
        tables[first] = read_rows(table)
    pairs = Counter((row["action"], row["emotion"]) for row in tables[0])
    assert len(pairs) == 16 and set(pairs.values()) == {12}
    people = {first: {row["subject"] for row in rows} for first, rows in tables.items()}
    assert people[0] == {f"person_{n}" for n in range(6)} and people[6] == {f"person_{n}" for n in range(6, 12)}
