"""A stream over hours, with all that cameras and microphones do: late, lost, irregular, away, drifting."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from tests.recognition.worlds import LABELS, ColourScorer, frame_of, small_spec, tone
from video_understanding.clip import Clip
from video_understanding.errors import ClipError, SpecError
from video_understanding.features.prepare import prepare
from video_understanding.recognition import StreamEvent, StreamingRecognizer
from video_understanding.recognition.sound_line import TOLERANCE_S, SoundLine

SPEC = small_spec()
RATE_HZ = SPEC.audio.sample_rate_hz
STEP_S = 1 / SPEC.video.frames_hz
CHUNK_S = 0.1


def answers_of(events: list[StreamEvent]) -> dict[float, tuple[str, str]]:
    """Window's beginning -> what was said."""
    return {
        event.answer.start_s: (event.heads["action"].label, event.heads["emotion"].label)
        for event in events
        if event.answer is not None
    }


def play(
    stream: StreamingRecognizer,
    end_s: float,
    *,
    begin_s: float = 0.0,
    frames_hz: float = 10.0,
    colour=lambda _: "red",
    loud=lambda _: False,
    has_picture=lambda _: True,
    has_sound=lambda _: True,
) -> list[StreamEvent]:
    """Frames and chunks of sound in the order in which they happen."""
    events = []
    frame, chunk = 0, 0
    while True:
        frame_s, chunk_s = begin_s + frame / frames_hz, begin_s + (chunk + 1) * CHUNK_S
        if min(frame_s, chunk_s) > end_s:
            return events
        if frame_s <= chunk_s:
            if has_picture(frame_s):
                picture = frame_of(colour(frame_s), SPEC, shade=frame)
                events += stream.push_frames(picture[None], np.array([frame_s]))
            frame += 1
        else:
            start_s = chunk_s - CHUNK_S
            if has_sound(start_s):
                many = round(CHUNK_S * RATE_HZ)
                events += stream.push_sound(tone(many, loud(start_s), round(start_s * RATE_HZ)), start_s)
            chunk += 1


def test_every_window_is_answered_as_soon_as_it_is_there():
    stream = StreamingRecognizer(ColourScorer())
    seen: list[tuple[float, float]] = []
    for second in range(10):
        events = play(stream, second + 1 - 1e-6, begin_s=float(second))
        seen += [(event.answer.end_s, second + 1.0) for event in events]
    assert [end_s for end_s, _ in seen] == [2.0 + 0.5 * number for number in range(17)][: len(seen)]
    assert all(now_s - end_s <= 1.0 for end_s, now_s in seen)


def test_the_answer_is_that_of_the_clip_with_the_last_picture_taken_at_each_instant():
    """Frames at irregular times; the clip is put together here, by the rule alone."""
    rng = np.random.default_rng(2)
    times_s = np.cumsum(rng.uniform(0.01, 0.2, 80))
    frames = rng.integers(0, 256, (80, *SPEC.frames_shape[1:]), np.uint8)
    sound = rng.normal(0, 0.1, round(8 * RATE_HZ)).astype(np.float32)
    stream, events = StreamingRecognizer(ColourScorer(), hold_s=0.5), []
    for second in range(8):
        chosen = (times_s >= second) & (times_s < second + 1)
        events += stream.push_frames(frames[chosen], times_s[chosen])
        events += stream.push_sound(sound[second * RATE_HZ : (second + 1) * RATE_HZ], float(second))
    events += stream.finish()
    assert len(events) >= 13
    for event in events:
        if event.answer is None:
            continue
        instants_s = SPEC.instants_s(event.answer.start_s)
        places = np.searchsorted(times_s, instants_s, side="right") - 1
        shown = places >= 0
        first = round(event.answer.start_s * RATE_HZ)
        nearest = np.where(shown, places, places[shown][0])
        part = np.resize(np.concatenate([sound, np.zeros(RATE_HZ * 2, np.float32)])[first:], SPEC.samples)
        clip = Clip(frames[nearest], times_s[nearest], shown, part, RATE_HZ, sound_span_s=(0.0, 2.0))
        whole = ColourScorer()(prepare([clip], SPEC))
        for head in LABELS.heads:
            assert np.array_equal(event.answer.scores[head], whole[head][0])


def test_portions_make_no_difference():
    """One by one, or seconds at once: the same events."""
    small, large = StreamingRecognizer(ColourScorer()), StreamingRecognizer(ColourScorer())
    one_by_one = play(small, 12.0, colour=lambda t: "red" if t < 5 else "blue") + small.finish(12.0)
    at_once = []
    times_s = np.arange(121) / 10
    frames = np.stack([frame_of("red" if time_s < 5 else "blue", SPEC, shade) for shade, time_s in enumerate(times_s)])
    for begin in (0, 4, 8):
        chosen = (times_s >= begin) & (times_s < begin + 4)
        at_once += large.push_frames(frames[chosen][::-1], times_s[chosen][::-1])  # in any order within a portion
        at_once += large.push_sound(tone(4 * RATE_HZ, False, begin * RATE_HZ), float(begin))
    at_once += large.push_frames(frames[-1:], times_s[-1:]) + large.finish(12.0)
    assert [event.to_dict() for event in at_once] == [event.to_dict() for event in one_by_one]


def test_an_hour_costs_what_sixty_minutes_cost_and_no_memory():
    """Frames that all differ, four a second, and half a second of sound at a time."""
    scorer = ColourScorer()
    stream = StreamingRecognizer(scorer)
    windows, sizes_bytes = 0, []
    for minute in range(60):
        seconds = np.arange(60 * minute, 60 * minute + 60, 0.5)
        for second in seconds:
            number = int(second * 4)
            frames = np.stack([np.full(SPEC.frames_shape[1:], 0, np.uint8)] * 2)
            for place in (0, 1):
                frames[place].reshape(-1)[:4] = np.array([number + place], np.uint32).view(np.uint8)
            windows += len(stream.push_frames(frames, second + np.array([0.1, 0.3])))
            windows += len(stream.push_sound(tone(RATE_HZ // 2, True, int(second * RATE_HZ)), second))
        if minute in (4, 59):
            sizes_bytes.append(len(pickle.dumps(stream)))  # all that it holds
    assert windows == 3600 * 2 - 4  # the last one waits for its last picture
    assert abs(scorer.frames_seen - 3600 * 4) <= 8
    assert abs(scorer.hops_heard - 3600 * 2) <= 4
    assert scorer.windows_fused == windows
    assert sizes_bytes[1] <= 1.05 * sizes_bytes[0] < 50_000  # larger numbers take a few bytes more


def test_pictures_that_come_after_newer_ones_are_counted_and_change_nothing():
    stream, other = StreamingRecognizer(ColourScorer()), StreamingRecognizer(ColourScorer())
    events = play(stream, 3.0) + stream.push_frames(frame_of("blue", SPEC)[None], [2.95])
    events += play(stream, 6.0, begin_s=3.1)
    straight = play(other, 3.0) + play(other, 6.0, begin_s=3.1)
    assert [event.to_dict() for event in events] == [event.to_dict() for event in straight]
    assert stream.report.late_pictures == 1


def test_a_sense_that_goes_away_is_absent_and_comes_back():
    stream = StreamingRecognizer(ColourScorer())
    events = play(stream, 30.0, has_picture=lambda t: not 8 <= t < 16, has_sound=lambda t: not 20 <= t < 26)
    there = {event.answer.start_s: event.answer.modalities for event in events if event.answer}
    assert list(there) == [0.5 * number for number in range(len(there))]  # none is left out
    assert there[6.0] == there[27.0] == {"video": True, "audio": True}
    # The last picture, of 7.9 s, is held for a second: until 8.9 s.
    assert there[8.5]["video"] and not any(there[start_s]["video"] for start_s in np.arange(9.0, 14.0, 0.5))
    assert not any(there[start_s]["audio"] for start_s in np.arange(20.0, 24.1, 0.5))
    assert there[14.5]["video"] and there[24.5]["audio"]


def test_neither_sense_is_waited_for_longer_than_stated():
    for away in ("has_picture", "has_sound"):
        stream = StreamingRecognizer(ColourScorer(), lateness_s=0.3)
        events = play(stream, 10.0, **{away: lambda t: t < 5})
        assert events[-1].answer.end_s >= 10.0 - 0.3 - 0.5
    alone = StreamingRecognizer(ColourScorer(), lateness_s=0.0)
    assert play(alone, 2.001, has_sound=lambda _: False)[-1].answer.end_s == 2.0


def test_sound_that_is_late_but_in_time_is_heard():
    """It arrives 0.4 s behind the pictures, and 0.5 s are allowed."""
    stream, events = StreamingRecognizer(ColourScorer()), []
    for number in range(100):
        time_s = number * CHUNK_S
        events += stream.push_frames(frame_of("red", SPEC, number)[None], [time_s])
        if number >= 4:
            begin_s = time_s - 4 * CHUNK_S
            events += stream.push_sound(tone(round(CHUNK_S * RATE_HZ), True, round(begin_s * RATE_HZ)), begin_s)
    assert len(events) > 10
    assert all(event.heads["emotion"].label == "loud" for event in events)


def test_a_picture_is_held_no_longer_than_stated():
    stream = StreamingRecognizer(ColourScorer(), hold_s=0.6)
    events = play(stream, 12.0, has_picture=lambda t: t < 4 or t > 11)
    shown = [event.answer.start_s for event in events if event.answer.modalities["video"]]
    assert 4.0 in shown and not {4.5, 5.0, 6.0, 8.0} & set(shown)


def test_a_leap_of_years_is_taken_at_once():
    """Windows in which nothing is are passed over, however many they are; a cable was pulled, or a clock set."""
    stream = StreamingRecognizer(ColourScorer())
    events = play(stream, 5.0)
    events += play(stream, 1e9 + 5.0, begin_s=1e9)
    starts_s = [event.answer.start_s for event in events if event.answer]
    assert min(start for start in starts_s if start > 1e6) == 1e9 - 1.5
    assert starts_s[-1] >= 1e9 + 2.5
    segments = [segment for event in events + stream.finish() for segment in event.segments]
    assert len(segments) == 2 and segments[0].start_s == 0
    assert segments[0].end_s < 7 and segments[1].start_s == pytest.approx(1e9, abs=0.51)


def test_a_clock_that_begins_elsewhere():
    stream, other = StreamingRecognizer(ColourScorer()), StreamingRecognizer(ColourScorer())
    stream.reset(1000.0)
    shifted = [event.to_dict() for event in play(stream, 1010.0, begin_s=1000.0) + stream.finish()]
    plain = [event.to_dict() for event in play(other, 10.0) + other.finish()]
    assert len(shifted) == len(plain) > 15
    assert [event.get("start_s") for event in plain if "start_s" in event] == [
        event["start_s"] - 1000.0 for event in shifted if "start_s" in event
    ]
    assert shifted[-1]["segments"][0]["start_s"] == 1000.0


def test_segments_come_while_it_goes_on_and_equal_those_of_the_whole():
    stream = StreamingRecognizer(ColourScorer())
    changes = lambda t: "red" if t < 7.2 else "green" if t < 15.6 else "blue"  # noqa: E731
    events = play(stream, 25.0, colour=changes, loud=lambda t: 10.1 <= t < 20.3)
    live = [segment for event in events for segment in event.segments]
    assert len(live) == 4
    assert [round(one.end_s, 1) for one in live] == pytest.approx([7.2, 10.1, 15.6, 20.3], abs=0.3)
    left = [segment for event in stream.finish() for segment in event.segments]
    assert len(left) == 1 and left[0].end_s == 25.0


def test_the_last_windows_and_segments_come_at_the_end():
    stream = StreamingRecognizer(ColourScorer())
    assert play(stream, 0.8) == []
    events = stream.finish()
    assert answers_of(events) == {0.0: ("red", "quiet")}
    assert [segment.end_s for event in events for segment in event.segments] == [0.8]
    assert StreamingRecognizer(ColourScorer()).finish() == []


def test_a_finished_stream_goes_on_after_a_reset():
    stream = StreamingRecognizer(ColourScorer())
    first = play(stream, 4.0) + stream.finish()
    with pytest.raises(ClipError, match="is finished"):
        stream.push_sound(tone(10, True), 4.0)
    stream.reset()
    assert [event.to_dict() for event in play(stream, 4.0) + stream.finish()] == [event.to_dict() for event in first]


@pytest.mark.parametrize(
    "push",
    [
        lambda stream: stream.push_frames(np.zeros((1, 8, 9, 3), np.uint8), [0.0]),
        lambda stream: stream.push_frames(np.zeros((1, 8, 8, 3), np.float32), [0.0]),
        lambda stream: stream.push_frames(np.zeros((8, 8, 3), np.uint8), [0.0]),
        lambda stream: stream.push_frames(np.zeros((2, 8, 8, 3), np.uint8), [0.0]),
        lambda stream: stream.push_frames(np.zeros((1, 8, 8, 3), np.uint8), [np.nan]),
        lambda stream: stream.push_frames(np.zeros((1, 8, 8, 3), np.uint8), [1.7e18]),
        lambda stream: stream.push_sound(np.zeros(10, np.int16), 0.0),
        lambda stream: stream.push_sound(np.full(10, np.nan, np.float32), 0.0),
        lambda stream: stream.push_sound(np.zeros(10, np.float32), np.inf),
    ],
)
def test_what_no_stream_can_use_is_refused(push):
    with pytest.raises(ClipError):
        push(StreamingRecognizer(ColourScorer()))


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(SpecError, match="lateness_s"):
        StreamingRecognizer(ColourScorer(), lateness_s=float("inf"))
    with pytest.raises(SpecError, match="hold_s"):
        StreamingRecognizer(ColourScorer(), hold_s=-1.0)
    with pytest.raises(SpecError, match="stride"):
        StreamingRecognizer(ColourScorer(), 0.3)


def marked_sound(line: SoundLine, hours: float, drift: float, jitter_s: float = 0.0) -> list[float]:
    """Hours of chunks from a recorder whose clock runs fast by `drift`, each of its samples telling its true time.

    Returns how far the newest samples lie from where they belong, in seconds, every few seconds.
    """
    rng = np.random.default_rng(0)
    true_hz = RATE_HZ * (1 + drift)
    many, taken, errors_s = 50, 0, []
    for number in range(int(hours * 3600 * true_hz / many)):
        true_s = (taken + np.arange(many)) / true_hz
        jitter = float(rng.uniform(-jitter_s, jitter_s)) if number else 0.0
        line.add((true_s % 60 / 100).astype(np.float32), taken / true_hz + jitter)  # its time of the minute / 100
        taken += many
        if number % 100 == 99:
            line.forget(line.next - RATE_HZ)
            found, _ = line.take(line.next - RATE_HZ // 2, RATE_HZ // 2)
            place_s = (line.next - RATE_HZ // 2 + np.arange(RATE_HZ // 2)) / RATE_HZ
            off_s = (found * 100 - place_s + 30) % 60 - 30
            errors_s.append(float(np.median(np.abs(off_s))))
    return errors_s


@pytest.mark.parametrize("drift", [0.001, -0.001, 0.00005])
def test_a_drifting_clock_stays_within_a_part_of_a_frame_interval_for_hours(drift):
    line = SoundLine(RATE_HZ, SPEC.audio.hop_samples, 0.0)
    errors_s = marked_sound(line, 1.0, drift, jitter_s=0.02)
    assert len(errors_s) > 700
    assert max(errors_s) < 2 * TOLERANCE_S < STEP_S / 4
    assert line.corrected_s == pytest.approx(3600 * abs(drift), abs=2 * TOLERANCE_S)


def test_without_drift_no_sample_is_moved_by_jitter():
    line = SoundLine(RATE_HZ, SPEC.audio.hop_samples, 0.0)
    marked_sound(line, 0.5, 0.0, jitter_s=0.03)
    assert line.corrected_s == 0
    assert line.next == 1800 * RATE_HZ


def test_sound_that_comes_twice_is_heard_once_and_a_gap_is_silent():
    line = SoundLine(RATE_HZ, SPEC.audio.hop_samples, 0.0)
    line.add(np.full(1000, 0.1, np.float32), 0.0)
    line.add(np.full(1000, 0.2, np.float32), 0.5)  # its first half is known
    line.add(np.full(500, 0.3, np.float32), 2.5)
    waveform, span = line.take(0, 3500)
    expected = np.concatenate([np.full(1000, 0.1), np.full(500, 0.2), np.zeros(1000), np.full(500, 0.3), np.zeros(500)])
    assert np.array_equal(waveform, expected.astype(np.float32))
    assert span == (0, 3000)
    assert line.lost_s == 0.5
