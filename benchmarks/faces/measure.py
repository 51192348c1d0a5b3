"""Measures the face networks as they ship: the weights that are in the package, in float and in eight bits."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.faces.eight_bits import int8_file, milliseconds, run_file
from benchmarks.faces.ferplus import Faces, accuracy
from benchmarks.faces.javanese import pooled, read_crops, recalls, sound_statistics
from benchmarks.faces.pool import photographs, read_photograph, teacher_targets
from benchmarks.faces.teach_encoder import expressions
from benchmarks.faces.teacher import Teacher
from video_understanding.datasets.manifest import load_manifest
from video_understanding.faces.face import Face, FaceDetector, overlap
from video_understanding.faces.network_detector import SIZE_PX, DetectorNetwork, NetworkDetector
from video_understanding.faces.resample import resize
from video_understanding.media.synthetic.crowd import Crowd
from video_understanding.models.faces.detector import make_face_detector
from video_understanding.models.faces.encoder import EXPRESSIONS, make_face_encoder
from video_understanding.models.faces.networks import face_detector
from video_understanding.models.faces.weights import WEIGHTS, load_face_weights

CERTAIN = 0.7  # faces of the teacher that have to be found
SAME = 0.5  # intersection over union from which it is the same face
_EXAMPLES = 200  # pictures that the ranges of eight bits come from
_DRAWN = 300
_SMALLEST_DRAWN_PX = 24.0  # of pictures of 160 pixels


def measure_encoder(examples: Faces, test: Faces) -> None:
    """Prints accuracy on FER+'s test part, of each class, in float and in eight bits, size and time."""
    encoder = load_face_weights(make_face_encoder())
    logits = expressions(encoder, test.crops)
    _print_accuracy("float", logits, test)
    clear = test.clear_majority
    for number, name in enumerate(EXPRESSIONS):
        own = clear == number
        print(f"  {name}: {100 * (logits.argmax(1) == number)[own].mean():.1f} % of {own.sum()}")
    with tempfile.TemporaryDirectory() as folder:
        file = int8_file(encoder, examples.crops[:_EXAMPLES, ..., None], Path(folder))
        answers = run_file(file, test.crops[..., None])
        _print_accuracy("int8", answers["expression"], test)
        taken_ms = milliseconds(file, test.crops[0][..., None])
        print(f"int8: {file.stat().st_size / 1e6:.3f} MB, {taken_ms:.2f} ms a face on one thread", flush=True)


def measure_detector(data: Path, teacher: Teacher) -> None:
    """Prints how the detector agrees with its teacher on photographs it has not seen, and with drawn truth."""
    pictures = [read_photograph(file) for file in photographs(data, "test")]
    _print_agreement("float", pictures, face_detector(levels=1), teacher)
    _print_drawn("float", face_detector(levels=1))
    network = load_face_weights(make_face_detector())
    with tempfile.TemporaryDirectory() as folder:
        examples = np.stack([resize(picture, SIZE_PX, SIZE_PX) for picture in pictures[:_EXAMPLES]])
        file = int8_file(network, examples, Path(folder))

        def answers(squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            said = run_file(file, squares)
            return said["scores"], said["places"]

        detector = NetworkDetector(answers, levels=1)
        _print_agreement("int8", pictures, detector, teacher)
        _print_drawn("int8", detector)
        taken_ms = milliseconds(file, examples[0])
        print(f"int8: {file.stat().st_size / 1e6:.3f} MB, {taken_ms:.2f} ms a picture on one thread", flush=True)


def measure_video(data: Path, teacher: Teacher, work: Path) -> None:
    """Prints unweighted average recall on Javanese clips: faces alone, with sound, with each speaker taken out.

    Faces are those that the detector finds, or, as long as it has no weights, its teacher.
    """
    rows = load_manifest(data / "emotion_javanese").rows
    ours = WEIGHTS["face_detector"].exists()
    detector = face_detector(levels=1) if ours else NetworkDetector(as_network(teacher), levels=1)
    crops = read_crops(data, detector, work / f"javanese_crops_{'detector' if ours else 'teacher'}.npz")
    share = np.mean([present.mean() for _, present in crops])
    print(f"Javanese: a face to be read in {100 * share:.1f} % of the frames", flush=True)
    encoder = load_face_weights(make_face_encoder())
    found = []
    for own, present in crops:
        answers = encoder.predict(own[..., None].astype(np.float32), verbose=0)
        found.append(pooled(answers["features"], present))
    statistics = {"face": np.stack(found), "audio": sound_statistics(data, work / "javanese_sound.npy")}
    for names in (["face"], ["audio"], ["face", "audio"]):
        for known in (False, True):
            folds = recalls(rows, {name: statistics[name] for name in names}, known)
            taken_out = ", speaker's own mean taken out" if known else ""
            each = " ".join(f"{value:.1f}" for value in folds)
            print(f"  {' and '.join(names)}{taken_out}: UAR {np.mean(folds):.1f} ({each})", flush=True)


def compare(pictures: Sequence[np.ndarray], detector: FaceDetector, teacher: Teacher) -> tuple[int, int, int, int]:
    """Faces of the teacher above `CERTAIN` that are found; found faces that are none of these; found faces that are
    none of the teacher's above 0.5; and how many the teacher has above `CERTAIN`."""
    taught = NetworkDetector(as_network(teacher), levels=1)
    found = extra = extra_of_any = many = 0
    for picture in pictures:
        true, own = taught(picture), detector(picture)
        certain = [face for face in true if face.score > CERTAIN]
        many += len(certain)
        found += sum(any(overlap(face, other) >= SAME for other in own) for face in certain)
        extra += sum(not any(overlap(face, other) >= SAME for other in certain) for face in own)
        extra_of_any += sum(not any(overlap(face, other) >= SAME for other in true) for face in own)
    return found, extra, extra_of_any, many


def as_network(teacher: Teacher) -> DetectorNetwork:
    """The teacher in the place of the detector's network: what its most certain anchor in each cell says."""

    def answers(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        scores, places = teacher_targets(*teacher(pictures))
        scores = np.clip(scores, 1e-6, 1 - 1e-6)
        return np.log(scores / (1 - scores)), places

    return answers


def _print_accuracy(name: str, logits: np.ndarray, faces: Faces) -> None:
    told = accuracy(logits, faces)
    print(f"{name}: " + ", ".join(f"{kind} {value:.2f} %" for kind, value in told.items()), flush=True)


def _print_agreement(name: str, pictures: Sequence[np.ndarray], detector: FaceDetector, teacher: Teacher) -> None:
    found, extra, extra_of_any, faces = (100 * count for count in compare(pictures, detector, teacher))
    faces //= 100
    print(
        f"{name}: {found / faces:.1f} % of the teacher's {faces} faces above {CERTAIN}; besides these "
        f"{extra / faces:.1f} %, of which {extra_of_any / faces:.1f} % are not among its faces above 0.5 either",
        flush=True,
    )


def _print_drawn(name: str, detector: FaceDetector) -> None:
    chance = np.random.default_rng(99)
    found = extra = many = 0
    for _ in range(_DRAWN):
        crowd = Crowd.drawn(chance, int(chance.integers(0, 4)))
        size = {"height_px": 160, "width_px": 160}
        picture = next(crowd.frames([0.0], **size))
        true = [Face(face.box) for face in crowd.faces(0.0, **size)]
        able = [face for face in true if face.width_px >= _SMALLEST_DRAWN_PX and face.share_inside(160, 160) > 0.8]
        own = detector(picture)
        many += len(able)
        found += sum(any(overlap(face, other) >= SAME for other in own) for face in able)
        extra += sum(not any(overlap(face, other) >= 0.3 for other in true) for face in own)
    print(f"{name}: {100 * found / many:.1f} % of {many} drawn faces at their true places, {extra} where there is none")
