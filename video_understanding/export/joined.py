"""The signatures "classify" and "embed" of a TFLite network, joined from its parts.

Being made of the very tensors of the parts, they share their weights and scales, and give to the bit what a caller
gets who asks the parts one after the other. A signature that is converted and quantised by itself does neither. Both
name outputs of one graph, so the second costs a few bytes.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from video_understanding.export.network import Graph, graphs_of
from video_understanding.labels import EMBEDDING
from video_understanding.modality import modalities_of
from video_understanding.signatures import PRESENCE
from video_understanding.spec import ModelSpec

_KEY, _EMBED = "classify", "embed"


def join_parts(model: schema.ModelT, spec: ModelSpec) -> None:
    """Adds a graph, the first of the model, that takes whole clips and gives what `fuse` gives for their tokens."""
    parts, signatures = graphs_of(model), {one.signatureKey.decode(): one for one in model.signatureDefs}
    fuse, places = parts["fuse"], {entry.tensorIndex: entry.name.decode() for entry in signatures["fuse"].inputs}
    shapes = {name: tuple(int(size) for size in fuse.tensors[place].shape[1:]) for place, name in places.items()}
    joined, given = _Joined(model), {}
    for one in modalities_of(spec.modalities):
        kind = schema.TensorType.UINT8 if one.dtype is np.uint8 else schema.TensorType.FLOAT32
        windows = joined.add_input(one.input, kind, one.window_shape(spec))
        pieces = joined.add_reshape(windows, one.piece_shape(spec))  # [B*P,...]
        (tokens,) = joined.add_part(parts[one.signature], [pieces])  # [B*P,D] or [B*P,K,D]
        given[one.tokens] = joined.add_reshape(tokens, shapes[one.tokens])  # [B,n,D]
    given[PRESENCE] = joined.add_input(PRESENCE, schema.TensorType.FLOAT32, (len(spec.modalities),))
    told = joined.add_part(fuse, [given[places[tensor]] for tensor in fuse.inputs])  # [B,C] each
    outputs = [
        schema.TensorMapT(entry.name, told[list(fuse.outputs).index(entry.tensorIndex)])
        for entry in signatures["fuse"].outputs
    ]
    heads, embedding = (
        [one for one in outputs if (one.name.decode() == EMBEDDING) == wanted] for wanted in (False, True)
    )
    # Heads come first, where runtimes find them that know outputs by their place alone.
    joined.graph.outputs = np.array([one.tensorIndex for one in (*heads, *embedding)], np.int32)
    joined.place_first({_KEY: heads, _EMBED: embedding})


class _Joined:
    """A graph that grows from its inputs; tensors are told by their place in it."""

    def __init__(self, model: schema.ModelT) -> None:
        self._model = model
        self._inputs: list[schema.TensorMapT] = []
        self.graph = Graph(tensors=[], operators=[], name=_KEY)

    def add_input(self, name: str, kind: int, shape: tuple[int, ...]) -> int:
        """[B,*shape], which callers know by this name."""
        tensor = self._add_tensor(f"{_KEY}_{name}", kind, shape)
        self._inputs.append(schema.TensorMapT(name, tensor))
        return tensor

    def add_reshape(self, tensor: int, shape: tuple[int, ...]) -> int:
        """The tensor as [anything,*shape]."""
        wanted = np.array([-1, *shape], np.int32)
        self._model.buffers.append(schema.BufferT(data=np.frombuffer(wanted.tobytes(), np.uint8)))
        made = self._add_tensor(f"{_KEY}_reshaped_{tensor}", self.graph.tensors[tensor].type, shape)
        self.graph.tensors.append(
            schema.TensorT(
                shape=np.array(wanted.shape, np.int32),
                type=schema.TensorType.INT32,
                buffer=len(self._model.buffers) - 1,
                name=f"{_KEY}_shape_{tensor}",
            )
        )
        self.graph.tensors[made].quantization = self.graph.tensors[tensor].quantization
        self.graph.operators.append(
            schema.OperatorT(
                opcodeIndex=self._reshape_code(),
                inputs=np.array([tensor, len(self.graph.tensors) - 1], np.int32),
                outputs=np.array([made], np.int32),
            )
        )
        return made

    def add_part(self, part: Graph, given: list[int]) -> list[int]:
        """All operators of a graph, fed with these tensors for its inputs; the places of its outputs."""
        places = dict(zip(part.inputs, given, strict=True))
        for place, tensor in enumerate(part.tensors):
            if place not in places:
                places[place] = len(self.graph.tensors)
                self.graph.tensors.append(tensor)
        places[-1] = -1  # stands for an input that an operator can do without
        for operator in part.operators:
            moved = copy.copy(operator)
            moved.inputs = np.array([places[tensor] for tensor in operator.inputs], np.int32)
            moved.outputs = np.array([places[tensor] for tensor in operator.outputs], np.int32)
            self.graph.operators.append(moved)
        return [places[tensor] for tensor in part.outputs]

    def place_first(self, outputs: Mapping[str, list[schema.TensorMapT]]) -> None:
        """Makes it the model's first graph, which runtimes take that know no signatures; outputs by signature."""
        self.graph.inputs = np.array([entry.tensorIndex for entry in self._inputs], np.int32)
        self._model.subgraphs.insert(0, self.graph)
        for signature in self._model.signatureDefs:
            signature.subgraphIndex += 1
        self._model.signatureDefs[:0] = [
            schema.SignatureDefT(self._inputs, given, name, 0) for name, given in outputs.items()
        ]

    def _add_tensor(self, name: str, kind: int, shape: tuple[int, ...]) -> int:
        self.graph.tensors.append(
            schema.TensorT(
                shape=np.array([1, *shape], np.int32),
                type=kind,
                name=name,
                shapeSignature=np.array([-1, *shape], np.int32),
                hasRank=True,
            )
        )
        return len(self.graph.tensors) - 1

    def _reshape_code(self) -> int:
        """The place of RESHAPE among the model's kinds of operators."""
        wanted, codes = schema.BuiltinOperator.RESHAPE, self._model.operatorCodes
        for place, code in enumerate(codes):
            if max(code.builtinCode, code.deprecatedBuiltinCode) == wanted:
                return place
        codes.append(schema.OperatorCodeT(deprecatedBuiltinCode=wanted, builtinCode=wanted, version=1))
        return len(codes) - 1
