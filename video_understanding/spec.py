"""One frozen description of what a model sees and hears: everything in seconds, hertz and pixels.

Sizes in frames and samples are never stored; they are derived, and a spec whose seconds and hertz do
not give whole frames and samples is refused at birth.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from video_understanding.errors import SpecError
from video_understanding.labels import HeadSpec, Labels
from video_understanding.modality import DEFAULT, MODALITIES, MOST_MODALITIES, NATIVE
from video_understanding.network_spec import NetworkSpec
from video_understanding.spec_numbers import (
    LEAST_POWER,
    MOST_CLIP_BYTES,
    MOST_FRAMES_HZ,
    MOST_MEL_NUMBERS,
    MOST_MEL_WINDOW_S,
    MOST_POWER,
    MOST_TOKENS,
    MOST_WINDOW_S,
    at_most,
    exact,
    fraction,
    positive,
    whole,
)
from video_understanding.strict_json import strict_json

SPEC_FORMAT = 1  # raised when an older reader would misunderstand a newer spec
FITS = ("crop", "pad", "stretch")


@dataclass(frozen=True)
class VideoSpec:
    """How the picture is seen: how often, how large, and how other shapes are fitted.

    `fit`: "crop" scales until the target is covered and cuts the rest off evenly, "pad" scales until
    all is inside and fills up with black, "stretch" scales each side by itself.

    `zoom`: pictures are fitted into so many times the height and width, and the network looks at the part of
    `height_px` x `width_px` in which most moves, one for all frames of a window (`media.closer`); 1 for all of it.
    """

    frames_hz: float = 4.0
    height_px: int = 160
    width_px: int = 160
    fit: str = "crop"
    zoom: int = 1

    def __post_init__(self) -> None:
        positive(self, "frames_hz", MOST_FRAMES_HZ)
        whole(self, "height_px", 1, 8192)
        whole(self, "width_px", 1, 8192)
        if self.fit not in FITS:
            raise SpecError("video.fit", f"{self.fit!r} is not known", f"Use one of: {', '.join(FITS)}.")
        whole(self, "zoom", 1, 4)

    @property
    def read_height_px(self) -> int:
        """Of a picture as it is read, before the network's part of it is chosen."""
        return self.zoom * self.height_px

    @property
    def read_width_px(self) -> int:
        """Of a picture as it is read, before the network's part of it is chosen."""
        return self.zoom * self.width_px


@dataclass(frozen=True)
class LogMelSpec:
    """How a hop of sound becomes a log-mel picture; bands weaker than `floor_power` count as silent.

    A full-scale tone has a power of about 100 in its band.
    """

    window_s: float = 0.025
    step_s: float = 0.010
    bands: int = 64
    low_hz: float = 125.0
    high_hz: float = 7500.0
    floor_power: float = 1e-6

    def __post_init__(self) -> None:
        for name in ("window_s", "step_s"):
            positive(self, name, MOST_MEL_WINDOW_S)
        for name in ("low_hz", "high_hz"):
            positive(self, name, 192_000)
        positive(self, "floor_power", MOST_POWER, LEAST_POWER)
        whole(self, "bands", 1, 1024)
        if self.low_hz >= self.high_hz:
            raise SpecError(
                "audio.log_mel",
                f"low_hz {self.low_hz:g} is not below high_hz {self.high_hz:g}",
                "Give a band that rises from low to high.",
            )


@dataclass(frozen=True)
class AudioSpec:
    """How the sound is heard: its rate, and the hops that are encoded each by itself."""

    sample_rate_hz: int = 16_000
    hop_s: float = 0.5
    log_mel: LogMelSpec = field(default_factory=LogMelSpec)

    def __post_init__(self) -> None:
        whole(self, "sample_rate_hz", 1_000, 192_000)
        positive(self, "hop_s", MOST_WINDOW_S)
        _part(self, "log_mel", LogMelSpec)
        for name in ("hop_samples", "mel_window_samples", "mel_step_samples", "mel_steps_per_hop"):
            getattr(self, name)  # refused here, at birth, if it is not whole
        if self.log_mel.high_hz > self.sample_rate_hz / 2:
            raise SpecError(
                "audio.log_mel.high_hz",
                f"{self.log_mel.high_hz:g} Hz is above half the sample rate, {self.sample_rate_hz / 2:g} Hz",
                "Lower it, or raise audio.sample_rate_hz.",
            )
        at_most(self.mel_steps_per_hop * self.fft_samples, MOST_MEL_NUMBERS, "audio", "numbers in a hop's spectra")
        at_most(self.log_mel.bands * self.fft_samples, MOST_MEL_NUMBERS, "audio.log_mel", "weights of its bands")

    @cached_property
    def hop_samples(self) -> int:
        return exact(self.hop_s, self.sample_rate_hz, "audio.hop_s x audio.sample_rate_hz", "samples")

    @cached_property
    def mel_window_samples(self) -> int:
        return exact(
            self.log_mel.window_s, self.sample_rate_hz, "audio.log_mel.window_s x audio.sample_rate_hz", "samples"
        )

    @cached_property
    def mel_step_samples(self) -> int:
        return exact(self.log_mel.step_s, self.sample_rate_hz, "audio.log_mel.step_s x audio.sample_rate_hz", "samples")

    @property
    def fft_samples(self) -> int:
        """The smallest power of two that holds a log-mel window."""
        return 1 << (self.mel_window_samples - 1).bit_length()

    @cached_property
    def mel_steps_per_hop(self) -> int:
        return exact(
            self.hop_s, 1 / fraction(self.log_mel.step_s), "audio.hop_s / audio.log_mel.step_s", "log-mel steps"
        )


@dataclass(frozen=True)
class ModelSpec:
    """What one clip is, and what encodes it: `window_s` seconds of frames and sound, how each is sampled.

    `modalities` are those that the model takes in, names in `modality.MODALITIES`; their order is that of presence.
    """

    window_s: float = 4.0
    video: VideoSpec = field(default_factory=VideoSpec)
    audio: AudioSpec = field(default_factory=AudioSpec)
    network: NetworkSpec = field(default_factory=NetworkSpec)
    modalities: tuple[str, ...] = DEFAULT

    def __post_init__(self) -> None:
        positive(self, "window_s", MOST_WINDOW_S)
        object.__setattr__(self, "modalities", _modalities(self.modalities))
        _part(self, "video", VideoSpec)
        _part(self, "audio", AudioSpec)
        _part(self, "network", NetworkSpec)
        for name in ("frames", "samples", "hops"):
            getattr(self, name)
        at_most(math.prod(self.read_shape), MOST_CLIP_BYTES, "video", "bytes of pictures in a clip")
        at_most(4 * self.samples, MOST_CLIP_BYTES, "audio", "bytes of sound in a clip")
        at_most(self.frames, MOST_TOKENS, "video", "frames in a clip")
        at_most(self.hops * self.network.tokens_per_hop, MOST_TOKENS, "audio", "tokens of sound in a clip")

    @cached_property
    def frames(self) -> int:
        """T, the frames of one clip."""
        return exact(self.window_s, self.video.frames_hz, "window_s x video.frames_hz", "frames")

    @cached_property
    def samples(self) -> int:
        """N, the samples of one clip's waveform."""
        return exact(self.window_s, self.audio.sample_rate_hz, "window_s x audio.sample_rate_hz", "samples")

    @cached_property
    def hops(self) -> int:
        """M, the hops of sound in one clip."""
        return exact(self.window_s, 1 / fraction(self.audio.hop_s), "window_s / audio.hop_s", "hops of sound")

    @property
    def derived(self) -> tuple[str, ...]:
        """The modalities that are derived from a clip's frames and sound."""
        return tuple(name for name in self.modalities if name not in NATIVE)

    @property
    def frames_shape(self) -> tuple[int, int, int, int]:
        """(T, H, W, 3) of one clip's frames as the network takes them."""
        return self.frames, self.video.height_px, self.video.width_px, 3

    @property
    def read_shape(self) -> tuple[int, int, int, int]:
        """(T, zoom*H, zoom*W, 3) of one clip's frames as they are read, in a file or a stream."""
        return self.frames, self.video.read_height_px, self.video.read_width_px, 3

    def heads(self, labels: Labels) -> tuple[HeadSpec, ...]:
        """The heads of a model of this spec that answers with these labels, in their order."""
        multi = self.network.multi_label
        return tuple(HeadSpec(head, names, "multi" if head in multi else "single") for head, names in labels.items())

    def instants_s(self, start_s: float = 0.0) -> np.ndarray:
        """float64 [T]: when each frame is looked at, in seconds.

        Each instant is the middle of its share of the window, so that windows which begin a whole
        number of frames apart look at the same instants and can share them.
        """
        return start_s + (2 * np.arange(self.frames) + 1) / (2 * self.video.frames_hz)  # [T]

    def to_dict(self) -> dict[str, Any]:
        values = dataclasses.asdict(self)
        if self.video.zoom == 1:
            # Programs that are older than the setting read such a spec, and refuse any other; and what is named by
            # all settings, as cached clips are, keeps its name.
            del values["video"]["zoom"]
        for name, usual in (("classifier", "network"), ("missing", "ignore")):
            if values["network"][name] == usual:
                del values["network"][name]  # for the same reason
        if self.modalities == DEFAULT:
            del values["modalities"]  # for the same reason
        return {"format": SPEC_FORMAT, **values}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelSpec:
        """The spec of `to_dict`; settings left out keep their defaults, unknown ones are refused."""
        if not isinstance(values, dict):
            raise SpecError("spec", f"is a {type(values).__name__}, not a JSON object", "Write it with to_json().")
        values = dict(values)
        version = values.pop("format", SPEC_FORMAT)
        if version != SPEC_FORMAT:
            raise SpecError(
                "spec",
                f"has format {version!r}, this program reads format {SPEC_FORMAT}",
                "Install a newer video-audio-understanding.",
            )
        return _from_dict(cls, values, "")

    @classmethod
    def from_json(cls, text: str) -> ModelSpec:
        try:
            values = strict_json(text)
        except ValueError as error:
            raise SpecError("spec", f"is not JSON ({error})", "Write it with to_json().") from error
        return cls.from_dict(values)


RENAMED = {"sense_dropout": "modality_dropout"}  # settings as older versions wrote them -> their names now
_PARTS = {"video": VideoSpec, "audio": AudioSpec, "log_mel": LogMelSpec, "network": NetworkSpec}


def _from_dict(cls: type, values: dict[str, Any], prefix: str) -> Any:
    if not isinstance(values, dict):
        raise SpecError(prefix.rstrip("."), "is not a group of settings", "Give an object with its settings.")
    known = [entry.name for entry in dataclasses.fields(cls)]
    settings = {}
    for own_name, value in values.items():
        name = RENAMED.get(own_name, own_name)
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {prefix}{near[0]}?" if near else f"Known settings: {', '.join(known)}."
            raise SpecError(f"{prefix}{name}", "is not a setting of the spec", hint)
        settings[name] = _from_dict(_PARTS[name], value, f"{prefix}{name}.") if name in _PARTS else value
    return cls(**settings)


def _modalities(names: Any) -> tuple[str, ...]:
    given = tuple(map(str, names)) if isinstance(names, (list, tuple)) else ()
    if not 1 <= len(given) <= MOST_MODALITIES or len(set(given)) < len(given):
        raise SpecError("modalities", f"are {names!r}", f"Give a list of one to {MOST_MODALITIES} names, each once.")
    for name in given:
        if name not in MODALITIES:
            raise SpecError(f"modality {name!r}", "is not known", f"Use some of: {', '.join(MODALITIES)}.")
    return given


def _part(part: Any, name: str, cls: type) -> None:
    if not isinstance(getattr(part, name), cls):
        raise SpecError(name, f"is {getattr(part, name)!r}, not a {cls.__name__}", f"Give a {cls.__name__}(...).")
