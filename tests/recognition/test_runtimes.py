"""A bundle or a TFLite file is made ready in the runtime that was asked for; what is missing is told with its cure."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import video_understanding as vu
from tests.recognition.test_same_answers import LABELS, LOOKS, SCENE, SPEC
from video_understanding.bundle import KERAS_FILE, Bundle
from video_understanding.errors import BundleError
from video_understanding.media.synthetic import write_scene
from video_understanding.models.load import save_model
from video_understanding.runtimes import RUNTIMES, make_scorer, quickest_runtime


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A bundle with a Keras model and nothing else."""
    folder = tmp_path_factory.mktemp("bundles") / "mine"
    facts = {"temperature": {"action": 2.0}, "unknown_below": {"action": 0.999}}
    bundle = Bundle.write(folder, SPEC, LABELS, facts)
    save_model(vu.VideoUnderstandingModel(SPEC, LABELS, seed=1), bundle.folder / KERAS_FILE)
    return folder


def test_a_bundle_is_run_by_keras_if_nothing_else_is_said(folder, tmp_path):
    recognizer = vu.load(folder)
    file = write_scene(tmp_path / "scene.mp4", SCENE, duration_s=1.6, **LOOKS)
    prediction = recognizer.predict(file)
    assert prediction.action.label == "unknown" and prediction.action.nearest in LABELS["action"]
    assert prediction.emotion.label in LABELS["emotion"]
    clip = vu.read_clip(file, SPEC)
    tempered = make_scorer(Bundle.read(folder), "keras")(vu.prepare([clip], SPEC))
    assert list(recognizer.predict_clip(clip).action.scores.values()) == tempered["action"][0].tolist()


@pytest.mark.parametrize("mode", ["fp32", "fp16", "dynamic", "int8"])
def test_an_export_that_is_not_there_is_told_with_the_command_that_makes_it(folder, mode):
    with pytest.raises(BundleError, match=rf"has no model_{mode}\.tflite\. Make it with: vu export .*--formats {mode}"):
        vu.load(folder, f"tflite:{mode}")


def test_without_any_export_the_first_one_is_proposed(folder):
    with pytest.raises(BundleError, match=r"has no TFLite file\. Make it with: vu export .* --formats fp32"):
        vu.load(folder, "tflite")
    with pytest.raises(BundleError, match=r"has no saved_model\. Make it with: vu export .* --formats saved_model"):
        vu.load(folder, "saved_model")


def test_plain_tflite_takes_the_most_exact_that_is_there(folder, monkeypatch):
    import video_understanding.edge.litert_scorer as litert

    opened = []
    monkeypatch.setattr(litert, "LiteRTScorer", lambda file: opened.append(Path(file).name))
    for mode in ("int8", "dynamic", "fp32"):
        (folder / f"model_{mode}.tflite").write_bytes(b"")
        make_scorer(Bundle.read(folder), "tflite")
    make_scorer(Bundle.read(folder), "tflite:int8")
    for file in folder.glob("*.tflite"):
        file.unlink()
    assert opened == ["model_int8.tflite", "model_dynamic.tflite", "model_fp32.tflite", "model_int8.tflite"]


def test_what_answers_first_is_the_most_exact_tflite_file_that_the_bundle_names(folder, tmp_path, monkeypatch):
    assert quickest_runtime(folder) is None, "it has no export"
    assert quickest_runtime(tmp_path) is None and quickest_runtime(tmp_path / "model.tflite") is None
    copy = Path(shutil.copytree(folder, tmp_path / "mine"))
    bundle = Bundle.read(copy).with_facts(exports={"model_int8.tflite": {}, "model_fp16.tflite": {}, "saved_model": {}})
    for mode in ("fp32", "int8"):  # fp32 is that of another training: the bundle names none
        (copy / f"model_{mode}.tflite").write_bytes(b"")
    assert quickest_runtime(copy) == "tflite:int8"
    (copy / "model_fp16.tflite").write_bytes(b"")
    assert quickest_runtime(copy) == "tflite:fp16"
    bundle.with_facts(exports=None)
    assert quickest_runtime(copy) is None
    bundle.with_facts(exports={"model_fp16.tflite": {}})
    monkeypatch.setattr("video_understanding.runtimes.find_spec", lambda _: None)
    assert quickest_runtime(copy) is None, "LiteRT is not installed"


def test_a_tflite_file_alone_is_enough(tmp_path, monkeypatch):
    import video_understanding.edge.litert_scorer as litert

    class Scorer:
        mode, unknown_below = "fp16", {"action": 0.4}

        def __init__(self, file):
            self.file = Path(file)

    monkeypatch.setattr(litert, "LiteRTScorer", Scorer)
    file = tmp_path / "model.tflite"
    file.write_bytes(b"")
    for runtime in (None, "tflite", "tflite:fp16"):
        recognizer = vu.load(file, runtime)
        assert recognizer.scorer.file == file and recognizer.unknown_below == {"action": 0.4}
    with pytest.raises(BundleError, match="is a file of mode fp16, not int8"):
        vu.load(file, "tflite:int8")
    with pytest.raises(BundleError, match="runtime 'keras' cannot use"):
        vu.load(file, "keras")


def test_what_is_no_runtime_and_what_is_no_bundle(folder, tmp_path):
    with pytest.raises(BundleError, match=f"Use one of: {', '.join(RUNTIMES)}"):
        vu.load(folder, "torch")
    with pytest.raises(BundleError, match="does not exist"):
        vu.load(tmp_path / "nowhere")


def test_recognising_needs_no_tensorflow(tmp_path):
    """A scorer of one's own, a file, a stream, segments and subtitles, where TensorFlow, OpenCV and the like lack."""
    write_scene(tmp_path / "scene.mp4", SCENE, duration_s=1.6, **LOOKS)
    program = f"""
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "keras", "cv2", "matplotlib", "librosa", "scipy"):
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Blocked())
import numpy as np
import video_understanding as vu
import video_understanding.runtimes
from video_understanding.recognition.playing import file_stream, play_file
from video_understanding.recognition.subtitles import srt
from video_understanding.scorer import Scores
class Fair:
    spec, labels = vu.ModelSpec(window_s=1.0), {LABELS!r}
    def __call__(self, inputs):
        many = {{head: len(self.labels.names(head)) for head in self.labels.heads}}
        return Scores(self.labels, {{head: np.full((len(inputs), count), 1 / count) for head, count in many.items()}})
recognizer = vu.Recognizer(Fair())
print(srt(recognizer.predict("scene.mp4")).splitlines()[2])
print(len(list(play_file(file_stream(recognizer), "scene.mp4"))))
"""
    program = f"from video_understanding.labels import Labels\n{program}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False,
        env={"PYTHONPATH": str(Path(vu.__file__).parents[1])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["bounce", "33", "%", "|", "happy", "50", "%", "4"]
