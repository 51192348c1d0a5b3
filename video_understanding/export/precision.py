"""What of a network stays in float when the rest is put into eight bits."""

from __future__ import annotations

import re

from ai_edge_litert import schema_py_generated as schema

from video_understanding.export.network import Graph, before, graphs_of, kind_of, name_of, names_made
from video_understanding.modality import MODALITIES

# What stays in float, from the least to as much as is ever tried.
REPAIRS = (
    "the log-mel and the norms",
    "the log-mel and the norms, and of the first twelfth of the video encoder the first and the depthwise convolutions",
    "the log-mel and the norms, and the first twelfth of the video encoder",
    "the log-mel and the norms, and the first sixth of the video encoder",
    "the log-mel and the norms, and the first quarter of the video encoder",
    "the log-mel and the norms, the first quarter of the video encoder, and the fusion",
    "the log-mel and the norms, the first quarter of the video encoder, the fusion, and all other encoders",
)
_SHARES = (12, 12, 6, 4)  # of the video encoder, one over these stays in float at the repairs from the first on
# Layers of a linear classifier: squares and roots of numbers, and weights of hundreds of features for one sum.
_STATISTICS = re.compile(r"(^|/)(chunk_moments|linear)(_\d+)?/")
PRODUCTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")  # with weights, for which eight bits are worth while


def names_in_float(model: schema.ModelT, repairs: int) -> set[str]:
    """Names of the tensors that stay in float at this place of `REPAIRS`.

    Always: the log-mel, whose powers span more than eight bits can tell apart; what scales the pixels, for frames
    are in eight bits already; norms, which divide small numbers; a linear classifier; and the answers themselves.
    """
    graphs = graphs_of(model)
    encoders = {name: graph for name, graph in graphs.items() if name.startswith("encode_")}
    video, names = encoders.pop(MODALITIES["video"].signature, None), names_of_log_mel(model)
    for graph in (*([video] if video else ()), *encoders.values()):
        names |= _around_products(model, graph, names)
    for graph in graphs.values():
        names |= _norms(model, graph)
        names |= {name for name in names_made(graph, graph.operators) if _STATISTICS.search(name)}
        names |= {name_of(graph, tensor) for tensor in graph.outputs}
    if repairs >= 1 and video:
        places = _products(model, video, set())  # the first have few weights, and all that follows sees their errors
        first = places[: len(places) // _SHARES[min(repairs, len(_SHARES)) - 1] + 1]
        kept = video.operators[: first[-1] + 1]
        if repairs == 1:
            # Where an output is the sum of few numbers, as in a depthwise product, roundings do not even out.
            depthwise = [one for one in kept if kind_of(model, one) == "DEPTHWISE_CONV_2D"]
            kept = [*kept[: first[0] + 1], *depthwise]
        names |= names_made(video, kept)
    for graph in (*([graphs["fuse"]] if repairs >= 5 else ()), *(encoders.values() if repairs >= 6 else ())):
        names |= names_made(graph, graph.operators)
    return names


def names_of_log_mel(model: schema.ModelT) -> set[str]:
    """Names of all tensors of the log-mel."""
    graph = graphs_of(model).get(MODALITIES["audio"].signature)
    return set() if graph is None else names_made(graph, before(graph, _log_mels(graph)))


def _log_mels(graph: Graph) -> list[int]:
    return [place for place in range(len(graph.tensors)) if "log_mel" in name_of(graph, place)]


def _products(model: schema.ModelT, graph: Graph, aside: set[str]) -> list[int]:
    """Places of the operators that multiply with weights, but for those that make tensors of names set aside."""
    return [
        place
        for place, operator in enumerate(graph.operators)
        if kind_of(model, operator) in PRODUCTS and not names_made(graph, [operator]) & aside
    ]


def _around_products(model: schema.ModelT, graph: Graph, aside: set[str]) -> set[str]:
    """What comes before the first and after the last product with weights."""
    places = _products(model, graph, aside)
    if not places:
        return names_made(graph, graph.operators)
    first = [tensor for place in places[:1] for tensor in graph.operators[place].inputs]
    after = graph.operators[places[-1] + 1 :]
    return names_made(graph, before(graph, first)) | names_made(graph, after)


def _norms(model: schema.ModelT, graph: Graph) -> set[str]:
    """All that is made within a layer which divides by a root: a layer's names begin alike."""
    scopes = {
        name_of(graph, operator.outputs[0]).rpartition("/")[0] + "/"
        for operator in graph.operators
        if kind_of(model, operator) == "RSQRT"
    }
    made = names_made(graph, graph.operators)
    return {name for name in made if any(name.startswith(scope) for scope in scopes if scope != "/")}
