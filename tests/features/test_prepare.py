"""Clips become batches: the same numbers either way, what is absent is said, and foreign clips are refused by name."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from video_understanding.clip import Clip
from video_understanding.datasets.cache import ClipCache, PreparedClips
from video_understanding.datasets.record import read_record, write_record
from video_understanding.datasets.rows import Row
from video_understanding.errors import ClipError
from video_understanding.features import from_prepared, prepare
from video_understanding.media.closer import moving_part
from video_understanding.media.decode import read_clip
from video_understanding.media.synthetic import Scene, write_scene
from video_understanding.media.synthetic.calibration import write_calibration_clip
from video_understanding.modality import MODALITIES, Modality, with_derived
from video_understanding.spec import ModelSpec, VideoSpec

SPEC = ModelSpec(window_s=0.5, video=VideoSpec(frames_hz=4, height_px=6, width_px=8))


def make_clip(peak: float = 0.5, *, video: bool = True, audio: bool = True, source: str = "clip.mp4") -> Clip:
    generator = np.random.default_rng(3)
    waveform = generator.uniform(-1, 1, SPEC.samples).astype(np.float32)
    waveform *= np.float32(peak if audio else 0) / np.abs(waveform).max()
    return Clip(
        frames=generator.integers(256, size=SPEC.frames_shape, dtype=np.uint8),
        frame_times_s=SPEC.instants_s() if video else np.full(SPEC.frames, np.nan),
        frame_present=np.full(SPEC.frames, video),
        waveform=waveform,
        sample_rate_hz=SPEC.audio.sample_rate_hz,
        sound_span_s=(0.0, 0.5) if audio else None,
        source=source,
    )


def stored(tmp_path, clips: list[Clip]) -> PreparedClips:
    with (tmp_path / "one.clips").open("wb") as file:
        write_record(file, clips)
    return PreparedClips(SPEC, [(0, read_record(tmp_path / "one.clips"))], (), ())


def test_clips_stand_in_their_order():
    first, second = make_clip(0.5), make_clip(0.25)
    inputs = prepare([first, second, first], SPEC)
    assert len(inputs) == 3
    assert np.array_equal(inputs["video"], np.stack([first.frames, second.frames, first.frames]))
    assert np.array_equal(inputs["audio"], np.stack([first.waveform, second.waveform, first.waveform]))


def test_no_clips_are_an_empty_batch():
    inputs = prepare([], SPEC)
    assert inputs["video"].shape == (0, *SPEC.frames_shape)
    assert inputs["audio"].shape == (0, SPEC.samples)


@pytest.mark.parametrize(
    ("clip", "presence"),
    [
        (make_clip(), [True, True]),
        (make_clip(audio=False), [True, False]),
        (make_clip(video=False), [False, True]),
        (make_clip(0.0), [True, False]),  # a sound track of digital silence
        (make_clip(2 / 32767), [True, False]),  # two steps of 16-bit sound: dither, not sound
        (make_clip(3.4 / 32767), [True, False]),  # less than the cache's rounding may hide
        (make_clip(3.6 / 32767), [True, True]),
        (make_clip(20 / 32767), [True, True]),  # very quiet is not silent
        (make_clip(1.0), [True, True]),
    ],
)
def test_presence_says_what_is_there_and_is_the_same_from_the_cache(tmp_path, clip, presence):
    assert prepare([clip], SPEC).presence.tolist() == [presence]
    prepared = stored(tmp_path, [clip])
    assert from_prepared(prepared, [0]).presence.tolist() == [presence]
    assert prepared.presence([0]).tolist() == [presence]
    assert list(clip.modalities.values()) == list(prepared[0].modalities.values()) == presence


def test_the_cache_gives_the_very_same_batch_as_its_clips(tmp_path):
    prepared = stored(tmp_path, [make_clip(1.0), make_clip(0.3, video=False), make_clip(audio=False), make_clip(0.0)])
    numbers = [3, 0, 0, 2, 1]
    fast, slow = from_prepared(prepared, numbers), prepare([prepared[number] for number in numbers], SPEC)
    for name in ("video", "audio"):
        assert np.array_equal(fast[name], slow[name]), name
    assert np.array_equal(fast.presence, slow.presence)
    assert fast["audio"].dtype == np.float32
    assert np.abs(fast["audio"]).max() == 1.0


def test_the_loudest_negative_sample_is_heard(tmp_path):
    prepared = stored(tmp_path, [make_clip(0.0)])
    record, _ = prepared._places[0]
    sound = np.zeros_like(record.sound)
    sound[0, 7] = -32768  # whose absolute value int16 cannot hold
    loud = PreparedClips(SPEC, [(0, dataclasses.replace(record, sound=sound))], (), ())
    assert from_prepared(loud, [0]).presence.tolist() == [[True, True]]


def test_numbers_may_be_an_array_and_may_be_none(tmp_path):
    prepared = stored(tmp_path, [make_clip()])
    assert len(from_prepared(prepared, np.array([0, 0]))) == 2
    assert len(from_prepared(prepared, np.array([], int))) == 0


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (ModelSpec(0.5, VideoSpec(frames_hz=8, height_px=6, width_px=8)), r"\[2, 6, 8, 3\].*\[4, 6, 8, 3\]"),
        (ModelSpec(1.0, VideoSpec(frames_hz=2, height_px=6, width_px=8)), r"\[8000\].*\[16000\]"),
    ],
)
def test_a_clip_of_another_shape_is_refused_by_name(spec, told):
    fitting = make_clip()
    with pytest.raises(ClipError, match=rf"holiday\.mp4: .*{told}"):
        prepare([make_clip(source="holiday.mp4"), fitting], spec)


def test_a_clip_of_another_sample_rate_is_refused_and_counted_where_it_has_no_name():
    other = dataclasses.replace(make_clip(source=""), sample_rate_hz=8000)
    with pytest.raises(ClipError, match="clip 1: sample_rate_hz is 8000, and the spec wants 16000"):
        prepare([make_clip(), other], SPEC)


def test_of_larger_frames_the_part_that_moves_is_taken_and_the_cache_keeps_the_very_same(tmp_path):
    spec = ModelSpec(window_s=1.0, video=VideoSpec(frames_hz=4, height_px=24, width_px=32, zoom=2))
    write_scene(tmp_path / "long.mp4", Scene("bounce", "happy", seed=4), duration_s=3.0, width_px=160, height_px=120)
    clips = [read_clip(tmp_path / "long.mp4", spec, float(start_s)) for start_s in range(3)]
    inputs = prepare(clips, spec)
    assert inputs["video"].shape == (3, 4, 24, 32, 3)
    for clip, seen in zip(clips, inputs["video"], strict=True):
        assert clip.frames.shape == spec.read_shape
        top, left = moving_part(clip.frames, clip.frame_present, 24, 32)
        assert np.array_equal(seen, clip.frames[:, top : top + 24, left : left + 32])
    prepared = ClipCache(tmp_path / "cache").prepare([Row(tmp_path / "long.mp4")], spec, progress=False)
    assert np.array_equal(from_prepared(prepared, range(3))["video"], inputs["video"])
    assert np.array_equal(
        prepare(list(prepared), spec)["video"], inputs["video"]
    )  # as augmentation gets and gives them


def test_a_clip_of_neither_size_is_refused_with_the_size_that_is_read():
    spec = dataclasses.replace(SPEC, video=dataclasses.replace(SPEC.video, height_px=5, zoom=2))
    with pytest.raises(ClipError, match=r"\[2, 6, 8, 3\].*\[2, 10, 16, 3\]"):
        prepare([make_clip()], spec)


def test_a_real_file_through_the_cache(tmp_path):
    spec = ModelSpec(window_s=1.0, video=VideoSpec(frames_hz=4, height_px=48, width_px=64))
    write_calibration_clip(tmp_path / "long.mp4", duration_s=3.0, width_px=64, height_px=48, burst_times_s=(0.2,))
    prepared = ClipCache(tmp_path / "cache").prepare([Row(tmp_path / "long.mp4")], spec, progress=False)
    inputs = from_prepared(prepared, range(len(prepared)))
    assert inputs["video"].shape == (3, 4, 48, 64, 3)
    assert inputs.presence.all()
    again = prepare([read_clip(tmp_path / "long.mp4", spec, 1.0)], spec)  # not by way of the cache
    assert np.array_equal(again["video"][0], inputs["video"][1])
    assert np.abs(again["audio"][0] - inputs["audio"][1]).max() <= 0.51 / 32767


def brightness(clip: Clip, _spec: ModelSpec) -> np.ndarray | None:
    return clip.frames.mean(axis=(1, 2, 3)).astype(np.float32) if clip.has_video else None


def test_a_derived_modality_is_kept_with_the_clip_and_may_be_missing(tmp_path, monkeypatch):
    made = Modality("light", "the light", "lights", np.float32, lambda spec: (spec.frames,), lambda _: (1,),
                    f"{__name__}:brightness", "")  # fmt: skip
    monkeypatch.setitem(MODALITIES, "light", made)
    spec = dataclasses.replace(SPEC, modalities=("light", "audio"))
    clips = [with_derived(clip, spec) for clip in (make_clip(), make_clip(video=False), make_clip(audio=False))]
    with (tmp_path / "one.clips").open("wb") as file:
        write_record(file, clips)
    prepared = PreparedClips(spec, [(0, read_record(tmp_path / "one.clips"))], (), ())
    fast, slow = from_prepared(prepared, [2, 1, 0]), prepare([prepared[number] for number in (2, 1, 0)], spec)
    assert fast.presence.tolist() == slow.presence.tolist() == [[True, False], [False, True], [True, True]]
    assert list(fast.arrays) == ["light", "audio"]
    for name in fast.arrays:
        assert np.array_equal(fast[name], slow[name])
    assert np.array_equal(fast["light"][2], brightness(clips[0], spec)) and not fast["light"][1].any()
    monkeypatch.setattr(f"{__name__}.brightness", lambda *_: pytest.fail("it was derived before"))
    assert prepared[0].modalities == {"video": True, "audio": True, "light": True}
    assert prepare([prepared[0]], spec, ("light",))["light"].shape == (1, 2)
