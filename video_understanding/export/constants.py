"""Constants of a network that were rounded, put back as they were."""

from __future__ import annotations

import copy

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from video_understanding.errors import ExportError
from video_understanding.export.network import Graph, graphs_of, kind_of, names_made

_UNPACKS = "DEQUANTIZE"  # what stands between a rounded constant and its use
_FLOAT = schema.TensorType.FLOAT32


def restore_constants(rounded: schema.ModelT, original: schema.ModelT, names: set[str]) -> None:
    """Gives the operators that make tensors of these names (in the original) the constants of the original."""
    graphs = graphs_of(rounded)
    for part, theirs in graphs_of(original).items():
        ours = graphs[part]
        used = [operator for operator in ours.operators if kind_of(rounded, operator) != _UNPACKS]
        if [kind_of(rounded, one) for one in used] != [kind_of(original, one) for one in theirs.operators]:
            raise ExportError(
                "TFLite export", f"{part} was rounded into another network", "Leave this format out, and report it."
            )
        for our_operator, their_operator in zip(used, theirs.operators, strict=True):
            if names_made(theirs, [their_operator]) & names:
                _restore(rounded, ours, our_operator, original, theirs, their_operator)
        _drop_unused(rounded, ours)


def _restore(
    rounded: schema.ModelT,
    ours: Graph,
    our_operator: schema.OperatorT,
    original: schema.ModelT,
    theirs: Graph,
    their_operator: schema.OperatorT,
) -> None:
    inputs = np.array(our_operator.inputs)
    for place, tensor in enumerate(their_operator.inputs):
        constant = theirs.tensors[tensor] if tensor >= 0 else None
        if constant is None or constant.type != _FLOAT or not _is_constant(original, constant):
            continue
        rounded.buffers.append(original.buffers[constant.buffer])
        ours.tensors.append(copy.copy(constant))
        ours.tensors[-1].buffer = len(rounded.buffers) - 1
        inputs[place] = len(ours.tensors) - 1
    our_operator.inputs = inputs


def _is_constant(model: schema.ModelT, tensor: schema.TensorT) -> bool:
    data = model.buffers[tensor.buffer].data
    return data is not None and len(data) > 0


def _drop_unused(model: schema.ModelT, graph: Graph) -> None:
    """Takes out what nobody uses any more: the rounded constants, and what unpacked them."""
    used = {tensor for operator in graph.operators for tensor in operator.inputs} | set(graph.outputs)
    graph.operators = [
        operator
        for operator in graph.operators
        if kind_of(model, operator) != _UNPACKS or used.intersection(operator.outputs)
    ]
    used = {tensor for operator in graph.operators for tensor in operator.inputs}
    for place, tensor in enumerate(graph.tensors):
        if place not in used and _is_constant(model, tensor):
            tensor.buffer = 0  # the empty one
