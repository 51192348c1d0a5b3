"""Which encoders, fusion and classifier a model is made of, and their sizes."""

from __future__ import annotations

from dataclasses import dataclass

from video_understanding.errors import ManifestError, SpecError
from video_understanding.labels import require_head_name
from video_understanding.spec_numbers import whole

CLASSIFIERS = ("network", "linear")
MISSING = ("ignore", "drop", "fill")


@dataclass(frozen=True)
class NetworkSpec:
    """The network's parts and sizes.

    backbone          which CNN encodes each frame: "small", "efficientnet_lite0", any network of
                      keras.applications by name, a TF-Hub handle or the path of a SavedModel
    unfrozen_blocks   how many of its last blocks are trained; None means all, 0 none
    motion            whether video tokens hold how far each is from the one before
    listener          what encodes each hop of sound: "conv1d", small and learned from nothing, or
                      "separable", which comes with pretrained weights
    unfrozen_listener_blocks  how many of its last blocks are trained; None means all, 0 none
    fusion            how the modalities are joined
    token_size        D, the numbers that stand for one moment of one modality
    tokens_per_hop    how many of them a hop of sound gives
    attention_heads   into how many heads attention is divided
    dropout           share of numbers dropped in training
    modality_dropout  share of clips that lose one of their modalities in training
    classifier        "linear": pooled statistics of frozen features, and a linear map solved in closed form;
                      "network": the fusion and a dense layer, trained by gradients
    missing           what stands for a modality that a clip lacks: "ignore" a learned token, "fill" the mean of the
                      other clips'; with "drop" such clips are not learned from
    multi_label       the heads of which a clip may show several classes at once, or none
    """

    backbone: str = "small"
    unfrozen_blocks: int | None = None
    motion: bool = False
    listener: str = "conv1d"
    unfrozen_listener_blocks: int | None = None
    fusion: str = "cross_attention"
    token_size: int = 64
    tokens_per_hop: int = 2
    attention_heads: int = 4
    dropout: float = 0.2
    modality_dropout: float = 0.2
    classifier: str = "network"
    missing: str = "ignore"
    multi_label: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("backbone", "listener", "fusion"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise SpecError(f"network.{name}", f"is {getattr(self, name)!r}, not a name", "Give a name.")
        for name, known in (("classifier", CLASSIFIERS), ("missing", MISSING)):
            if getattr(self, name) not in known:
                cause = f"{getattr(self, name)!r} is not known"
                raise SpecError(f"network.{name}", cause, f"Use one of: {', '.join(known)}.")
        if not isinstance(self.motion, bool):
            raise SpecError("network.motion", f"is {self.motion!r}, not true or false", "Give one of these.")
        for name in ("unfrozen_blocks", "unfrozen_listener_blocks"):
            if getattr(self, name) is not None:
                whole(self, name, 0, 1000)
        for name in ("token_size", "tokens_per_hop", "attention_heads"):
            whole(self, name, 1, 4096)
        if self.token_size % self.attention_heads:
            raise SpecError(
                "network.token_size",
                f"{self.token_size} cannot be divided among {self.attention_heads} attention_heads",
                "Choose a multiple.",
            )
        for name in ("dropout", "modality_dropout"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
                raise SpecError(f"network.{name}", f"is {value!r}, not a share from 0 to below 1", "Give such a share.")
        named = self.multi_label
        try:
            if not isinstance(named, (list, tuple)):
                raise ManifestError(repr(named), "is not a list", "Give a list of heads, such as action.")
            # In one order and each once, so that specs which mean the same are equal.
            object.__setattr__(self, "multi_label", tuple(sorted(set(map(require_head_name, named)))))
        except ManifestError as error:
            raise SpecError("network.multi_label", f"{error.subject} {error.cause}", error.cure) from error

    @property
    def words(self) -> str:
        """What it is made of, in a few words."""
        missing = {
            "drop": "; clips that lack a modality were not learned from",
            "fill": "; a modality that a clip lacks is filled with the mean of the other clips' tokens",
        }.get(self.missing, "")
        encoders = f"`{self.backbone}` encodes the frames, `{self.listener}` the sound"
        if self.classifier == "linear":
            how = ", both frozen; a linear classifier on their pooled features was solved in closed form"
        else:
            how = f"; `{self.fusion}` joins them, each moment in {self.token_size} numbers"
        return f"{encoders}{how}{missing}"
