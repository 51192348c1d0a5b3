"""The house holds: floors import downwards, half of it needs no TensorFlow, rooms are small, all is documented."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import video_understanding
from video_understanding.cli.main import COMMANDS, make_parser
from video_understanding.cli.reference import reference

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = PROJECT / "video_understanding"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Floor of each room; 4.0 and 4.5 are the two wings of the fourth floor, which never import each other.
FLOORS = {
    "errors": 0, "spec": 0, "network_spec": 0, "labels": 0, "clip": 0, "modality": 0, "presets": 0,
    "whole_file": 0, "stderr_lines": 0,
    "safe_text": 0, "program_output": 0, "locks": 0, "strict_json": 0, "spec_numbers": 0, "process": 0,
    "progress": 0, "arguments": 0,
    "prediction": 1, "window_scores": 1, "scorer": 1, "signatures": 1, "exported_scorer": 1, "bundle": 1,
    "bundle_card": 1, "archive": 1,
    "media": 2, "datasets": 2,
    "features": 3, "words": 3,
    "recognition": 4.0, "evaluation": 4.0, "report": 4.0, "edge": 4.0, "search": 4.0,
    "layers": 4.5, "models": 4.5,
    "training": 5, "runtimes": 5,
    "export": 6, "explain": 6,
    "cli": 7, "__main__": 7,
}  # fmt: skip
TENSORFLOW_FROM = 4.5
# What installing the base brings; everything else may only be imported inside functions.
BASE_PACKAGES = {"numpy", "tqdm", "av"}


def room_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(module: Path, *, only_at_once: bool = False) -> set[str]:
    """Names of all imported modules; with `only_at_once` those that importing the module itself needs."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    later = set()
    if only_at_once:
        for node in ast.walk(tree):
            is_type_only = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            if is_type_only or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                later |= set(ast.walk(node))
    names = set()
    for node in ast.walk(tree):
        if node in later:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.name} imports relatively"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def own_rooms(names: set[str]) -> set[str]:
    return {name.split(".")[1] for name in names if name.startswith("video_understanding.")} & set(FLOORS)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(PACKAGE)))
def test_floors_import_only_downwards(module):
    room = room_of(module)
    if room == "__init__":
        return  # the front door loads every room, each only when it is asked for
    assert room in FLOORS, f"{room} has no floor: give it one in docs/architecture.md and here"
    for other in own_rooms(imports_of(module)) - {room}:
        wings = {FLOORS[room], FLOORS[other]} == {4.0, 4.5}
        assert FLOORS[other] <= FLOORS[room] and not wings, f"{module.name} in {room} imports {other}"


def test_no_module_imports_itself_through_others():
    """Not even inside functions or for types: what is needed in a circle is one thing in several files."""
    names = {".".join(module.relative_to(PROJECT).with_suffix("").parts): module for module in MODULES}
    names = {name.removesuffix(".__init__"): module for name, module in names.items()}
    # A module of a room may stand in an import from its room: that is not what the room's `__init__` gives away.
    imported = {
        name: {other for other in imports_of(module) & set(names) if not name.startswith(f"{other}.")}
        for name, module in names.items()
    }
    while free := [name for name, needed in imported.items() if not needed & set(imported)]:
        for name in free:  # it needs nothing that could lead back to it
            del imported[name]
    while loose := set(imported) - set().union(*imported.values()):
        for name in loose:  # it only needs the circle
            del imported[name]
    assert not imported, f"these modules stand in a circle: {', '.join(sorted(imported))}"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(PACKAGE)))
def test_the_lower_floors_do_not_know_tensorflow(module):
    if FLOORS.get(room_of(module), 0) >= TENSORFLOW_FROM and room_of(module) not in ("cli", "__main__"):
        return
    tops = {name.split(".")[0] for name in imports_of(module, only_at_once=room_of(module) == "cli")}
    assert not tops & {"tensorflow", "keras"}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(PACKAGE)))
def test_extras_are_imported_only_where_they_are_used(module):
    if FLOORS.get(room_of(module), 0) >= TENSORFLOW_FROM or "synthetic" in module.parts:
        return  # the synthetic clips are drawn with OpenCV throughout, and are imported by nothing else
    needed = {name.split(".")[0] for name in imports_of(module, only_at_once=True)}
    assert needed <= BASE_PACKAGES | set(sys.stdlib_module_names) | {"video_understanding"}


def test_editors_see_the_names_that_are_loaded_when_they_are_first_used():
    """The stub has each name from where it lives, and is installed beside the package, which says that it has types."""
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.asname: f"{node.module}.{alias.name}" for node in imports for alias in node.names}
    homes = video_understanding._HOMES
    assert seen == {name: f"video_understanding.{home}.{name}" for name, home in homes.items()}
    assert (PACKAGE / "py.typed").is_file()
    assert '"video_understanding": ["py.typed", "*.pyi"]' in (PROJECT / "setup.py").read_text(encoding="utf-8")


_BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked}:
            raise ModuleNotFoundError(f"{{name}} is blocked by the test", name=name)

sys.meta_path.insert(0, Blocked())
{program}
"""


def run_blocked(blocked: set[str], program: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _BLOCKED.format(blocked=sorted(blocked), program=program)],
        capture_output=True, text=True, cwd=folder, env={**os.environ, "PYTHONPATH": str(PROJECT)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_everything_below_works_without_tensorflow_and_keras(tmp_path):
    """Not only imports: clips are made, read, cached, augmented, split and checked."""
    program = """
import numpy as np
import video_understanding as vu
from video_understanding.datasets.augment import default_augmentation
from video_understanding.media.synthetic import make_dataset
table = make_dataset("clips", seed=1, clips=18, actions=("bounce", "spin", "slide"), duration_s=1.0)
manifest = vu.load_manifest(table)
split = vu.split_rows(manifest, seed=0, validation=0.2, test=0.2)
prepared = vu.ClipCache("cache").prepare(manifest.rows, vu.ModelSpec(window_s=1.0))
clip = default_augmentation()(prepared[0], np.random.default_rng(0))
report = vu.check_dataset(manifest)
print(len(prepared), sorted(split.parts), clip.modalities, type(report).__name__)
"""
    output = run_blocked({"tensorflow", "keras"}, program, tmp_path)
    assert "18 ['test', 'train', 'validation'] {'video': True, 'audio': True} PreflightReport" in output


def test_reading_a_file_needs_only_the_base(tmp_path):
    from video_understanding.media.synthetic.calibration import write_calibration_clip

    write_calibration_clip(tmp_path / "clip.mp4", duration_s=1.0)
    program = """
import video_understanding as vu
print(vu.read_clip("clip.mp4", vu.ModelSpec()))
from video_understanding.cli.main import main
main(["inspect", "clip.mp4"])
"""
    blocked = {"tensorflow", "keras", "cv2", "librosa", "scipy", "soundfile", "soxr", "sklearn", "matplotlib"}
    output = run_blocked(blocked, program, tmp_path)
    assert "Clip(clip.mp4" in output
    assert "h264 320x240" in output


def test_a_command_that_needs_more_than_the_base_says_what_to_install(tmp_path):
    (tmp_path / "clips.csv").write_text("path,action\n")
    program = """
from video_understanding.cli.main import main
sys.stderr = sys.stdout
print(main(["train", "clips.csv", "--out", "bundle"]))
"""
    output = run_blocked({"tensorflow", "keras"}, program, tmp_path)
    assert "is needed by `vu train` and is not installed" in output
    assert "pip install '.[train]'" in output
    assert output.strip().endswith("2")


def test_nothing_names_the_program_of_somebody_else_for_an_install():
    """On the package index "video-understanding" is another program: hints say what works in a clone of this one."""
    folders = (PROJECT / name for name in ("docs", "notebooks", "benchmarks", "video_understanding", "tests"))
    files = [*PROJECT.glob("*"), *(file for folder in folders for file in folder.rglob("*"))]
    texts = (file for file in files if file.is_file() and file.suffix in (".py", ".md", ".ipynb", ".toml", ".txt", ""))
    wrong = re.compile(r"install[^\n]*\bvideo-understanding\b|video-understanding\[")
    found = [file for file in texts if file != Path(__file__) and wrong.search(file.read_text(encoding="utf-8"))]
    assert found == []


def test_importing_the_package_imports_nothing_else(tmp_path):
    program = "import video_understanding; print([n for n in ('numpy', 'av', 'cv2') if n in sys.modules])"
    assert run_blocked(set(), program, tmp_path).strip() == "[]"


def test_every_public_name_can_be_had():
    for name in video_understanding.__all__:
        assert getattr(video_understanding, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        video_understanding.nothing  # noqa: B018
    assert set(video_understanding.__all__) <= set(dir(video_understanding))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(PACKAGE)))
def test_a_room_is_small_and_says_what_it_is(module):
    text = module.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 350
    said = ast.get_docstring(ast.parse(text))
    assert said, "a module begins with one sentence that names it"
    assert not re.search(r"util|common|helper|misc", module.stem)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(PACKAGE)))
def test_public_functions_have_types_and_a_docstring(module):
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            is_command = "cli" in module.parts and node.name in ("add_arguments", "run", "main", "command_module")
            assert ast.get_docstring(node) or is_command, f"{node.name} has no docstring"
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            assert node.returns is not None, f"{node.name} does not say what it returns"
            assert all(argument.annotation for argument in arguments), f"{node.name} has an argument without a type"


def test_no_random_numbers_without_a_seed():
    pattern = re.compile(r"np\.random\.(?!default_rng|Generator|SeedSequence)\w+|^import random|default_rng\(\)", re.M)
    for module in MODULES:
        found = pattern.search(module.read_text(encoding="utf-8"))
        assert not found, f"{module.name}: {found.group()}"


def test_the_command_reference_is_what_help_says():
    written = (PROJECT / "docs" / "commands.md").read_text(encoding="utf-8")
    # By words: where lines break and what is indented differs between versions of Python.
    assert written.split() == reference().split(), "run `make docs`"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme(name):
    assert f"vu {name}" in (PROJECT / "README.md").read_text(encoding="utf-8")


def test_the_parser_knows_every_command():
    assert all(name in make_parser().format_help() for name in COMMANDS)


@pytest.mark.parametrize(
    "page", sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").glob("*.md")]), ids=lambda p: p.name
)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
