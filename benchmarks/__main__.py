"""Runs one section of docs/benchmarks.md: python -m benchmarks SECTION [--quick] [--json FILE] [--page FILE]"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
from pathlib import Path

from benchmarks import sections
from benchmarks.report import Run, machine, with_table

_ROUNDS, _QUICK_ROUNDS = 11, 2


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=sections.__doc__)
    parser.add_argument("section", choices=[module.name for module in pkgutil.iter_modules(sections.__path__)])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and nothing that takes long")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there as well")
    parser.add_argument("--page", type=Path, metavar="FILE", help="put the table into the section of this page")
    rounds = f"rounds that count ({_ROUNDS}, or {_QUICK_ROUNDS} if quick)"
    parser.add_argument("--rounds", type=int, metavar="N", help=rounds)
    options = parser.parse_args()
    section = importlib.import_module(f"benchmarks.sections.{options.section}")
    run = Run(options.rounds or (_QUICK_ROUNDS if options.quick else _ROUNDS), options.quick, options.page)
    section.measure(run)
    run.machine = machine(section.PACKAGES, run.rounds)
    table = "\n".join(run.lines())
    print(table)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(run.to_dict(), indent=2) + "\n", encoding="utf-8")
    if options.page:
        page = with_table(options.page.read_text(encoding="utf-8"), section.TITLE, table)
        options.page.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
