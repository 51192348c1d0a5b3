"""The model: frames and sound go in as they are, logits of each head come out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
from keras import ops

from video_understanding.errors import SpecError
from video_understanding.labels import Labels
from video_understanding.layers.linear_classifier import LinearClassifier
from video_understanding.layers.motion import MotionTokens
from video_understanding.layers.over_time import OverTime
from video_understanding.layers.presence import MissingSense, SenseDropout
from video_understanding.models.audio_encoder import make_hop_encoder, tokens_of
from video_understanding.models.fusion import FUSIONS, Fusion
from video_understanding.models.losses import loss_and_accuracy
from video_understanding.models.video_encoder import make_frame_head, make_video_backbone
from video_understanding.scorer import SENSES
from video_understanding.spec import ModelSpec


@keras.saving.register_keras_serializable("video_understanding")
class VideoUnderstandingModel(keras.Model):
    """A `keras.Model` for the clips that `spec` describes and the classes that `labels` name.

    Inputs, a dict: frames uint8 [B,T,H,W,3], waveform float32 [B,N], presence [B,2] (1 where the clip has
    video, audio). Instead of frames it takes `features` float32 [B,T,F], what a frozen backbone saw in them; instead
    of the waveform `heard` float32 [B,M,S,C], what a frozen listener heard in its hops.
    Outputs, a dict: for each head with classes, logits float32 [B,C] in the order of the labels.

    `weights` are those that the backbone begins with (see `make_backbone`), `seed` decides all random ones. A linear
    classifier weighs how familiar a clip is, but for those saved by versions without `familiarity`.
    """

    def __init__(
        self,
        spec: ModelSpec,
        labels: Labels,
        *,
        weights: str | Path | None = "default",
        seed: int | None = None,
        familiarity: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not labels.heads:
            raise SpecError("labels", "name no class of any head", "Give the classes of one or more heads.")
        self.spec = spec
        self.labels = labels
        network = spec.network
        self.backbone = make_video_backbone(spec, weights, _seed(seed, 0))
        self.frame_head = make_frame_head(spec, self.backbone.output_shape[-1], _seed(seed, 1))
        self.hop_encoder = make_hop_encoder(spec, weights, _seed(seed, 2))
        self._see = OverTime(self.backbone, name="see")
        self._note = OverTime(self.frame_head, name="note")
        self._listen = OverTime(self.hop_encoder, name="listen")
        counts = {head: len(classes) for head, classes in labels.items()}
        poolings = ("mean_and_change", "joined_moments")  # of `SENSES`
        # A class of its own may or may not be shown: an even score would not mean "unknown" there.
        familiar = [head.name for head in spec.heads(labels) if not head.is_multi] if familiarity else []
        self.familiarity = familiarity
        linear = network.classifier != "network"
        self.linear = LinearClassifier(counts, poolings, familiar, name="linear") if linear else None
        self.fusion = make_fusion(spec, _seed(seed, 4)) if network.classifier != "linear" else None
        if self.fusion is not None:
            self._make_network(seed)
        self._build(seed)

    def _make_network(self, seed: int | None) -> None:
        """The layers around the fusion: what replaces missing modalities, dropout, a dense layer for each head."""
        spec, network = self.spec, self.spec.network
        self.sense_dropout = SenseDropout(network.sense_dropout, seed=_seed(seed, 3), name="sense_dropout")
        self.motion = MotionTokens(_seed(seed, 40), name="motion") if network.motion and spec.frames > 1 else None
        self.missing_picture = MissingSense(name="missing_picture")
        self.missing_sound = MissingSense(name="missing_sound")
        # The same numbers in every frame of a clip: dropped here and there, they would look like motion.
        still = {"noise_shape": (None, 1, None), "seed": _seed(seed, 41)}
        self._drop_seen = keras.layers.Dropout(network.dropout, **still, name="drop_seen")
        self.drop = keras.layers.Dropout(network.dropout, seed=_seed(seed, 20), name="drop")
        self.heads = {
            head.name: keras.layers.Dense(
                len(head.classes),
                kernel_initializer=keras.initializers.GlorotUniform(_seed(seed, 21 + place)),
                dtype="float32",
                name=head.name,
            )
            for place, head in enumerate(spec.heads(self.labels))
        }

    def _build(self, seed: int | None) -> None:
        """Makes all weights at once: a model that is loaded, looked at or exported must not first be called."""
        spec, size, shapes = self.spec, self.spec.network.token_size, self.token_shapes
        picture, sound = tokens = [(None, *shapes[modality]) for modality in SENSES]
        presence = (None, len(SENSES))
        if seed is not None:
            keras.utils.set_random_seed(seed)  # for the parts whose initializers have no seed of their own
        layers = [
            (self._see, [(None, *spec.frames_shape)]),
            (self._note, [(None, spec.frames, self.backbone.output_shape[-1])]),
            (self._listen, [(None, spec.hops, spec.audio.hop_samples)]),
        ]
        if self.linear is not None:
            layers.append((self.linear, [tokens, presence]))
        if self.fusion is not None:
            layers += [
                *([(self.motion, [picture])] if self.motion else []),
                (self.missing_picture, [picture, (None,)]),
                (self.missing_sound, [sound, (None,)]),
                (self.fusion, [picture, sound, presence]),
                *((head, [(None, size)]) for head in self.heads.values()),
            ]
        for layer, shapes in layers:
            layer.build(*shapes)
        self.built = True

    def compile(self, optimizer: Any = "adamw", loss: Any = None, metrics: Any = None, **kwargs: Any) -> None:
        """As in Keras; without a loss, the one for clips that may not be labelled for every head, and its accuracy."""
        if loss is None:
            made = {head.name: loss_and_accuracy(head.is_multi) for head in self.spec.heads(self.labels)}
            loss = {head: own for head, (own, _) in made.items()}
            metrics = metrics or {head: [accuracy] for head, (_, accuracy) in made.items()}
        super().compile(optimizer=optimizer, loss=loss, metrics=metrics, **kwargs)

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> dict[str, Any]:
        """Logits of every head for a batch of clips."""
        presence = inputs["presence"]  # [B,2]
        if self.fusion is not None:
            presence = self.sense_dropout(presence, training=training)
        features = inputs["features"] if "features" in inputs else self.see(inputs["frames"], training)  # [B,T,F]
        picture = self.note(features, training)  # [B,T,D]
        if "heard" in inputs:
            sound = self.interpret(inputs["heard"], training)  # [B,M*K,D]
        else:
            sound = self.listen(inputs["waveform"], training)
        return self.conclude(picture, sound, presence, training)

    @property
    def token_shapes(self) -> dict[str, tuple[int, int]]:
        """(n,D) of the tokens of each modality in one window."""
        spec = self.spec
        sound = spec.sound_tokens, self.hop_encoder.output_shape[-1]
        return dict(zip(SENSES, ((spec.frames, self.frame_head.output_shape[-1]), sound), strict=True))

    @property
    def statistics_blocks(self) -> dict[str, list[int]]:
        """How many numbers there are of each kind among the pooled statistics of each modality's features."""
        kinds = [shape.shape[-1] for shape in self.hop_encoder.get_layer("chunk_moments").input]
        return {"video": 2 * [self.backbone.output_shape[-1]], "audio": 2 * kinds}

    def see(self, frames: Any, training: bool | None = None) -> Any:
        """uint8 [B,T,H,W,3] -> features float32 [B,T,F] of each frame."""
        return self._see(ops.cast(frames, "float32"), training=training)

    def note(self, features: Any, training: bool | None = None) -> Any:
        """Features [B,T,F] -> picture tokens [B,T,D]."""
        if self.fusion is not None:
            features = self._drop_seen(features, training=training)
        return self._note(features, training=training)

    def listen(self, waveform: Any, training: bool | None = None) -> Any:
        """float32 [B,N] -> sound tokens [B,M*K,D], hop by hop."""
        spec = self.spec
        hops = ops.reshape(waveform, (-1, spec.hops, spec.audio.hop_samples))  # [B,M,hop]
        tokens = self._listen(hops, training=training)  # [B,M,K,D]
        return ops.reshape(tokens, (-1, *self.token_shapes["audio"]))

    def interpret(self, heard: Any, training: bool | None = None) -> Any:
        """What a frozen listener heard, [B,M,S,C] -> sound tokens [B,M*K,D]."""
        of_hops = ops.reshape(heard, (-1, *heard.shape[2:]))  # [B*M,S,C]
        tokens = tokens_of(self.hop_encoder, of_hops, training)  # [B*M,K,D]
        return ops.reshape(tokens, (-1, *self.token_shapes["audio"]))

    def conclude(self, picture: Any, sound: Any, presence: Any, training: bool | None = None) -> dict[str, Any]:
        """Picture tokens [B,T,D], sound tokens [B,M*K,D] and presence [B,2] -> logits of every head."""
        return self.embed_and_classify(picture, sound, presence, training)[1]

    def embed(self, picture: Any, sound: Any, presence: Any, training: bool | None = None) -> Any:
        """Picture tokens [B,T,D], sound tokens [B,M*K,D] and presence [B,2] -> the embedding [B,E] of each clip."""
        return self.embed_and_classify(picture, sound, presence, training)[0]

    def embed_and_classify(
        self, picture: Any, sound: Any, presence: Any, training: bool | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Tokens and presence, as `embed` takes them -> the embedding [B,E], and the logits [B,C] of every head."""
        if self.linear is not None:
            return self.linear([picture, sound], presence, return_embedding=True)
        picture, sound = self.stand_in(picture, sound, presence)
        embedding = self.fusion(picture, sound, presence, training=training)  # [B,D]
        vector = self.drop(embedding, training=training)
        return embedding, {head: layer(vector) for head, layer in self.heads.items()}  # [B,C] each

    def stand_in(self, picture: Any, sound: Any, presence: Any) -> tuple[Any, Any]:
        """The tokens [B,T,D] and [B,M*K,D] as they are joined: with motion, and learned ones for a missing sense."""
        moved = picture if self.motion is None else self.motion(picture)  # [B,T,D]
        return self.missing_picture(moved, presence[:, 0]), self.missing_sound(sound, presence[:, 1])

    def get_config(self) -> dict[str, Any]:
        config = {"spec": self.spec.to_json(), "labels": self.labels.to_json(), "name": self.name}
        config["familiarity"] = self.familiarity
        return {**config, "dtype": keras.saving.serialize_keras_object(self.dtype_policy)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> VideoUnderstandingModel:
        config = dict(config)
        spec, labels = ModelSpec.from_json(config.pop("spec")), Labels.from_json(config.pop("labels"))
        familiarity = config.pop("familiarity", False)  # versions before it did not say
        # The weights come from the file that is being loaded; the backbone need not fetch its own.
        return cls(spec, labels, weights=None, familiarity=familiarity, **keras.saving.deserialize_keras_object(config))


def make_fusion(spec: ModelSpec, seed: int | None = None) -> Fusion:
    """The spec's way of joining the senses."""
    network = spec.network
    if network.fusion not in FUSIONS:
        raise SpecError("network.fusion", f"{network.fusion!r} is not known", f"Use one of: {', '.join(FUSIONS)}.")
    times_s = (spec.instants_s().tolist(), spec.sound_times_s().tolist())
    return FUSIONS[network.fusion](*times_s, network.attention_heads, network.dropout, seed, name="fusion")


def _seed(seed: int | None, place: int) -> int | None:
    """A seed for each part, so that adding a part changes no other."""
    return None if seed is None else seed * 1000 + place
