"""Batches: with cached features the sound alone changes and keeps its time; they come in order, ahead, and anew."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from video_understanding.datasets.cache import PreparedClips
from video_understanding.datasets.record import Record
from video_understanding.datasets.rows import Row
from video_understanding.labels import Labels
from video_understanding.spec import AudioSpec, ModelSpec, VideoSpec
from video_understanding.training.batches import ClipBatches
from video_understanding.training.feed import Feed
from video_understanding.training.settings import TrainingSettings

CLIPS, CLICK = 8, 7000  # the sample at which each clip clicks
# So large that nobody could copy a batch of it: what is said to stay on disk must. No spec that is given may be so
# large, so this one grows after its birth.
HUGE = ModelSpec(window_s=1.0, video=VideoSpec(frames_hz=64, height_px=8, width_px=8), audio=AudioSpec(hop_s=0.5))
for side in ("height_px", "width_px"):
    object.__setattr__(HUGE.video, side, 8192)
SMALL = ModelSpec(window_s=1.0, video=VideoSpec(frames_hz=4, height_px=8, width_px=8), audio=AudioSpec(hop_s=0.5))
ROWS = [Row(Path(f"/set/{number}.mp4"), {"action": ("left", "right")[number % 2]}) for number in range(CLIPS)]
LABELS = Labels(action=("left", "right"))


def prepared(spec: ModelSpec) -> PreparedClips:
    frames = np.broadcast_to(np.uint8(7), (1, *spec.frames_shape))  # [W,T,H,W,3] that takes one byte
    sound = np.zeros((1, spec.samples), np.int16)
    sound[0, CLICK] = 32000
    facts = {
        "frame_times_s": spec.instants_s().tolist(),
        "frame_present": [True] * spec.frames,
        "sample_rate_hz": spec.audio.sample_rate_hz,
        "start_s": 0.0,
        "sound_span_s": [0.0, spec.window_s],
        "source": "made",
        "notes": [],
    }
    return PreparedClips(spec, [(number, Record(frames, sound, (facts,))) for number in range(CLIPS)], (), ROWS)


def batches(spec: ModelSpec, features: bool, learning: bool = True, **changes) -> ClipBatches:
    settings = TrainingSettings(batch_size=4, seed=1, **changes)
    seen = np.arange(CLIPS, dtype=np.float32)[:, None, None] * np.ones((1, 2, 3), np.float32) if features else None
    return ClipBatches(prepared(spec), ROWS, LABELS, np.arange(CLIPS), settings, learning=learning, features=seen)


@pytest.mark.parametrize("changes", [{}, {"mixup": 0.4}, {"augment": False}, {"augment": False, "mixup": 0.4}])
def test_with_features_no_frame_is_touched(changes):
    made = batches(HUGE, features=True, **changes)
    with pytest.raises(MemoryError):
        made._prepared.arrays("video", [0, 1, 2, 3])  # as this would be
    inputs, targets = made[0]
    assert set(inputs) == {"video_features", "waveform", "presence"}
    assert set(batches(HUGE, features=True, learning=False)[0][0]) == set(inputs)
    mixed = not np.isin(targets["action"], (0, 1)).all()
    assert mixed == ("mixup" in changes)


def test_with_features_the_sound_changes_and_keeps_its_time():
    made, heard = batches(HUGE, features=True), []
    for epoch in range(20):
        made.begin(epoch)
        heard += [sound for place in range(len(made)) for sound in made[place][0]["waveform"]]
    clicking = [sound for sound in heard if np.abs(sound[CLICK]) > 0.1]  # in the others a mask hides the click
    assert len(clicking) > 0.6 * len(heard)
    assert {int(np.abs(sound).argmax()) for sound in clicking} == {CLICK}
    assert len({sound.tobytes() for sound in heard}) > 0.5 * len(heard)


@pytest.mark.parametrize("learning", [True, False])
@pytest.mark.parametrize("known", [(), ("features",)])
def test_a_silent_track_is_absent_whatever_a_network_learns_from(known, learning):
    clips = prepared(SMALL)
    silent, loud = np.zeros((1, SMALL.samples), np.int16), clips._places[0][0]
    records = [(n, dataclasses.replace(loud, sound=silent) if n == 1 else loud) for n in range(CLIPS)]
    clips = PreparedClips(SMALL, records, (), ROWS)
    given = {name: np.zeros((CLIPS, 2, 3), np.float16) for name in known}
    settings = TrainingSettings(batch_size=1, seed=1, augment=False)
    made = ClipBatches(clips, ROWS, LABELS, np.arange(CLIPS), settings, learning=learning, **given)
    presence = {int(number): made[place][0]["presence"][0].tolist() for place, number in enumerate(made._order)}
    assert presence == {number: [1, number != 1] for number in range(CLIPS)}


def test_features_of_clips_are_mixed_as_their_labels_are():
    """Clip n has features n: what share of a clip with another label came in is told by both alike."""
    seen = (np.arange(CLIPS) % 2)[:, None, None] * np.ones((1, 2, 3), np.float32)
    settings = TrainingSettings(batch_size=CLIPS, seed=1, mixup=1.0, augment=False)
    made = ClipBatches(prepared(HUGE), ROWS, LABELS, np.arange(CLIPS), settings, learning=True, features=seen)
    inputs, targets = made[0]
    right = targets["action"][:, 1]
    assert np.unique(np.round(right, 3)).size > 2 and np.allclose(targets["action"][:, -1], 1)
    assert np.allclose(inputs["video_features"][:, 0, 0], right, atol=1e-6)
    made.begin(1)
    assert not np.allclose(made[0][1]["action"], targets["action"])


def test_with_frames_the_sound_moves_together_with_them():
    made, moved = batches(SMALL, features=False), set()
    for epoch in range(5):
        made.begin(epoch)
        moved |= {int(np.abs(sound).argmax()) for sound in made[0][0]["waveform"]}
    assert len(moved) > 5


@pytest.mark.parametrize("learning", [True, False])
def test_features_belong_to_the_clip_of_their_labels(learning):
    inputs, targets = batches(HUGE, features=True, learning=learning)[1]
    assert (inputs["video_features"][:, 0, 0] % 2 == targets["action"][:, 1]).all()


def gone_through(dataset: Feed) -> list[np.ndarray]:
    return [inputs["video_features"].numpy()[:, 0, 0] for inputs, _ in dataset]


def test_the_feed_gives_each_epoch_from_its_first_batch_on():
    made = batches(HUGE, features=True)
    dataset = Feed(made)
    expected = [made[place][0]["video_features"][:, 0, 0] for place in range(len(made))]
    next(iter(dataset))  # an epoch that is left in the middle
    for _ in range(2):
        assert np.array_equal(gone_through(dataset), expected)
    made.begin(1)
    assert not np.array_equal(gone_through(dataset), expected)


def test_batches_are_made_ahead_though_operations_are_repeatable():
    """While the first is held, the second is made; TensorFlow's own prefetch would not."""
    made, second = batches(HUGE, features=True), threading.Event()
    whole = ClipBatches.__getitem__

    class Watched(ClipBatches):
        def __getitem__(self, place):
            if place == 1:
                second.set()
            return whole(self, place)

    made.__class__ = Watched
    tf.random.set_seed(0)  # for the tests after this one: the next line holds for the whole process
    tf.config.experimental.enable_op_determinism()
    dataset = iter(Feed(made))
    next(dataset)
    assert second.wait(timeout=20)


def test_what_goes_wrong_while_making_a_batch_is_told():
    made = batches(HUGE, features=True)

    class Broken(ClipBatches):
        def __getitem__(self, place):
            if place == 1:
                raise OSError("the disk is gone")
            return super().__getitem__(place)

    made.__class__ = Broken
    with pytest.raises(OSError, match="the disk is gone"):
        gone_through(Feed(made))
