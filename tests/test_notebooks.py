"""The notebooks: short, with small outputs, speaking of what exists, and running from top to bottom on small data."""

from __future__ import annotations

import ast
import base64
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.strip_notebooks import FOLDER, LARGEST_PICTURE, kept, kept_text, picture_bytes

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LONGEST_CELL, LONGEST_DEFINITION, LONGEST_NOTEBOOK = 16, 2, 110  # lines of code
SHOWN = ("01", "02", "03", "04", "05", "06")  # those that hold the outputs of a run, which `make outputs` makes
SMALL = {"CLIPS": 48, "EPOCHS": 2}
_CELL_TIMEOUT_S = 900

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def program_of(path: Path) -> ast.Module:
    """All code of a notebook as one program."""
    return ast.parse("\n".join(cell.source for cell in code_cells(nbformat.read(path, as_version=4))))


def parameters_place(notebook: nbformat.NotebookNode) -> int:
    (place,) = [n for n, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", [])]
    return place


def test_there_are_six_and_they_are_numbered():
    assert [path.name[:3] for path in NOTEBOOKS] == ["01_", "02_", "03_", "04_", "05_", "06_"]


@each_notebook
def test_it_is_valid_and_holds_nothing_but_what_git_keeps(path):
    nbformat.validate(nbformat.read(path, as_version=4))
    assert path.read_text(encoding="utf-8") == kept_text(path), "it holds large outputs or the like: run `make strip`"


@each_notebook
def test_a_visitor_sees_pictures_and_nothing_of_the_machine_they_were_made_on(path):
    shown = [output for cell in code_cells(nbformat.read(path, as_version=4)) for output in cell.outputs]
    pictures = [output.data["image/png"] for output in shown if "image/png" in output.get("data", {})]
    assert all(picture_bytes(picture) <= LARGEST_PICTURE for picture in pictures)
    told = "".join(output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in shown)
    assert not re.search(r"/(tmp|work|home|root|Users)/", told)
    assert (bool(told) and bool(pictures)) == (path.name[:2] in SHOWN), "`make outputs` makes them"


def test_large_outputs_warnings_and_traces_of_editors_are_taken_out():
    notebook = nbformat.read(NOTEBOOKS[0], as_version=4)
    before = kept(notebook)
    cell, small = code_cells(notebook)[0], base64.b64encode(bytes(99_000)).decode()
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="hello"),
        nbformat.v4.new_output("stream", name="stderr", text="a warning"),
        nbformat.v4.new_output("display_data", {"image/png": small, "text/html": "<b>"}, metadata={"size": 1}),
        nbformat.v4.new_output("display_data", {"image/png": base64.b64encode(bytes(101_000)).decode()}),
        nbformat.v4.new_output("execute_result", {"text/plain": "(3, 4)"}, execution_count=3),
        nbformat.v4.new_output("error", ename="E", evalue="e", traceback=["x"]),
    ]
    cell.execution_count = 3
    cell.metadata["collapsed"] = True
    notebook.metadata["language_info"]["version"] = "3.11.1"
    after = kept(notebook)
    assert kept(after) == after
    outputs = code_cells(after)[0].pop("outputs")
    assert [(output.get("text"), output.get("data")) for output in outputs] == [
        ("hello", None), (None, {"image/png": small}), (None, {"text/plain": "(3, 4)"}),
    ]  # fmt: skip
    code_cells(before)[0].pop("outputs")
    assert after == before


@each_notebook
def test_it_is_short_and_defines_nothing_long(path):
    notebook = nbformat.read(path, as_version=4)
    lines = [len(cell.source.splitlines()) for cell in code_cells(notebook)]
    assert max(lines) <= LONGEST_CELL
    assert sum(lines) <= LONGEST_NOTEBOOK
    for node in ast.walk(program_of(path)):
        assert not isinstance(node, (ast.ClassDef, ast.AsyncFunctionDef))
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < LONGEST_DEFINITION, node.name
    assert notebook.cells[0].source.startswith(f"# {int(path.name[:2])}. ")


@each_notebook
def test_its_links_lead_somewhere(path):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for target in re.findall(r"\]\(([^)#]+)", cell.source):
                assert target.startswith("https://") or (path.parent / target).exists(), target


def imported_names(program: ast.Module) -> dict[str, Any]:
    """What each imported name stands for; what does not exist is an error."""
    names: dict[str, Any] = {}
    for node in ast.walk(program):
        if isinstance(node, ast.Import):
            for alias in node.names:
                module = importlib.import_module(alias.name)
                top = importlib.import_module(alias.name.split(".")[0])
                names[alias.asname or alias.name.split(".")[0]] = module if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module)
            names |= {alias.asname or alias.name: getattr(module, alias.name) for alias in node.names}
    return names


def thing_named(node: ast.expr, names: dict[str, Any]) -> Any:
    """What `vu.Labels.found_in` stands for; None where it does not begin with an imported name."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = thing_named(node.value, names)
        return None if owner is None else getattr(owner, node.attr)  # an AttributeError is what this test is for
    return None


@each_notebook
def test_what_it_imports_and_calls_exists(path):
    program = program_of(path)
    names = imported_names(program)
    called = 0
    for node in ast.walk(program):
        if isinstance(node, ast.Attribute):
            thing_named(node, names)
        if isinstance(node, ast.Call) and (thing := thing_named(node.func, names)) is not None:
            if not getattr(thing, "__module__", "").startswith("video_understanding"):
                continue
            called += 1
            inspect.signature(thing).bind_partial(**{word.arg: None for word in node.keywords if word.arg})
    assert called


class Run:
    """A notebook that was run: all that it has printed, and how many pictures it has drawn."""

    def __init__(self, notebook: nbformat.NotebookNode) -> None:
        outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
        streams = [(output.name, output.text) for output in outputs if output.output_type == "stream"]
        values = [output.get("data", {}).get("text/plain", "") for output in outputs]
        self.printed = "\n".join([*values, *(text for name, text in streams if name == "stdout")])
        self.warned = "".join(text for name, text in streams if name == "stderr")
        self.pictures = sum("image/png" in output.get("data", {}) for output in outputs)


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Path:
    """Where the notebooks work; a model that one has trained is there for the others."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture
def run(work, monkeypatch):
    """Runs a notebook by its number, as a reader would, with other values in its cell of parameters."""
    for variable, folder in (
        ("IPYTHONDIR", "ipython"), ("JUPYTER_CONFIG_DIR", "config"), ("JUPYTER_RUNTIME_DIR", "runtime"),
        ("VIDEO_UNDERSTANDING_CACHE", "cache"),
    ):  # fmt: skip
        monkeypatch.setenv(variable, str(work / folder))
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)  # what TensorFlow tells is the notebook's own care

    def run_number(number: int, **parameters: Any) -> Run:
        notebook = nbformat.read(NOTEBOOKS[number - 1], as_version=4)
        place = parameters_place(notebook)
        known = {node.id for node in ast.walk(ast.parse(notebook.cells[place].source)) if isinstance(node, ast.Name)}
        assert set(parameters) <= known
        lines = [f"{name} = {value!r}" for name, value in parameters.items()]
        notebook.cells.insert(place + 1, nbformat.v4.new_code_cell("\n".join(lines)))
        resources = {"metadata": {"path": str(work)}}
        NotebookClient(notebook, timeout=_CELL_TIMEOUT_S, kernel_name="python3", resources=resources).execute()
        return Run(notebook)

    return run_number


def test_01_looks_at_data(run):
    looked = run(1, CLIPS=24)
    assert looked.pictures == 4
    assert "24 rows of clips.csv" in looked.printed
    assert "shortcut_silence" in looked.printed
    assert not looked.warned


def test_06_streams_and_says_the_same_live(run):
    streamed = run(6, SECONDS=10, CLIPS=24, EPOCHS=1)
    assert streamed.pictures == 2
    for same in ("action: True", "emotion: True", "segments: True"):
        assert same in streamed.printed
    windows = re.search(r"\((\d+), \1\)", streamed.printed)  # of the file, and of the stream
    assert int(windows[1]) >= 17  # of 2 s, from half second to half second
    assert not streamed.warned


@pytest.mark.slow
def test_02_trains(run, work):
    trained = run(2, **SMALL)
    assert trained.pictures == 2
    assert not trained.warned
    assert "val_action_accuracy" in trained.printed
    assert "noise at 0 dB" in trained.printed
    assert (work / "work" / "model" / "report.html").exists()


@pytest.mark.slow
def test_03_compares_all_fusions_and_04_explains_one(run, work):
    compared = run(3, CLIPS=48, EPOCHS=1)
    assert compared.pictures == 2
    assert all(f"\n{fusion}" in f"\n{compared.printed}" for fusion in ("late", "gcn", "gat", "self_attention"))
    explained = run(4, CLIPS=48, EPOCHS=1)
    assert explained.pictures == 4
    assert not compared.warned + explained.warned
    assert "by cross_attention" in explained.printed
    assert (work / "work" / "why" / "explanation.json").exists()


@pytest.mark.slow
def test_05_exports(run):
    exported = run(5, **SMALL)
    assert exported.pictures == 2
    assert not exported.warned
    assert "model_fp32.tflite" in exported.printed
    assert "int8" in exported.printed  # be it refused, which happens after so short a training
    assert "TensorFlow is loaded: False" in exported.printed
