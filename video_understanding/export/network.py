"""A TFLite network as a graph: which operator makes which tensor, and what stands before and after it."""

from __future__ import annotations

import re
from collections.abc import Iterable

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from video_understanding.errors import ExportError

Graph = schema.SubGraphT
Operator = schema.OperatorT

_IDENTIFIER = b"TFL3"
_ALIGNMENT_BYTES = 16  # of weights, which the schema asks for and Python's writer forgets
_NUMBERED = re.compile(r"([A-Za-z]\w*?)(?:_\d+)+(?=[/;]|$)")  # a part of a name, with one number or more behind it
_NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}


def read_network(content: bytes) -> schema.ModelT:
    """The network as objects that can be changed."""
    return schema.ModelT.InitFromPackedBuf(content, 0)


def write_network(model: schema.ModelT) -> bytes:
    """The network as a file in which whatever is equal stands once: weights, scales and names."""
    used = {tensor.buffer for graph in model.subgraphs for tensor in graph.tensors}
    used |= {entry.buffer for entry in model.metadata or ()}
    for place, buffer in enumerate(model.buffers):
        if place not in used:
            buffer.data = None
    builder = _SharingBuilder(1 << 20)
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())


def renumber_names(model: schema.ModelT) -> None:
    """Numbers layers of one kind by their order in the network: Keras counts all that were ever made in the process."""
    numbers: dict[str, dict[str, str]] = {}  # kind -> name as it was -> new name

    def renumbered(part: re.Match) -> str:
        names = numbers.setdefault(part[1], {})
        return names.setdefault(part[0], f"{part[1]}_{len(names)}")

    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.name = _NUMBERED.sub(renumbered, tensor.name.decode()).encode()


def graphs_of(model: schema.ModelT) -> dict[str, Graph]:
    """Signature -> its graph."""
    return {
        signature.signatureKey.decode(): model.subgraphs[signature.subgraphIndex] for signature in model.signatureDefs
    }


def kind_of(model: schema.ModelT, operator: Operator) -> str:
    """The name of an operator's kind, such as CONV_2D."""
    code = model.operatorCodes[operator.opcodeIndex]
    return _NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]  # older files have it in the second place only


def name_of(graph: Graph, tensor: int) -> str:
    """The name of a tensor, which is that of the operator that makes it."""
    return graph.tensors[tensor].name.decode()


def names_made(graph: Graph, operators: Iterable[Operator]) -> set[str]:
    """Names of all tensors that these operators make."""
    return {name_of(graph, tensor) for operator in operators for tensor in operator.outputs}


def before(graph: Graph, tensors: Iterable[int]) -> list[Operator]:
    """The operators that these tensors depend on, in the order in which they run."""
    wanted, found = set(tensors), []
    for operator in reversed(graph.operators):  # a graph is stored in the order in which it runs
        if wanted.intersection(operator.outputs):
            wanted.update(operator.inputs)
            found.append(operator)
    return found[::-1]


def require_builtin(model: schema.ModelT) -> None:
    """Refuses a network with operators that not every TFLite runtime has."""
    for code in model.operatorCodes:
        if code.customCode:
            raise ExportError(
                "TFLite export",
                f"the network has the custom operator {code.customCode.decode()}",
                "Replace the layer that uses it, or take another backbone.",
            )


class _SharingBuilder(flatbuffers.Builder):
    """Writes every vector and every text once, however often it is asked to.

    Parts of a network that occur in several signatures would otherwise bring their scales with them each time: a
    fifth of an 8-bit file.
    """

    def __init__(self, size_bytes: int) -> None:
        super().__init__(size_bytes)
        self._written: dict[tuple, int] = {}

    def CreateNumpyVector(self, x: np.ndarray) -> int:
        key = (x.dtype.str, x.tobytes())
        if key not in self._written:
            if x.dtype == np.uint8:
                self.Prep(_ALIGNMENT_BYTES, x.nbytes)
            self._written[key] = super().CreateNumpyVector(x)
        return self._written[key]

    def CreateString(self, s: str | bytes, encoding: str = "utf-8", errors: str = "strict") -> int:
        key = ("text", s)
        if key not in self._written:
            self._written[key] = super().CreateString(s, encoding, errors)
        return self._written[key]
