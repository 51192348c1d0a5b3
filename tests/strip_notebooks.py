"""What git keeps of the notebooks: what people wrote, and small outputs of a whole run, so that a visitor sees them.

`python -m tests.strip_notebooks` takes out the rest: large pictures, counts, warnings, traces of editors.
`python -m tests.strip_notebooks FOLDER` runs the notebooks there from top to bottom first, one after the other.
"""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path

import nbformat

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
LARGEST_PICTURE = 100_000  # bytes of a PNG
LARGEST_TEXT = 6_000  # letters of one output
KINDS = ("image/png", "text/plain")


def kept(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook with small outputs, without counts and traces of the program that it was edited with."""
    notebook = nbformat.from_dict(notebook)
    for cell in notebook.cells:
        cell.metadata = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            cell.outputs = [small for output in cell.outputs if (small := _small(output))]
            cell.execution_count = None
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook.nbformat_minor = 5
    return nbformat.from_dict(notebook)


def kept_text(file: Path) -> str:
    """What the notebook's file ought to hold."""
    return text_of(kept(nbformat.read(file, as_version=4)))


def text_of(notebook: nbformat.NotebookNode) -> str:
    """A notebook as its file."""
    return nbformat.writes(notebook) + "\n"


def picture_bytes(data: str) -> int:
    """How large a picture is that stands in a notebook as base64."""
    return len(data.strip()) * 3 // 4


def _small(output: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    """An output that is worth keeping: printed text, values and pictures, if they are small."""
    if output.output_type == "stream":
        shown = output.name == "stdout" and len(output.text) <= LARGEST_TEXT
        return nbformat.v4.new_output("stream", name="stdout", text=output.text) if shown else None
    if output.output_type not in ("display_data", "execute_result"):
        return None
    data = {kind: output.data[kind] for kind in KINDS if kind in output.data}
    if picture_bytes(data.get("image/png", "")) > LARGEST_PICTURE or len(data.get("text/plain", "")) > LARGEST_TEXT:
        return None
    return nbformat.v4.new_output("display_data", data=data) if data else None


def run(file: Path, work: Path) -> None:
    """Runs a notebook in the folder `work` and writes it with its outputs: small pictures, no paths before `work`."""
    from nbclient import NotebookClient

    notebook = nbformat.read(file, as_version=4)
    NotebookClient(notebook, timeout=None, kernel_name="python3", resources={"metadata": {"path": str(work)}}).execute()
    for output in (output for cell in notebook.cells for output in cell.get("outputs", ())):
        if "image/png" in output.get("data", {}):
            output.data["image/png"] = _smaller(output.data["image/png"])
    file.write_text(text_of(kept(notebook)).replace(f"{work.resolve()}/", ""), encoding="utf-8")


def _smaller(picture: str) -> str:
    """A PNG in base64 with as many pixels and colours as fit into `LARGEST_PICTURE`."""
    from PIL import Image

    whole = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    for scale in (1.0, 0.85, 0.7, 0.5, 0.35):
        if picture_bytes(picture) <= LARGEST_PICTURE:
            break
        size = round(scale * whole.width), round(scale * whole.height)
        file = io.BytesIO()
        whole.resize(size, Image.Resampling.LANCZOS).quantize(128).save(file, "PNG", optimize=True)
        picture = base64.b64encode(file.getvalue()).decode()
    return picture


if __name__ == "__main__":
    for file in sorted(FOLDER.glob("*.ipynb")):
        if sys.argv[1:]:
            run(file, Path(sys.argv[1]))
        else:
            file.write_text(kept_text(file), encoding="utf-8")
