"""Takes out of the notebooks what running them has put in, so that git keeps what people wrote."""

from __future__ import annotations

from pathlib import Path

import nbformat

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"


def stripped_text(file: Path) -> str:
    """What the notebook's file holds without outputs, counts, and traces of the program that it was edited with."""
    notebook = nbformat.read(file, as_version=4)
    for cell in notebook.cells:
        cell.metadata = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook.nbformat_minor = 5
    return nbformat.writes(nbformat.from_dict(notebook)) + "\n"


if __name__ == "__main__":
    for file in sorted(FOLDER.glob("*.ipynb")):
        file.write_text(stripped_text(file), encoding="utf-8")
