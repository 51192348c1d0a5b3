"""Progress: a bar that is visible beside its postfix, one for several operations, and lines without a terminal."""

from __future__ import annotations

import io
import os
import sys

import pytest

from video_understanding.progress import FIRST_LINE_S, NEXT_LINE_S, Bar, one_bar, plain_lines


class Terminal(io.StringIO):
    encoding = "utf-8"

    def fileno(self) -> int:
        return 2

    def isatty(self) -> bool:
        return True


def terminal_in(monkeypatch, columns: int = 80) -> Terminal:
    """Takes the place of stderr, within a test: pytest puts its own there before each."""
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((columns, 25)))
    monkeypatch.setattr(sys, "stderr", Terminal())
    return sys.stderr


@pytest.mark.parametrize("columns", [80, 100])
def test_a_long_postfix_does_not_shorten_the_bar(monkeypatch, columns):
    terminal = terminal_in(monkeypatch, columns)
    with Bar(1000, "Training", "batch") as bar:
        bar.update(500)
        bar.set_postfix("epoch 12, loss 0.512, val loss 0.731, action 81 %, emotion 64 %")
    last = terminal.getvalue().replace("\r", "\n").strip().splitlines()[-1]
    assert last.count("█") == 10 and "epoch 12" in last
    assert len(last) <= columns


def test_a_bar_appears_at_once_and_several_can_be_one(monkeypatch):
    terminal = terminal_in(monkeypatch)
    with one_bar("Evaluating", 3):
        assert "Evaluating   0%" in terminal.getvalue()
        with one_bar("Evaluating", 2):
            for _ in range(2):
                with Bar(10, "Evaluating", "window") as bar:
                    bar.update(10)
    text = terminal.getvalue()
    assert "100%" in text and text.count("\n") == 1


def test_without_a_terminal_a_line_is_written_now_and_then_where_enabled(capsys):
    time_s = 0.0

    def work() -> str:
        nonlocal time_s
        time_s = 0.0
        with Bar(100, "Training", "batch", clock=lambda: time_s) as bar:
            bar.set_postfix("epoch 1")
            for _ in range(100):
                time_s += 1
                bar.update()
        return capsys.readouterr().err

    assert work() == ""
    with plain_lines():
        lines = work().splitlines()
        with plain_lines(False):
            assert work() == ""
    assert lines[0] == f"Training: {FIRST_LINE_S:.0f} %, epoch 1"
    assert len(lines) == 1 + int((100 - FIRST_LINE_S) // NEXT_LINE_S)
