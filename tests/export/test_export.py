"""Exports of a trained model: as good as it, complete in themselves, and put in place only when they are."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

import video_understanding as vu
from tests.export.conftest import some_inputs
from video_understanding.bundle import Bundle
from video_understanding.cli.main import main
from video_understanding.edge.litert_scorer import LiteRTScorer
from video_understanding.edge.tflite_file import TFLiteFile
from video_understanding.errors import ExportError
from video_understanding.export import make, precision
from video_understanding.export.calibration import read_clips
from video_understanding.export.formats import FORMATS
from video_understanding.export.make import export_bundle
from video_understanding.export.network import graphs_of, kind_of, name_of, read_network
from video_understanding.export.trial import least_cosine
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.models.load import keras_scorer, load_model
from video_understanding.scorer import ModelInputs

MODES = ("fp32", "fp16", "dynamic", "int8")


@pytest.fixture(scope="module")
def bundle(exported) -> Bundle:
    return Bundle.read(exported[0])


@pytest.fixture(scope="module")
def clips(exported, data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIDEO_UNDERSTANDING_CACHE", str(data / "cache"))
        bundle = Bundle.read(exported[0])
        return read_clips([data / "clips"], bundle.spec, bundle.labels)


@pytest.fixture
def copy(bundle, tmp_path) -> Bundle:
    """The bundle as training left it, in a folder of its own."""
    shutil.copy(bundle.keras_file, tmp_path / "model.keras")
    facts = {name: value for name, value in bundle.facts.items() if name != "exports"}
    return Bundle.write(tmp_path, bundle.spec, bundle.labels, facts)


def network_of(bundle: Bundle, mode: str) -> schema.ModelT:
    return read_network(bundle.tflite_files[f"model_{mode}"].read_bytes())


def test_every_format_is_within_its_bounds(exported):
    """Measured by the program on the user's own clips, and each also with a modality taken away."""
    told = {entry["format"]: entry for entry in exported[1]["exports"]}
    assert list(told) == list(FORMATS)
    for name, entry in told.items():
        assert entry["refused"] is None
        assert entry["largest_difference"] <= FORMATS[name].drift
        assert entry["clips_compared"] == 96 + 2 * 25
        assert entry["changed_answers"] <= (1 - FORMATS[name].agreement) * entry["clips_compared"]
        assert abs(entry["accuracy_change"]["action"]) <= 0.03
    assert max(told["int8"]["size_bytes"], told["fp16"]["size_bytes"]) < told["fp32"]["size_bytes"]


@pytest.mark.parametrize("mode", MODES)
def test_the_bounds_hold_when_measured_here(mode, bundle, clips):
    """With the scorer that devices use, so that a trial which looks away is noticed; labels are those of the model."""
    expected, found = keras_scorer(bundle)(clips[0]), LiteRTScorer(bundle.tflite_files[f"model_{mode}"])(clips[0])
    for head in bundle.labels.heads:
        assert np.abs(expected[head] - found[head]).max() <= FORMATS[mode].drift
        assert (expected[head].argmax(1) == found[head].argmax(1)).mean() >= 0.97


@pytest.mark.parametrize("mode", MODES)
def test_parts_one_after_the_other_are_the_whole_to_the_bit(mode, bundle, clips):
    scorer = LiteRTScorer(bundle.tflite_files[f"model_{mode}"])
    for head, scores in scorer.classify(clips[0]).heads.items():
        assert np.array_equal(scores, scorer(clips[0])[head])


@pytest.mark.parametrize("mode", MODES)
def test_embeddings_are_like_those_of_the_model_and_of_whole_clips_to_the_bit(mode, bundle, clips):
    keras, inputs = keras_scorer(bundle), clips[0]
    scorer = LiteRTScorer(bundle.tflite_files[f"model_{mode}"])
    expected, found = (one.embed(one.encode(inputs), inputs.presence) for one in (keras, scorer))
    assert np.array_equal(found, scorer.embed_whole(inputs))
    assert least_cosine(found, expected) >= FORMATS[mode].cosine
    if mode == "fp32":
        assert np.abs(found - expected).max() < 1e-3
    assert bundle.facts["exports"][f"model_{mode}.tflite"]["embedding_cosine"] >= FORMATS[mode].cosine


@pytest.mark.parametrize("mode", MODES)
def test_a_file_tells_what_it_is(mode, bundle):
    path = bundle.tflite_files[f"model_{mode}"]
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.read("labels_action.txt").decode().splitlines() == list(bundle.labels["action"])
        told = json.loads(archive.read("model.json"))
    assert told["mode"] == mode
    assert told["temperature"] == bundle.facts["temperature"]
    assert told["licences"] == {}
    read = TFLiteFile.read(path)
    assert (read.spec, read.labels, read.name) == (bundle.spec, bundle.labels, bundle.name)
    assert json.loads((bundle.saved_model_folder / "assets.extra" / "model.json").read_text())["mode"] == "saved_model"


@pytest.mark.parametrize("mode", MODES)
def test_any_number_of_clips_at_once(mode, bundle):
    """By the names that others rely on, without a scorer of ours."""
    inputs = some_inputs(bundle.spec, 3)
    interpreter = Interpreter(str(bundle.tflite_files[f"model_{mode}"]), num_threads=1)
    run = {name: interpreter.get_signature_runner(name) for name in interpreter.get_signature_list()}
    assert set(run) == {"encode_video", "encode_audio", "fuse", "classify", "embed"}
    given = {"waveform": inputs["audio"], "presence": inputs.presence.astype(np.float32)}
    told = run["classify"](frames=inputs["video"], **given)
    expected = keras_scorer(bundle)(inputs)
    for head in bundle.labels.heads:
        assert told[head].shape == expected[head].shape
        assert np.abs(told[head] - expected[head]).max() < 0.2
    assert set(told) == set(bundle.labels.heads)
    assert set(run["embed"](frames=inputs["video"], **given)) == {"embedding"}
    hops = inputs["audio"].reshape(-1, bundle.spec.audio.hop_samples)
    size, per_hop = bundle.spec.network.token_size, bundle.spec.network.tokens_per_hop
    assert run["encode_video"](frames=inputs["video"][0])["video_tokens"].shape == (bundle.spec.frames, size)
    assert run["encode_audio"](waveform=hops)["audio_tokens"].shape == (len(hops), per_hop, size)


@pytest.mark.parametrize("mode", MODES)
def test_a_missing_modality_is_not_encoded(mode, bundle, clips):
    scorer = LiteRTScorer(bundle.tflite_files[f"model_{mode}"])
    shown = clips[0]
    for modality in ("video", "audio"):
        blank = ModelInputs({**shown.arrays, modality: np.zeros_like(shown[modality])}, shown.presence)
        without, blank = shown.without(modality), blank.without(modality)
        told = [scorer.classify(one)["action"] for one in (shown, without, blank)]
        assert np.array_equal(told[1], told[2])
        assert not np.array_equal(told[0], told[1])


@pytest.mark.parametrize("mode", ("fp16", "dynamic", "int8"))
def test_the_log_mel_is_that_of_the_model_to_the_last_constant(mode, bundle):
    rounded, plain = network_of(bundle, mode), network_of(bundle, "fp32")

    def constants(model: schema.ModelT) -> list[bytes]:
        graph, found = graphs_of(model)["encode_audio"], []
        for operator in graph.operators:
            if "log_mel" not in name_of(graph, operator.outputs[0]):
                continue
            tensors = [graph.tensors[place] for place in [*operator.inputs, *operator.outputs] if place >= 0]
            narrow = {schema.TensorType.INT8, schema.TensorType.UINT8, schema.TensorType.FLOAT16}
            assert not narrow.intersection(tensor.type for tensor in tensors), kind_of(model, operator)
            found += [bytes(model.buffers[one.buffer].data) for one in tensors if _has_data(model, one)]
        return sorted(found, key=lambda data: (len(data), data))

    assert constants(rounded) == constants(plain)
    assert max(map(len, constants(plain))) > 10_000  # the matrix of mel bands is among them


def _has_data(model: schema.ModelT, tensor: schema.TensorT) -> bool:
    data = model.buffers[tensor.buffer].data
    return data is not None and tensor.type == schema.TensorType.FLOAT32 and len(data) > 0


def test_int8_works_in_eight_bits_and_takes_frames_as_they_are(bundle):
    model = network_of(bundle, "int8")
    graph = graphs_of(model)["encode_video"]
    convolutions = [one for one in graph.operators if kind_of(model, one).endswith("CONV_2D")]
    in_eight = [graph.tensors[one.outputs[0]].type == schema.TensorType.INT8 for one in convolutions]
    assert sum(in_eight) >= 0.7 * len(in_eight) > 5
    assert graph.tensors[graph.inputs[0]].type == schema.TensorType.UINT8
    assert graph.tensors[graph.outputs[0]].type == schema.TensorType.FLOAT32


@pytest.mark.parametrize("mode", MODES)
def test_signatures_share_their_weights(mode, bundle):
    """Every large constant stands in the file once, though two signatures use it."""
    content = bundle.tflite_files[f"model_{mode}"].read_bytes()
    model = read_network(content)
    large = [bytes(buffer.data) for buffer in model.buffers if buffer.data is not None and len(buffer.data) > 2000]
    assert len(large) > 5
    assert all(content.count(data) == 1 for data in set(large))


def test_the_bundle_and_its_card_tell_what_was_measured(bundle):
    for made in FORMATS.values():
        assert bundle.facts["exports"][made.file]["compared_on"] == "own clips"
        assert f"`{made.file}`: size bytes" in bundle.card_file.read_text()
    assert "the log-mel and the norms" in bundle.facts["exports"]["model_int8.tflite"]["in_float"]


def test_exporting_again_gives_the_same_bytes_and_leaves_the_others(bundle, copy, clips):
    other = copy.folder / "model_fp32.tflite"
    other.write_bytes(b"made before")
    copy = copy.with_facts(exports={other.name: {"size_bytes": 11}}, name=bundle.name)
    report = export_bundle(copy, ("int8", "fp16"), *clips)
    for name in ("model_fp16", "model_int8"):
        assert report.bundle.tflite_files[name].read_bytes() == bundle.tflite_files[name].read_bytes()
    assert other.read_bytes() == b"made before"
    assert list(report.bundle.facts["exports"]) == [other.name, "model_fp16.tflite", "model_int8.tflite"]


def test_each_repair_leaves_more_in_float_and_the_first_only_what_adds_up_few_numbers(bundle, monkeypatch):
    model = network_of(bundle, "fp32")
    monkeypatch.setattr(precision, "_SHARES", (2, 2, 1, 1))  # of a network as small as this one
    kept = [precision.names_in_float(model, repairs) for repairs in range(len(precision.REPAIRS))]
    assert all(less <= more for less, more in pairwise(kept)) and kept[0] < kept[1] < kept[2] < kept[3]
    sees = graphs_of(model)["encode_video"]
    products = [one for one in sees.operators if kind_of(model, one) in precision.PRODUCTS]
    half = products[: len(products) // 2 + 1]
    for number, one in enumerate(half):
        few = number == 0 or kind_of(model, one) == "DEPTHWISE_CONV_2D"
        assert (name_of(sees, one.outputs[0]) in kept[1]) == few
        assert name_of(sees, one.outputs[0]) in kept[2]
    assert {kind_of(model, one) for one in half} >= {"CONV_2D", "DEPTHWISE_CONV_2D"}


def test_a_format_that_falls_short_is_repaired(copy, clips, monkeypatch):
    honest, tries = make.compare, []

    def strict(*arguments):
        tries.append(honest(*arguments))
        return dataclasses.replace(tries[-1], drift=1.0 if len(tries) < 6 else 0.0, changed=0)

    monkeypatch.setattr(make, "compare", strict)
    report = export_bundle(copy, ("int8",), *clips)
    assert not report.refused
    assert len(tries) == 6
    assert tries[5].drift < tries[0].drift
    assert report.outcomes[0].in_float.endswith("and the fusion")
    model = network_of(report.bundle, "int8")
    fuse = graphs_of(model)["fuse"]
    assert all(fuse.tensors[one.outputs[0]].type != schema.TensorType.INT8 for one in fuse.operators)


def test_a_format_that_cannot_be_repaired_is_refused(copy, clips, monkeypatch, capsys):
    before = sorted(copy.folder.iterdir())
    monkeypatch.setitem(FORMATS, "dynamic", dataclasses.replace(FORMATS["dynamic"], drift=0.0))
    report = export_bundle(copy, ("dynamic",), *clips)
    assert "dynamic was refused: probabilities differ by up to" in report.text()
    assert report.to_dict()["exports"][0]["file"] is None
    assert "exports" not in Bundle.read(copy.folder).facts
    monkeypatch.setattr(make, "export_bundle", lambda *_, **__: report)
    assert main(["export", str(copy.folder)]) == 1
    assert "(refused)" in capsys.readouterr().out
    with pytest.raises(ExportError, match="has no export of these formats, which differ too much"):
        vu.export(load_model(copy), copy.folder)
    assert sorted(copy.folder.iterdir()) == before


def test_an_operator_that_tflite_lacks_is_named(copy, monkeypatch):
    import tensorflow as tf

    from video_understanding.export import signatures

    honest = signatures.probabilities

    def strange(*given):
        return {head: told + tf.linalg.det(told[:, :1, None])[:, None] for head, told in honest(*given).items()}

    monkeypatch.setattr(signatures, "probabilities", strange)
    before = sorted(copy.folder.iterdir())
    with pytest.raises(ExportError, match="the model uses MatrixDeterminant, which TFLite has no builtin operator for"):
        export_bundle(copy, ("fp32",))
    assert sorted(copy.folder.iterdir()) == before


def test_an_interrupted_export_leaves_what_was_there(copy, monkeypatch):
    (copy.folder / "model_fp32.tflite").write_bytes(b"made before")
    before = {path.name: path.read_bytes() for path in copy.folder.iterdir()}

    def press_ctrl_c(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(make, "compare", press_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        export_bundle(copy, ("saved_model", "fp32"))
    assert {path.name: path.read_bytes() for path in copy.folder.iterdir()} == before


def test_in_python_a_model_becomes_a_bundle_with_exports(bundle, copy, tmp_path, capfd):
    """Whatever was imported before: the room and the function in it have one name."""
    model, folder = load_model(copy), tmp_path / "new" / "mine"
    made = vu.export(model, folder, formats=("fp32",))
    assert capfd.readouterr().err == ""
    assert made.facts["exports"]["model_fp32.tflite"]["compared_on"] == "built-in exam"
    inputs = some_inputs(bundle.spec, 2)
    found = LiteRTScorer(made.tflite_files["model_fp32"])(inputs)["action"]
    assert np.abs(found - KerasScorer(model)(inputs)["action"]).max() < 1e-4
    import video_understanding.export as room

    assert room(model, folder, formats=("saved_model",)).saved_model_folder.is_dir()
    model.heads["action"].bias.assign([1.0, 2.0])
    with pytest.raises(ExportError, match="holds another model"):
        vu.export(model, folder)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--formats", "int8"], "format int8: needs clips of your own.*Add --calibrate"),
        (["--formats", "fp32,dynamic"], "format dynamic: needs clips"),
        (["--formats", "onnx"], "format 'onnx': is not known. Use some of: saved_model,fp32"),
        (["--calibrate", "no-such-folder"], "no-such-folder: does not exist"),
    ],
)
def test_the_program_says_what_is_wrong_and_what_to_try(words, told, copy, capsys):
    assert main(["export", str(copy.folder), *words]) == 2
    error = capsys.readouterr().err
    assert re.search(told, error)
    assert error.count("\n") == 1


def test_only_a_bundle_can_be_exported(tmp_path, capsys):
    assert main(["export", str(tmp_path)]) == 2
    assert "is empty. Give the folder that `vu train` wrote" in capsys.readouterr().err


def test_without_sound_there_is_nothing_to_calibrate_hearing_with(copy, clips):
    with pytest.raises(ExportError, match=r"none of the \d+ clips to calibrate with has audio"):
        export_bundle(copy, ("int8",), clips[0].without("audio"))
    assert not list(Path(copy.folder).glob("*.tflite"))
