"""The model: frames, sound and other modalities go in as they are, logits of each head come out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from video_understanding.errors import SpecError
from video_understanding.labels import Labels
from video_understanding.layers.linear_classifier import LinearClassifier
from video_understanding.layers.presence import MissingModality, ModalityDropout
from video_understanding.modality import MODALITIES, modalities_of, named
from video_understanding.models.encoders.base import Encoder, part_seed
from video_understanding.models.fusion import FUSIONS, Fusion
from video_understanding.models.losses import loss_and_accuracy
from video_understanding.spec import ModelSpec

Tokens = Mapping[str, Any]  # modality -> [B,n,D]


@keras.saving.register_keras_serializable("video_understanding")
class VideoUnderstandingModel(keras.Model):
    """A `keras.Model` for the clips that `spec` describes and the classes that `labels` name.

    Inputs, a dict: for each modality of the spec its array of whole windows, such as frames uint8 [B,T,H,W,3] and
    waveform float32 [B,N], and presence [B,M] (1 where the clip has the modality). Instead of an array it takes what
    the modality's frozen backbone makes of it: `video_features` float32 [B,T,F] instead of frames.
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
        self.encoders: dict[str, Encoder] = {
            modality.name: named(modality.encoder)(spec, weights, seed) for modality in modalities_of(spec.modalities)
        }
        counts = {head: len(classes) for head, classes in labels.items()}
        poolings = [encoder.pooling for encoder in self.encoders.values()]
        # Of several classes each may be shown or not: even scores would not mean "unknown".
        familiar = [head.name for head in spec.heads(labels) if not head.is_multi] if familiarity else []
        self.familiarity = familiarity
        linear = network.classifier != "network"
        self.linear = LinearClassifier(counts, poolings, familiar, name="linear") if linear else None
        self.fusion = self._make_fusion(part_seed(seed, 4)) if network.classifier != "linear" else None
        if self.fusion is not None:
            self._make_network(seed)
        self._build(seed)

    def _make_fusion(self, seed: int | None) -> Fusion:
        """The spec's way of joining the modalities."""
        network = self.spec.network
        if network.fusion not in FUSIONS:
            raise SpecError("network.fusion", f"{network.fusion!r} is not known", f"Use one of: {', '.join(FUSIONS)}.")
        times_s = {name: MODALITIES[name].times_s(self.spec, n).tolist() for name, (n, _) in self.token_shapes.items()}
        return FUSIONS[network.fusion](times_s, network.attention_heads, network.dropout, seed, name="fusion")

    def _make_network(self, seed: int | None) -> None:
        """The layers around the fusion: what replaces missing modalities, dropout, a dense layer for each head."""
        network = self.spec.network
        self.modality_dropout = ModalityDropout(network.modality_dropout, part_seed(seed, 3), name="modality_dropout")
        self.missing = {
            name: MissingModality(network.missing == "fill", name=f"missing_{name}") for name in self.encoders
        }
        self.drop = keras.layers.Dropout(network.dropout, seed=part_seed(seed, 20), name="drop")
        self.heads = {
            head.name: keras.layers.Dense(
                len(head.classes),
                kernel_initializer=keras.initializers.GlorotUniform(part_seed(seed, 21 + place)),
                dtype="float32",
                name=head.name,
            )
            for place, head in enumerate(self.spec.heads(self.labels))
        }

    def _build(self, seed: int | None) -> None:
        """Makes all weights at once: a model that is loaded, summarised or exported must not first be called."""
        if seed is not None:
            keras.utils.set_random_seed(seed)  # for the parts whose initializers have no seed of their own
        shapes = {name: (None, *shape) for name, shape in self.token_shapes.items()}
        presence = (None, len(shapes))
        for encoder in self.encoders.values():
            encoder.build()
        if self.linear is not None:
            self.linear.build(list(shapes.values()), presence)
        if self.fusion is not None:
            for name, layer in self.missing.items():
                layer.build(shapes[name])
            self.fusion.build(shapes, presence)
            for layer in self.heads.values():
                layer.build((None, self.spec.network.token_size))
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
        presence = inputs["presence"]  # [B,M]
        if self.fusion is not None:
            presence = self.modality_dropout(presence, training=training)
        tokens = {}
        for name, encoder in self.encoders.items():
            if f"{name}_features" in inputs:
                tokens[name] = encoder.tokens(inputs[f"{name}_features"], training)
            else:
                tokens[name] = encoder(inputs[MODALITIES[name].input], training=training)  # [B,n,D]
        return self.embed_and_classify(tokens, presence, training)[1]

    @property
    def token_shapes(self) -> dict[str, tuple[int, int]]:
        """(n,D) of the tokens of each modality in one window."""
        return {name: encoder.token_shape for name, encoder in self.encoders.items()}

    def embed_and_classify(
        self, tokens: Tokens, presence: Any, training: bool | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Tokens [B,n,D] of each modality and presence [B,M] -> embedding [B,E], logits [B,C] of each head."""
        if self.linear is not None:
            return self.linear([tokens[name] for name in self.encoders], presence, return_embedding=True)
        embedding = self.fusion(self.fill_missing(tokens, presence, training), presence, training=training)  # [B,D]
        vector = self.drop(embedding, training=training)
        return embedding, {head: layer(vector) for head, layer in self.heads.items()}  # [B,C] each

    def fill_missing(self, tokens: Tokens, presence: Any, training: bool | None = None) -> dict[str, Any]:
        """The tokens [B,n,D] as they are fused: in context, and with other ones in place of a missing modality's."""
        filled = {}
        for place, (name, encoder) in enumerate(self.encoders.items()):
            own = tokens[name] if encoder.context is None else encoder.context(tokens[name])
            filled[name] = self.missing[name](own, presence[:, place], training=training)
        return filled

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
