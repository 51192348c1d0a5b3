"""The spec: derived sizes are exact or refused, and JSON goes both ways."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from video_understanding.errors import SpecError
from video_understanding.modality import MODALITIES
from video_understanding.spec import AudioSpec, LogMelSpec, ModelSpec, NetworkSpec, VideoSpec


def test_sizes_follow_from_seconds_and_hertz():
    spec = ModelSpec(window_s=3.0, video=VideoSpec(frames_hz=5, height_px=96, width_px=128), audio=AudioSpec(hop_s=0.5))
    assert (spec.frames, spec.samples, spec.hops) == (15, 48_000, 6)
    assert spec.frames_shape == (15, 96, 128, 3)
    assert spec.audio.mel_steps_per_hop == 50
    assert (spec.audio.mel_window_samples, spec.audio.mel_step_samples, spec.audio.fft_samples) == (400, 160, 512)


def test_decimal_fractions_mean_what_they_say():
    """0.1 + 0.2 is not 0.3 in binary, but 0.3 s at 10 frames a second are three frames."""
    assert ModelSpec(window_s=0.3, video=VideoSpec(frames_hz=10), audio=AudioSpec(hop_s=0.1)).frames == 3
    assert ModelSpec(window_s=60, video=VideoSpec(frames_hz=0.25)).frames == 15


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda: ModelSpec(window_s=4.1), "window_s x video.frames_hz"),
        (lambda: ModelSpec(window_s=4.25, video=VideoSpec(frames_hz=4)), "window_s / audio.hop_s"),
        (lambda: ModelSpec(window_s=-1), "window_s"),
        (lambda: ModelSpec(window_s=float("nan")), "window_s"),
        (lambda: ModelSpec(window_s="4"), "window_s"),
        (lambda: VideoSpec(height_px=0), "height_px"),
        (lambda: VideoSpec(width_px=160.5), "width_px"),
        (lambda: VideoSpec(width_px=float("inf")), "width_px"),
        (lambda: VideoSpec(fit="squeeze"), "video.fit"),
        (lambda: VideoSpec(zoom=0), "zoom"),
        (lambda: VideoSpec(zoom=5), "zoom"),
        (lambda: VideoSpec(zoom=1.5), "zoom"),
        (lambda: AudioSpec(hop_s=0.00001), "audio.hop_s"),
        (lambda: AudioSpec(hop_s=0.505), "log_mel.step_s"),
        (lambda: AudioSpec(sample_rate_hz=8000), "high_hz"),
        (lambda: LogMelSpec(low_hz=8000), "audio.log_mel"),
        (lambda: ModelSpec(video={"height_px": 3}), "video"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(make, names):
    with pytest.raises(SpecError) as refusal:
        make()
    assert names in refusal.value.subject
    assert refusal.value.cure


def test_json_both_ways():
    spec = ModelSpec(window_s=2, video=VideoSpec(frames_hz=12.5, fit="pad", height_px=64), audio=AudioSpec(hop_s=1))
    assert ModelSpec.from_json(spec.to_json()) == spec
    assert ModelSpec.from_json("{}") == ModelSpec()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("not json", "not JSON"),
        ("[1]", "list"),
        ('{"vidoe": {}}', "Did you mean video?"),
        ('{"audio": {"log_mel": {"band": 3}}}', "Did you mean audio.log_mel.bands?"),
        ('{"video": 3}', "group of settings"),
        ('{"format": 99}', "newer"),
    ],
)
def test_wrong_json_is_told(text, says):
    with pytest.raises(SpecError, match=r".") as refusal:
        ModelSpec.from_json(text)
    assert says in str(refusal.value)


def test_pictures_are_read_larger_by_the_zoom_and_the_network_takes_a_part():
    spec = ModelSpec(video=VideoSpec(height_px=96, width_px=128, zoom=3))
    assert spec.read_shape == (16, 288, 384, 3)
    assert spec.frames_shape == (16, 96, 128, 3)
    assert ModelSpec().read_shape == ModelSpec().frames_shape


def test_a_spec_without_zoom_is_written_as_before_and_read_as_zoom_1():
    """So models made before it go on working here, and models without it in programs that do not know it."""
    assert "zoom" not in ModelSpec().to_json()
    assert ModelSpec.from_dict({"format": 1, "video": {"height_px": 96}}).video == VideoSpec(height_px=96, zoom=1)
    zoomed = ModelSpec(video=VideoSpec(zoom=2))
    assert zoomed.to_dict()["video"]["zoom"] == 2
    assert ModelSpec.from_json(zoomed.to_json()) == zoomed


def test_a_spec_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ModelSpec().window_s = 3


def test_windows_that_overlap_in_whole_frames_look_at_the_same_instants():
    spec = ModelSpec()
    np.testing.assert_allclose(spec.instants_s(1.0)[:-4], spec.instants_s(0.0)[4:])
    assert spec.instants_s()[0] == 0.125
    assert spec.instants_s()[-1] == spec.window_s - 0.125


def test_multi_label_heads_are_named_in_one_order_and_survive_json():
    network = NetworkSpec(multi_label=["scene", "emotion", "action", "emotion"])
    assert network.multi_label == ("action", "emotion", "scene")
    spec = ModelSpec(network=network)
    assert ModelSpec.from_json(spec.to_json()) == spec
    assert hash(ModelSpec.from_json(spec.to_json())) == hash(spec)
    old = spec.to_dict()
    del old["network"]["multi_label"]
    assert ModelSpec.from_dict(old).network.multi_label == ()


@pytest.mark.parametrize("named", ["action", ["the mood"], ["path"], [["action"]], None, 3])
def test_what_is_no_list_of_heads_is_refused(named):
    with pytest.raises(SpecError, match=r"network\.multi_label"):
        NetworkSpec(multi_label=named)


def test_settings_under_the_names_of_older_versions_are_read():
    values = ModelSpec(network=NetworkSpec(modality_dropout=0.4)).to_dict()
    values["network"]["sense_dropout"] = values["network"].pop("modality_dropout")
    assert ModelSpec.from_dict(values).network.modality_dropout == 0.4


def test_modalities_are_a_list_that_is_written_only_where_it_is_another(monkeypatch):
    monkeypatch.setitem(MODALITIES, "face", MODALITIES["video"])
    assert "modalities" not in ModelSpec().to_dict()
    spec = ModelSpec(modalities=["audio", "face"])
    assert spec.modalities == ("audio", "face") and spec.derived == ("face",)
    assert ModelSpec.from_json(spec.to_json()) == spec
    for wrong, words in (
        ((), "one to 4"),
        (("video", "video"), "each once"),
        ("video", "Give a list"),
        (["odour"], "odour"),
    ):
        with pytest.raises(SpecError, match=words):
            ModelSpec(modalities=wrong)
