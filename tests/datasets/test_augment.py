"""Augmented clips are what was asked for, the same whenever asked again, and honest about what they lack."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from video_understanding.clip import SILENCE_PEAK, Clip
from video_understanding.datasets.augment import (
    BandMask,
    Chain,
    Colour,
    Crop,
    Flip,
    FrameMask,
    Gain,
    Noise,
    Speed,
    Throat,
    TimeMask,
    TimeShift,
    Tone,
    default_augmentation,
    drawn_pairs,
    mixed_clip,
    mixed_inputs,
    mixed_targets,
    sound_augmentation,
)
from video_understanding.errors import ClipError, MissingExtraError, VideoUnderstandingError

FRAMES, HEIGHT, WIDTH, RATE_HZ, WINDOW_S = 16, 40, 48, 16_000, 4.0
SAMPLES = int(RATE_HZ * WINDOW_S)
IDEAS = (
    *(Crop(), Flip(), Colour(), TimeShift(), Speed(), Noise(), Gain(), Tone(), Throat()),
    *(TimeMask(), BandMask(), FrameMask()),
)
EVERYTHING = Chain(tuple((idea, 1.0) for idea in IDEAS))
ALL = [*IDEAS, EVERYTHING, default_augmentation()]


def name_of(augmentation: object) -> str:
    return type(augmentation).__name__


def clip_of(
    frames: np.ndarray | None = None, waveform: np.ndarray | None = None, start_s: float = 0.0, **changes: object
) -> Clip:
    """A clip of noise, or of the pictures and sound given; picture and sound fill the window."""
    generator = np.random.default_rng(5)
    if frames is None:
        frames = generator.integers(0, 256, (FRAMES, HEIGHT, WIDTH, 3), dtype=np.uint8)
    if waveform is None:
        waveform = generator.normal(0, 0.1, SAMPLES).clip(-1, 1)
    settings = {
        "frames": frames,
        "frame_times_s": start_s + (np.arange(len(frames)) + 0.5) * WINDOW_S / len(frames) - 0.01,
        "frame_present": np.ones(len(frames), bool),
        "waveform": waveform.astype(np.float32),
        "sample_rate_hz": RATE_HZ,
        "start_s": start_s,
        "sound_span_s": (start_s, start_s + WINDOW_S),
        "source": "made",
    }
    return Clip(**{**settings, **changes})


def deaf_clip() -> Clip:
    return clip_of(waveform=np.zeros(SAMPLES), sound_span_s=None)


def blind_clip() -> Clip:
    return clip_of(
        frames=np.zeros((FRAMES, HEIGHT, WIDTH, 3), np.uint8),
        frame_times_s=np.full(FRAMES, np.nan),
        frame_present=np.zeros(FRAMES, bool),
    )


def tone(*frequencies_hz: float, peak: float = 0.2) -> np.ndarray:
    moments_s = np.arange(SAMPLES) / RATE_HZ
    return sum(peak * np.sin(2 * np.pi * hz * moments_s) for hz in frequencies_hz)


def level_db(waveform: np.ndarray, hz: float) -> float:
    """How strong one frequency is, from the middle of the clip, where no edge disturbs."""
    middle = waveform[RATE_HZ : 3 * RATE_HZ].astype(np.float64)
    wave = np.exp(-2j * np.pi * hz * np.arange(len(middle)) / RATE_HZ) * np.hanning(len(middle))
    return 20 * np.log10(abs(middle @ wave) + 1e-12)


def assert_same(left: Clip, right: Clip) -> None:
    for field in dataclasses.fields(Clip):
        ours, theirs = getattr(left, field.name), getattr(right, field.name)
        if isinstance(ours, np.ndarray):
            assert ours.tobytes() == theirs.tobytes(), field.name
        else:
            assert ours == theirs, field.name


# --- what holds for every augmentation ---------------------------------------------------------------


@pytest.mark.parametrize("augmentation", ALL, ids=name_of)
def test_logged_parameters_give_the_very_same_clip_again(augmentation):
    clip = clip_of()
    parameters = augmentation.draw(clip, np.random.default_rng(3))
    logged = json.loads(json.dumps(parameters))
    assert logged == parameters
    assert_same(augmentation.apply(clip, parameters), augmentation.apply(clip, logged))


@pytest.mark.parametrize("augmentation", ALL, ids=name_of)
def test_same_seed_same_clip_and_another_seed_another(augmentation):
    clip = clip_of()
    once = augmentation(clip, np.random.default_rng(11))
    assert_same(once, augmentation(clip, np.random.default_rng(11)))
    other = augmentation(clip, np.random.default_rng(12))
    if isinstance(augmentation, Flip):  # nothing to draw
        assert_same(once, other)
    else:
        assert not (np.array_equal(once.frames, other.frames) and np.array_equal(once.waveform, other.waveform))


@pytest.mark.parametrize("augmentation", ALL, ids=name_of)
def test_every_clip_stays_a_sound_clip_and_the_one_given_stays_as_it_was(augmentation):
    half_heard = clip_of(
        waveform=np.where(np.arange(SAMPLES) < SAMPLES // 2, tone(440, peak=1.0), 0), sound_span_s=(100.0, 102.0)
    )
    clips = [clip_of(), dataclasses.replace(half_heard, start_s=100.0), deaf_clip(), blind_clip()]
    for clip in clips:
        before = dataclasses.replace(clip, frames=clip.frames.copy(), waveform=clip.waveform.copy())
        for seed in range(8):
            changed = augmentation(clip, np.random.default_rng(seed))
            assert (changed.frames.shape, changed.frames.dtype) == (clip.frames.shape, np.uint8)
            assert (changed.waveform.shape, changed.waveform.dtype) == (clip.waveform.shape, np.float32)
            assert (changed.start_s, changed.sample_rate_hz) == (clip.start_s, clip.sample_rate_hz)
            assert np.isfinite(changed.waveform).all()
            assert np.abs(changed.waveform).max() <= 1.0
            moments_s = clip.start_s + np.arange(SAMPLES) / RATE_HZ
            begin_s, end_s = changed.sound_span_s or (0.0, 0.0)
            assert clip.start_s <= begin_s < end_s <= clip.end_s or not changed.has_audio
            outside = (moments_s < begin_s - 1e-6) | (moments_s > end_s + 1e-6)
            assert not changed.waveform[outside].any(), "sound where the file has none"
            assert changed.modalities == clip.modalities
        assert_same(clip, before)


@pytest.mark.parametrize("augmentation", ALL, ids=name_of)
def test_a_sense_that_is_missing_stays_missing(augmentation):
    for seed in range(5):
        deaf = augmentation(deaf_clip(), np.random.default_rng(seed))
        assert not deaf.has_audio
        assert not deaf.waveform.any()
        blind = augmentation(blind_clip(), np.random.default_rng(seed))
        assert not blind.has_video
        assert not blind.frames.any()
        assert np.isnan(blind.frame_times_s).all()


def test_chain_happens_as_often_as_its_probabilities_say():
    clip, generator = clip_of(), np.random.default_rng(0)
    chain = Chain(((Gain(), 0.0), (Flip(), 1.0), (Colour(), 0.3)))
    drawn = [chain.draw(clip, generator)["steps"] for _ in range(500)]
    happened = np.mean([[chosen is not None for _, chosen in steps] for steps in drawn], axis=0)
    assert happened[:2].tolist() == [0.0, 1.0]
    assert happened[2] == pytest.approx(0.3, abs=0.07)
    assert [name for name, _ in drawn[0]] == ["Gain", "Flip", "Colour"]


def test_chain_does_its_steps_in_their_order():
    clip, generator = clip_of(waveform=tone(300, peak=0.5)), np.random.default_rng(0)
    louder_then_softer = Chain(((Gain((12.0, 12.0)), 1.0), (Gain((-12.0, -12.0)), 1.0), (Flip(), 1.0)))
    changed = louder_then_softer(clip, generator)
    assert np.abs(changed.waveform).max() == pytest.approx(0.25, abs=0.01)  # cut off first, then softer
    assert np.array_equal(changed.frames, clip.frames[:, :, ::-1])


def test_chain_refuses_parameters_of_another_chain():
    clip = clip_of()
    parameters = Chain(((Flip(), 1.0),)).draw(clip, np.random.default_rng(0))
    with pytest.raises(VideoUnderstandingError, match="steps Flip, not Gain"):
        Chain(((Gain(), 1.0),)).apply(clip, parameters)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Gain((6, -6)), r"Gain.gain_db: is \(6, -6\)"),
        (lambda: Crop(area_fraction=(0.5, 1.5)), r"Crop.area_fraction: .*within 0.01 to 1"),
        (lambda: Noise(snr_db=10), r"Noise.snr_db: is 10,"),
        (lambda: Noise(colours=("brown",)), r"Noise.colours: .*white, pink"),
        (lambda: Speed((0.0, 1.0)), r"Speed.factor"),
        (lambda: TimeMask(masks=0), r"TimeMask.masks"),
        (lambda: Chain(((Flip(), 1.5),)), r"Chain, Flip: has probability 1.5"),
    ],
)
def test_impossible_settings_are_named(make, message):
    with pytest.raises(VideoUnderstandingError, match=message):
        make()


# --- picture -------------------------------------------------------------------------------------------


def test_crop_shows_the_same_window_of_every_frame_where_the_parameters_say():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    place = np.stack([x * 5, y * 6, np.zeros_like(x)], axis=-1).astype(np.uint8)  # each pixel tells where it is
    clip = clip_of(frames=np.repeat(place[None], FRAMES, axis=0))
    crop = Crop(area_fraction=(0.4, 0.4))
    for seed in range(20):
        parameters = crop.draw(clip, np.random.default_rng(seed))
        frames = crop.apply(clip, parameters).frames
        assert (frames == frames[0]).all()
        top, left = parameters["top_px"], parameters["left_px"]
        bottom, right = top + parameters["height_px"] - 1, left + parameters["width_px"] - 1
        assert frames[0, 0, 0, :2] == pytest.approx([left * 5, top * 6], abs=1)
        assert frames[0, -1, -1, :2] == pytest.approx([right * 5, bottom * 6], abs=1)
        share = parameters["height_px"] * parameters["width_px"] / (HEIGHT * WIDTH)
        assert share == pytest.approx(0.4, abs=0.03)
        assert 0 <= top <= bottom < HEIGHT
        assert 0 <= left <= right < WIDTH


def test_crop_of_everything_changes_nothing():
    clip = clip_of()
    assert_same(Crop(area_fraction=(1, 1), aspect=(1, 1))(clip, np.random.default_rng(0)), clip)


def test_flip_changes_left_for_right_and_twice_is_nothing():
    clip, generator = clip_of(), np.random.default_rng(0)
    once = Flip()(clip, generator)
    assert np.array_equal(once.frames, clip.frames[:, :, ::-1])
    assert_same(Flip()(once, generator), clip)


def colour(**factors: float) -> Colour:
    neutral = {"brightness_factor": 1.0, "contrast_factor": 1.0, "saturation_factor": 1.0, "hue_degrees": 0.0}
    return Colour(**{name: (value, value) for name, value in {**neutral, **factors}.items()})


def grey_of(frames: np.ndarray) -> np.ndarray:
    return frames @ np.array([0.299, 0.587, 0.114])


def test_each_part_of_colour_does_what_its_name_says():
    generator = np.random.default_rng(0)
    clip = clip_of(frames=generator.integers(70, 150, (FRAMES, HEIGHT, WIDTH, 3), dtype=np.uint8))
    before = clip.frames.astype(float)
    assert_same(colour()(clip, generator), clip)
    brighter = colour(brightness_factor=1.5)(clip, generator).frames
    assert brighter == pytest.approx(before * 1.5, abs=0.51)
    flatter = colour(contrast_factor=0.5)(clip, generator).frames
    assert grey_of(flatter).mean() == pytest.approx(grey_of(before).mean(), abs=0.5)
    assert grey_of(flatter).std() == pytest.approx(grey_of(before).std() / 2, rel=0.02)
    paler = colour(saturation_factor=0.01)(clip, generator).frames
    assert np.ptp(paler.astype(int), axis=-1).max() <= 2
    assert grey_of(paler) == pytest.approx(grey_of(before), abs=1.0)
    turned = colour(hue_degrees=30)(clip, generator).frames
    assert grey_of(turned) == pytest.approx(grey_of(before), abs=1.5)  # to another hue, not another brightness
    assert np.abs(turned - before).mean() > 5


def test_colour_leaves_grey_grey_and_treats_all_frames_alike():
    still = np.repeat(np.random.default_rng(1).integers(0, 256, (1, HEIGHT, WIDTH, 1), dtype=np.uint8), 3, axis=3)
    clip = clip_of(frames=np.repeat(still, FRAMES, axis=0))
    for seed in range(5):
        frames = Colour(hue_degrees=(-60, 60))(clip, np.random.default_rng(seed)).frames
        assert (frames == frames[0]).all()
        assert np.ptp(frames.astype(int), axis=-1).max() <= 1


def test_frame_mask_blackens_as_many_frames_as_asked_and_calls_none_absent():
    clip = clip_of(frames=np.full((FRAMES, HEIGHT, WIDTH, 3), 90, np.uint8))
    masked = FrameMask((0.25, 0.25))(clip, np.random.default_rng(2))
    black = ~masked.frames.any(axis=(1, 2, 3))
    assert black.sum() == 4
    assert np.diff(np.flatnonzero(black)).tolist() == [1, 1, 1]
    assert masked.frame_present.all()
    lone = clip_of(frames=clip.frames[:1])
    assert FrameMask((1.0, 1.0))(lone, np.random.default_rng(0)).frames.all()  # never all of them


# --- time ----------------------------------------------------------------------------------------------


def flash_and_click(place: int, frames: int, start_s: float) -> tuple[Clip, float]:
    """A white frame and a click at the same moment, and that moment in seconds from the window's begin."""
    pictures = np.zeros((frames, 8, 8, 3), np.uint8)
    pictures[place] = 255
    moment_s = (place + 0.5) * WINDOW_S / frames
    waveform = np.zeros(SAMPLES)
    waveform[round(moment_s * RATE_HZ)] = 0.9
    clip = clip_of(frames=pictures, waveform=waveform, start_s=start_s)
    return dataclasses.replace(clip, frame_times_s=clip.frame_times_s + 0.01), moment_s


MOVES = [
    *((TimeShift((shift_s, shift_s)), shift_s, 1.0) for shift_s in (0.3, -0.3, 0.125, 0.08, -0.9)),
    *((Speed((factor, factor)), 0.0, factor) for factor in (0.9, 0.97, 1.04, 1.1)),
]


@pytest.mark.parametrize("frames", [16, 100])
@pytest.mark.parametrize(("move", "shift_s", "factor"), MOVES)
def test_picture_and_sound_move_together(move, shift_s, factor, frames):
    found = 0
    for place in range(frames // 3, frames // 2):
        clip, moment_s = flash_and_click(place, frames, start_s=20.0)
        moved = move(clip, np.random.default_rng(0))
        expected_s = WINDOW_S / 2 + shift_s + (moment_s - WINDOW_S / 2) / factor
        click_s = np.abs(moved.waveform).argmax() / RATE_HZ
        assert click_s == pytest.approx(expected_s, abs=1.5 / RATE_HZ)
        for white in np.flatnonzero(moved.frames.any(axis=(1, 2, 3))):  # twice when slow, never when hurried past
            found += 1
            step_s = WINDOW_S / frames
            assert (white + 0.5) * step_s == pytest.approx(expected_s, abs=step_s / 2 / factor + 1e-9)
            assert moved.frame_times_s[white] == pytest.approx(20.0 + expected_s, abs=1e-4)
            assert moved.frame_present[white]
    assert found >= 0.85 * len(range(frames // 3, frames // 2))


def test_what_comes_in_from_outside_is_absent():
    pictures = np.repeat(np.arange(1, 17, dtype=np.uint8), 8 * 8 * 3).reshape(16, 8, 8, 3)
    clip = clip_of(frames=pictures, waveform=np.full(SAMPLES, 0.5), start_s=20.0)
    later = TimeShift((0.5, 0.5))(clip, np.random.default_rng(0))
    assert later.frames[:, 0, 0, 0].tolist() == [1, 1, *range(1, 15)]
    assert later.frame_present.tolist() == [False] * 2 + [True] * 14
    assert later.sound_span_s == pytest.approx((20.5, 24.0))
    assert not later.waveform[:8000].any()
    assert (later.waveform[8000:] == 0.5).all()
    earlier = TimeShift((-0.5, -0.5))(clip, np.random.default_rng(0))
    assert earlier.frames[:, 0, 0, 0].tolist() == [*range(3, 17), 16, 16]
    assert earlier.frame_present.tolist() == [True] * 14 + [False] * 2
    assert earlier.sound_span_s == pytest.approx((20.0, 23.5))
    faster = Speed((1.25, 1.25))(clip, np.random.default_rng(0))
    assert faster.frame_present.tolist() == [False] * 2 + [True] * 12 + [False] * 2
    assert faster.sound_span_s == pytest.approx((20.4, 23.6))
    slower = Speed((0.8, 0.8))(clip, np.random.default_rng(0))
    assert slower.frame_present.all()
    assert slower.sound_span_s == pytest.approx((20.0, 24.0))


def test_sound_that_ends_early_keeps_its_length_and_may_leave_the_window():
    clip = clip_of(waveform=np.where(np.arange(SAMPLES) < 16000, 0.5, 0.0), sound_span_s=(0.0, 1.0))
    later = TimeShift((0.75, 0.75))(clip, np.random.default_rng(0))
    assert later.sound_span_s == pytest.approx((0.75, 1.75))
    assert later.waveform.sum() == pytest.approx(clip.waveform.sum())
    gone = TimeShift((-1.5, -1.5))(clip, np.random.default_rng(0))
    assert gone.sound_span_s is None
    assert not gone.waveform.any()


def test_frames_that_were_absent_stay_absent_when_they_move():
    clip = dataclasses.replace(clip_of(), frame_present=np.arange(FRAMES) != 5)
    later = TimeShift((0.25, 0.25))(clip, np.random.default_rng(0))
    assert np.flatnonzero(~later.frame_present).tolist() == [0, 6]


@pytest.mark.parametrize("factor", [0.9, 1.1])
@pytest.mark.parametrize("hz", [100, 1000, 4000, 6000])
def test_speed_moves_a_tone_cleanly(factor, hz):
    sound = Speed((factor, factor))(clip_of(waveform=tone(hz)), np.random.default_rng(0)).waveform
    assert level_db(sound, hz * factor) == pytest.approx(level_db(tone(hz), hz), abs=0.5)
    middle = sound[RATE_HZ : 3 * RATE_HZ] * np.hanning(2 * RATE_HZ)
    power = np.square(np.abs(np.fft.rfft(middle)))
    there = np.abs(np.fft.rfftfreq(2 * RATE_HZ, 1 / RATE_HZ) - hz * factor) < 5
    assert 10 * np.log10(power[~there].sum() / power[there].sum()) < -50  # no whistle, no mirrored tone


def test_slow_sound_is_not_mirrored_into_the_band_that_opens_above_it():
    sound = Speed((0.9, 0.9))(clip_of(waveform=tone(7000)), np.random.default_rng(0)).waveform
    assert level_db(sound, 0.9 * 9000) < level_db(sound, 0.9 * 7000) - 50


# --- sound ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("colours", [("white",), ("pink",)])
@pytest.mark.parametrize("snr_db", [0.0, 10.0, 30.0])
def test_noise_is_as_far_below_the_sound_as_asked(snr_db, colours):
    spans = {(0.0, 4.0): slice(0, SAMPLES), (1.0, 3.0): slice(RATE_HZ, 3 * RATE_HZ)}
    for span_s, heard in spans.items():
        waveform = np.zeros(SAMPLES)
        waveform[heard] = tone(700, peak=0.1)[heard]
        clip = clip_of(waveform=waveform, sound_span_s=span_s)
        noisy = Noise((snr_db, snr_db), colours)(clip, np.random.default_rng(1))
        noise = noisy.waveform[heard].astype(float) - clip.waveform[heard]
        measured_db = 10 * np.log10(np.mean(np.square(clip.waveform[heard], dtype=float)) / np.mean(noise**2))
        assert measured_db == pytest.approx(snr_db, abs=0.5)


def octave_levels_db(noise: np.ndarray) -> np.ndarray:
    power = np.square(np.abs(np.fft.rfft(noise)))
    hz = np.fft.rfftfreq(len(noise), 1 / RATE_HZ)
    edges_hz = 125 * 2.0 ** np.arange(7)  # to 8 kHz
    return np.array([10 * np.log10(power[(hz >= low) & (hz < 2 * low)].sum()) for low in edges_hz[:-1]])


@pytest.mark.parametrize(("colour_name", "rise_db"), [("white", 3.0), ("pink", 0.0)])
def test_noise_has_its_colour(colour_name, rise_db):
    clip = clip_of(waveform=tone(50, peak=0.1))
    noisy = Noise((0.0, 0.0), (colour_name,))(clip, np.random.default_rng(1))
    levels_db = octave_levels_db(noisy.waveform.astype(float) - clip.waveform)
    slope = np.polyfit(np.arange(len(levels_db)), levels_db, 1)[0]
    assert slope == pytest.approx(rise_db, abs=0.4)


def test_noise_on_a_silent_clip_stays_next_to_silence():
    silent = clip_of(waveform=np.zeros(SAMPLES))
    for colours in (("white",), ("pink",)):
        noisy = Noise((10.0, 10.0), colours)(silent, np.random.default_rng(0))
        assert np.isfinite(noisy.waveform).all()
        assert 0 < np.abs(noisy.waveform).max() < 5 * SILENCE_PEAK


@pytest.mark.parametrize("gain_db", [-12.0, -6.0, 0.0, 6.0])
def test_gain_is_exact(gain_db):
    clip = clip_of(waveform=tone(300, peak=0.25))
    louder = Gain((gain_db, gain_db))(clip, np.random.default_rng(0))
    assert np.array_equal(louder.waveform, clip.waveform * np.float32(10 ** (gain_db / 20)))


def test_gain_cuts_off_what_is_too_loud():
    louder = Gain((20.0, 20.0))(clip_of(waveform=tone(300, peak=0.5)), np.random.default_rng(0))
    assert np.abs(louder.waveform).max() == 1.0


@pytest.mark.parametrize(("hz", "gain_db"), [(240, 5.0), (1300, -4.0), (7500, 0.0)])
def test_tone_raises_pitches_by_what_it_says(hz, gain_db):
    clip = clip_of(waveform=0.1 * np.sin(2 * np.pi * hz * np.arange(SAMPLES) / RATE_HZ))
    changed = Tone().apply(clip, {"gains_db": [1.0, 5.0, 2.0, -4.0, 3.0, 0.0]})
    assert 20 * np.log10(changed.waveform.std() / clip.waveform.std()) == pytest.approx(gain_db, abs=0.1)


@pytest.mark.parametrize("factor", [0.87, 1.15])
def test_throat_moves_the_resonance_and_neither_the_pitch_nor_the_time(factor):
    """A buzz of 125 Hz that resonates at 2 kHz, and only in the second half."""
    harmonics_hz = 125.0 * np.arange(1, 60)
    strengths = 0.02 + 1 / (1 + ((harmonics_hz - 2000) / 500) ** 4)
    buzz = (strengths[:, None] * np.cos(2 * np.pi * harmonics_hz[:, None] * np.arange(SAMPLES) / RATE_HZ)).sum(axis=0)
    clip = clip_of(waveform=0.02 * buzz * (np.arange(SAMPLES) >= SAMPLES // 2))
    changed = Throat().apply(clip, {"factor": factor}).waveform
    spectrum = np.abs(np.fft.rfft(changed[SAMPLES // 2 + 1000 : SAMPLES // 2 + 1000 + RATE_HZ]))  # 1 Hz each
    assert spectrum[:7500].argmax() == pytest.approx(2000 * factor, abs=126)
    on_harmonics = np.square(spectrum[125:7500:125]).sum()
    assert on_harmonics > 0.99 * np.square(spectrum).sum()
    loudness = np.abs(changed).reshape(-1, 160).mean(axis=1)  # every 10 ms
    assert loudness[: SAMPLES // 320 - 4].max() < 0.01 * loudness.max()


def test_throat_as_it_was_changes_nothing():
    clip = clip_of()
    assert np.allclose(Throat().apply(clip, {"factor": 1.0}).waveform, clip.waveform, atol=1e-5)


def test_time_mask_silences_the_spans_it_names_and_nothing_else():
    clip = clip_of(waveform=np.full(SAMPLES, 0.5))
    for seed in range(10):
        parameters = TimeMask(width_s=(0.1, 0.3), masks=2).draw(clip, np.random.default_rng(seed))
        masked = TimeMask().apply(clip, parameters)
        moments_s = np.arange(SAMPLES) / RATE_HZ
        near = np.zeros(SAMPLES, bool)
        for begin_s, end_s in parameters["spans_s"]:
            assert 0.1 <= end_s - begin_s <= 0.3
            assert begin_s >= 0.0
            assert end_s <= WINDOW_S
            assert not masked.waveform[(moments_s >= begin_s) & (moments_s <= end_s)].any()
            near |= (moments_s > begin_s - 0.006) & (moments_s < end_s + 0.006)
        assert (masked.waveform[~near] == 0.5).all()
        assert np.abs(np.diff(masked.waveform)).max() < 0.01  # no click at the edges
        assert masked.sound_span_s == clip.sound_span_s


def test_time_mask_longer_than_the_clip_silences_all_of_it():
    masked = TimeMask(width_s=(9.0, 9.0))(clip_of(), np.random.default_rng(0))
    assert not masked.waveform.any()
    assert masked.has_audio  # hidden, not absent


def test_band_mask_removes_a_tone_in_the_band_and_leaves_the_others():
    clip = clip_of(waveform=tone(500, 1500, 4000))
    masked = BandMask().apply(clip, {"low_hz": 1200.0, "high_hz": 2000.0})
    assert level_db(clip.waveform, 1500) - level_db(masked.waveform, 1500) > 20
    for hz in (500, 4000):
        assert level_db(masked.waveform, hz) == pytest.approx(level_db(clip.waveform, hz), abs=0.5)


def test_band_mask_draws_bands_of_its_width_within_its_limits():
    mask, generator = BandMask(width_octaves=(0.5, 1.0), between_hz=(200.0, 6000.0)), np.random.default_rng(0)
    lows_hz = []
    for _ in range(300):
        parameters = mask.draw(clip_of(), generator)
        low_hz, high_hz = parameters["low_hz"], parameters["high_hz"]
        assert 199.9 <= low_hz < high_hz <= 6000.1
        assert 0.499 <= np.log2(high_hz / low_hz) <= 1.001
        lows_hz.append(low_hz)
    assert np.mean(np.array(lows_hz) < 775) == pytest.approx(
        0.5, abs=0.1
    )  # the middle of the octaves, not of the hertz


def test_sound_alone_changes_nothing_that_is_seen_and_no_time():
    clip, changed = clip_of(waveform=tone(500)), 0
    for seed in range(20):
        heard = sound_augmentation()(clip, np.random.default_rng(seed))
        assert np.shares_memory(heard.frames, clip.frames)
        assert np.array_equal(heard.frame_times_s, clip.frame_times_s)
        assert heard.sound_span_s == clip.sound_span_s
        changed += not np.array_equal(heard.waveform, clip.waveform)
    assert changed > 10


# --- mixup ---------------------------------------------------------------------------------------------


def two_clips() -> tuple[Clip, Clip]:
    dark = clip_of(frames=np.full((FRAMES, HEIGHT, WIDTH, 3), 20, np.uint8), waveform=tone(400), start_s=10.0)
    light = clip_of(frames=np.full((FRAMES, HEIGHT, WIDTH, 3), 220, np.uint8), waveform=tone(900))
    return dark, light


def mixed_pair(first: list[float], second: list[float], share: float) -> np.ndarray:
    """[C+1] of the first, whose target has how much it counts in the last place."""
    rows = {"action": np.float32([first, second])}
    return mixed_targets(rows, np.array([1, 0]), np.array([share, 1.0]))["action"][0]


def test_mixup_mixes_picture_and_sound_in_one_proportion():
    dark, light = two_clips()
    clip = mixed_clip(dark, light, share=0.7)
    assert clip.frames == pytest.approx(0.7 * 20 + 0.3 * 220, abs=0.6)
    assert clip.waveform == pytest.approx(0.7 * dark.waveform + 0.3 * light.waveform, abs=1e-6)
    assert clip.start_s == 10.0  # the greater share's clock
    assert clip.sound_span_s == pytest.approx((10.0, 14.0))
    assert (clip.frame_times_s == dark.frame_times_s).all()


def test_labels_that_one_clip_lacks_weigh_as_much_as_the_other_clip_is_there():
    assert mixed_pair([1, 0, 0, 1], [0, 0, 1, 1], 0.7) == pytest.approx([0.7, 0, 0.3, 1])
    assert mixed_pair([0, 0, 0, 0], [0, 1, 0, 1], 0.7) == pytest.approx([0, 1, 0, 0.3])
    assert mixed_pair([1, 0, 0, 1], [0, 0, 0, 0], 0.25) == pytest.approx([1, 0, 0, 0.25])
    assert not mixed_pair([0, 0, 0, 0], [0, 0, 0, 0], 0.7).any()
    assert not mixed_pair([0, 1, 0, 0], [0, 0, 0, 0], 0.6).any()  # what it would show says nothing without a label
    assert mixed_pair([0, 1, 0, 0], [0, 0, 1, 1], 0.6) == pytest.approx([0, 0, 1, 0.4])


def test_mixed_targets_give_the_loss_mixed_of_both():
    log_probabilities = np.log([0.2, 0.5, 0.3])

    def loss(target: np.ndarray) -> float:
        return -target[-1] * float(target[:-1] @ log_probabilities)

    for weight_a, weight_b in ((1.0, 1.0), (1.0, 0.0), (0.5, 1.0)):
        target_a, target_b = np.array([1, 0, 0, weight_a]), np.array([0, 1, 0, weight_b])
        both = mixed_pair(target_a, target_b, share=0.6)
        assert loss(both) == pytest.approx(0.6 * loss(target_a) + 0.4 * loss(target_b), rel=1e-5)


def test_in_a_mixed_batch_nothing_comes_from_a_sense_that_is_not_there():
    inputs = {
        "video_features": np.float32([10, 20, 30, 40])[:, None, None] * np.ones((1, 2, 3), np.float32),
        "waveform": np.float32([1, 2, 3, 4])[:, None] * np.ones((1, 5), np.float32),
        "presence": np.float32([[1, 1], [0, 1], [1, 0], [0, 0]]),
    }
    made = mixed_inputs(inputs, np.array([1, 0, 3, 2]), np.array([0.75, 0.75, 0.6, 0.6]), ("video", "audio"))
    assert np.allclose(made["video_features"][:, 0, 0], [10, 10, 30, 30])  # of the second and fourth clip none is there
    assert np.allclose(made["waveform"][:2, 0], [1.25, 1.75])
    assert made["presence"].tolist() == [[1, 1], [1, 1], [1, 0], [1, 0]]


def test_pairs_come_again_from_the_same_seed_and_their_strength_says_how_much_is_mixed():
    def drawn(strength: float, count: int = 900) -> tuple[np.ndarray, np.ndarray]:
        return drawn_pairs(count, strength, np.random.default_rng(4))

    for one, again in zip(drawn(0.4), drawn(0.4), strict=True):
        assert (one == again).all()
    partners, shares = drawn(1.0)
    assert sorted(partners) == list(range(900)) and shares.min() >= 0.5
    assert drawn(0.1)[1].mean() > 0.9
    assert shares.mean() == pytest.approx(0.75, abs=0.02)
    assert drawn(50.0)[1].mean() < 0.58


def test_a_sense_is_there_where_either_mixed_clip_has_it():
    clip = mixed_clip(deaf_clip(), clip_of(sound_span_s=(1.0, 4.0)), share=0.6)
    assert clip.sound_span_s == (1.0, 4.0)
    clip = mixed_clip(blind_clip(), clip_of(), share=0.6)
    assert clip.frame_present.all()
    assert np.isfinite(clip.frame_times_s).all()
    assert not mixed_clip(blind_clip(), blind_clip(), share=0.6).has_video
    assert not mixed_clip(deaf_clip(), deaf_clip(), share=0.6).has_audio


def test_clips_that_cannot_be_mixed_are_named():
    dark, _ = two_clips()
    with pytest.raises(ClipError, match="made and made: cannot be mixed: frames"):
        mixed_clip(dark, clip_of(frames=np.zeros((FRAMES, 8, 8, 3), np.uint8)), 0.5)
    with pytest.raises(ClipError, match="64000 samples at 16000 Hz and 32000"):
        mixed_clip(dark, clip_of(waveform=np.zeros(32000)), 0.5)


# --- the house ------------------------------------------------------------------------------------------


def test_sound_is_augmented_without_opencv_and_pictures_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    clip, generator = clip_of(), np.random.default_rng(0)
    for idea in (TimeShift(), Speed(), Noise(), Gain(), TimeMask(), BandMask()):
        idea(clip, generator)
    for idea in (Crop(), Flip(), Colour()):
        with pytest.raises(MissingExtraError, match=r"opencv-python-headless.*pip install.*train"):
            idea(clip, generator)


def test_importing_augmentation_loads_neither_opencv_nor_pyav_nor_tensorflow():
    code = (
        "import sys; import video_understanding.datasets.augment; "
        "assert not {'cv2', 'av', 'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
