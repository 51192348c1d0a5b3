"""Pictures of a training say the right thing, and nothing in them covers anything else."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from video_understanding.errors import MissingExtraError, VideoUnderstandingError
from video_understanding.training.pictures import confusion, curves, draw_confusion, draw_curves

HISTORY = {
    "loss": [1.0, 0.8, 0.5, 0.4],
    "val_loss": [1.1, 0.9, 0.7, 0.8],
    "action_accuracy": [0.4, 0.5, 0.7, 0.8],
    "val_action_accuracy": [0.3, 0.5, 0.65, 0.6],
    "emotion_accuracy": [0.2, 0.3, 0.3, 0.4],
    "val_emotion_accuracy": [0.2, 0.2, 0.25, 0.3],
    "action_loss": [1.0, 0.8, 0.5, 0.4],
    "learning_rate": [1e-3, 1e-3, 1e-4, 1e-5],
}


def size_of_png(file: Path) -> tuple[int, int]:
    data = file.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n" and data[-8:-4] == b"IEND"
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


def lines_of(axes) -> dict[str, list[float]]:
    return {line.get_label(): list(line.get_ydata()) for line in axes.lines}


def test_curves_are_written_whole_and_alone(tmp_path):
    draw_curves(HISTORY, tmp_path / "curves.png")
    width, height = size_of_png(tmp_path / "curves.png")
    assert width > 2 * height > 600
    assert [path.name for path in tmp_path.iterdir()] == ["curves.png"]


def test_loss_and_each_heads_accuracy_have_a_panel():
    loss, action, emotion = curves(HISTORY).axes
    assert lines_of(loss)["clips learned from"] == HISTORY["loss"]
    assert lines_of(loss)["validation clips"] == HISTORY["val_loss"]
    assert lines_of(action)["validation clips"] == HISTORY["val_action_accuracy"]
    assert lines_of(emotion)["clips learned from"] == HISTORY["emotion_accuracy"]


def test_the_best_epoch_is_marked_and_its_values_told():
    figure = curves(HISTORY)
    for axes in figure.axes:
        mark = next(line for line in axes.lines if line.get_label() == "best epoch: 3")
        assert list(mark.get_xdata()) == [3, 3]
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [
        "loss: 0.700 on validation",
        "action accuracy: 65.0 % on validation",
        "emotion accuracy: 25.0 % on validation",
    ]


def test_without_validation_the_training_loss_decides():
    figure = curves({"loss": [0.9, 0.3, math.nan], "accuracy": [0.1, 0.6, 0.5]})
    assert [axes.get_title() for axes in figure.axes] == ["loss: 0.300", "accuracy: 60.0 %"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["best epoch: 2", "clips learned from"]


def test_a_single_epoch_can_be_seen(tmp_path):
    figure = curves({"loss": [0.9], "val_loss": [1.0]})
    assert all(line.get_marker() in ("o", "s") for line in figure.axes[0].lines[1:])
    figure.savefig(tmp_path / "one.png")
    assert [tick for tick in figure.axes[0].get_xticks() if 0.5 <= tick <= 1.5] == [1]


@pytest.mark.parametrize("history", [{}, {"loss": []}, {"loss": [math.nan, math.inf]}])
def test_a_history_without_a_loss_is_refused(history):
    with pytest.raises(VideoUnderstandingError, match="history: has no loss of any epoch"):
        curves(history)


def matrix_of(many: int, *, most: int = 40) -> np.ndarray:
    generator = np.random.default_rng(many)
    strays = generator.integers(0, 3, (many, many)) * (generator.random((many, many)) < 2 / many)  # [C,C]
    matrix = strays + np.diag(generator.integers(5, most, many))
    matrix[0] = 0  # a class without clips
    return matrix


def names_of(many: int) -> list[str]:
    words = ("run", "playing_the_guitar", "walking_with_a_dog_in_the_park", "MMMMMMMMMMMMMMMMMMMMMMMM", "$x^{2$")
    return [f"{words[place % len(words)]} {place}" for place in range(many)]


@pytest.mark.parametrize(
    ("many", "most"),
    [(2, 40), (2, 20_000), (3, 40), (6, 20_000), (12, 40), (20, 40), (40, 40), (40, 20_000), (120, 9999)],
)
def test_nothing_in_a_confusion_covers_anything_else(many, most):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = confusion(names_of(many), matrix_of(many, most=most), "who is who, on the validation clips")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    axes = figure.axes[0]
    cell = axes.get_window_extent().width / many

    for text in axes.texts:
        box = text.get_window_extent(renderer)
        column, row = text.get_position()
        middle = axes.transData.transform((column, row))
        assert abs(box.x0 - middle[0]) < cell / 2 and abs(box.x1 - middle[0]) < cell / 2
        assert abs(box.y0 - middle[1]) < cell / 2 and abs(box.y1 - middle[1]) < cell / 2
        assert text.get_fontsize() >= 5.5

    rows = sorted((label.get_window_extent(renderer) for label in axes.get_yticklabels()), key=lambda box: box.y0)
    assert all(above.y0 >= below.y1 for below, above in pairwise(rows))
    columns = axes.get_xticklabels()
    if columns[0].get_rotation() == 0:
        boxes = sorted((label.get_window_extent(renderer) for label in columns), key=lambda box: box.x0)
        assert all(right.x0 >= left.x1 for left, right in pairwise(boxes))
    else:  # slanted lines of text are as far apart as their tick marks, seen at that angle
        height = columns[0].get_fontsize() / 72 * figure.dpi * 1.2
        assert cell * math.sin(math.radians(columns[0].get_rotation())) >= height

    outside = [axes.title, axes.xaxis.label, axes.yaxis.label, *axes.get_yticklabels()]
    boxes = [text.get_window_extent(renderer) for text in outside]
    cells = axes.get_window_extent()
    bar = figure.axes[1].get_tightbbox(renderer)
    for box in boxes:
        assert not box.overlaps(cells) and not box.overlaps(bar)
    assert not any(box.overlaps(boxes[2]) for box in boxes[3:])
    assert not any(label.get_window_extent(renderer).overlaps(boxes[1]) for label in columns)


def test_cells_tell_clips_and_their_share_of_the_row():
    figure = confusion(["run", "jump", "swim"], np.array([[3, 1, 0], [0, 8, 0], [0, 0, 0]]), "title")
    axes = figure.axes[0]
    said = {text.get_position(): text.get_text() for text in axes.texts}  # (column, row)
    assert said == {(0, 0): "3\n75%", (1, 0): "1\n25%", (1, 1): "8\n100%"}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["run (4)", "jump (8)", "swim (0)"]
    shares = axes.images[0].get_array()
    assert shares[0].tolist() == [0.75, 0.25, 0.0]
    assert np.ma.getmaskarray(shares)[2].all()  # no clips is not the same as never right


def test_cells_too_small_for_percent_still_tell_clips_and_then_nothing():
    def told(many: int, clips: int) -> set[str]:
        return {
            text.get_text() for text in confusion(names_of(many), np.eye(many, dtype=int) * clips, "t").axes[0].texts
        }

    assert told(40, 9999) == {"9999\n100%"}
    assert told(150, 999) == {"999"}
    assert told(40, 9_999_999) == told(150, 9999) == set()


def test_a_confusion_is_darker_the_larger_the_share():
    figure = confusion(["a", "b"], np.array([[9, 1], [4, 6]]), "title")
    image = figure.axes[0].images[0]
    shares = np.linspace(0, 1, 11)
    weights = np.array([0.2126, 0.7152, 0.0722])
    light = image.cmap(image.norm(shares))[:, :3] @ weights  # [S]; brightness alone tells it, whatever the eye
    assert (np.diff(light) < 0).all() and light[0] - light[-1] > 0.7


def test_a_confusion_is_written_with_all_that_stands_around_it(tmp_path):
    names = ["a class with quite a long name", "b"]
    draw_confusion(names, np.array([[3, 1], [0, 2]]), "a title " * 20, tmp_path / "confusion.png")
    width, height = size_of_png(tmp_path / "confusion.png")
    assert 400 < width < 1500 and 400 < height < 1500
    assert [path.name for path in tmp_path.iterdir()] == ["confusion.png"]


@pytest.mark.parametrize(
    "matrix", [np.zeros((2, 3), int), np.zeros((3, 3), int), np.full((2, 2), -1), np.full((2, 2), 0.5)]
)
def test_what_is_no_confusion_of_the_classes_is_refused(matrix):
    with pytest.raises(VideoUnderstandingError, match="confusion: of 2 classes has"):
        confusion(["a", "b"], matrix, "title")


def test_a_picture_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    file = tmp_path / "curves.png"
    file.write_bytes(b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(VideoUnderstandingError, match=r"curves\.png: cannot be written \(No space left on device\)"):
        draw_curves(HISTORY, file)
    assert file.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("names", [("跳舞", "🙂", "plain"), ("танец", "رقص", "χορός")])
def test_class_names_of_any_script_are_drawn_without_a_warning(names, tmp_path):
    draw_confusion(names, np.eye(3, dtype=int), "跳舞, test", tmp_path / "confusion.png")  # a warning is an error here
    assert (tmp_path / "confusion.png").stat().st_size > 1000


def test_letters_that_the_usual_font_lacks_come_from_one_that_has_them():
    """Of the fonts that come with matplotlib itself, one has small capitals of mathematics and the usual one not."""
    from matplotlib import font_manager, ft2font, rcParams

    from video_understanding.evaluation.fonts import fonts_for

    usual = set(ft2font.FT2Font(font_manager.findfont("DejaVu Sans")).get_charmap())
    other = next(font for font in font_manager.fontManager.ttflist if font.name == "STIXGeneral")
    letter = next(chr(code) for code in ft2font.FT2Font(other.fname).get_charmap() if code > 127 and code not in usual)
    before = list(rcParams["font.family"])
    with fonts_for(["plain", letter]):
        families = rcParams["font.family"][len(before) :]
        found = [set(ft2font.FT2Font(font_manager.findfont(name)).get_charmap()) for name in families]
        assert any(ord(letter) in letters for letters in found)
    assert rcParams["font.family"] == before


def test_a_folder_that_is_not_there_is_an_error_of_one_line(tmp_path):
    with pytest.raises(VideoUnderstandingError, match="cannot be written"):
        draw_curves(HISTORY, tmp_path / "no" / "curves.png")


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match="matplotlib: is needed to draw pictures"):
        curves(HISTORY)


def test_drawing_needs_no_screen_and_touches_no_global_state(tmp_path):
    program = f"""
import os, sys
os.environ["MPLBACKEND"] = "module://no_such_backend"
from pathlib import Path
from video_understanding.training.pictures import draw_curves
assert "matplotlib" not in sys.modules
draw_curves({{"loss": [1.0, 0.5]}}, Path({str(tmp_path / "curves.png")!r}))
assert "matplotlib.pyplot" not in sys.modules and "tensorflow" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).resolve().parents[2])
    assert size_of_png(tmp_path / "curves.png")
