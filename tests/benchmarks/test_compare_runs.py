"""Two runs agree where the spreads of their ratios meet."""

import json

import pytest

from benchmarks import compare_runs


def report(low, high, wall=None):
    return {"ratios": [{"what": "a step", "over": "another's", "value": [1.0, low, high], "goal": None, "wall": wall}]}


@pytest.mark.parametrize(
    ("second", "agrees"),
    [
        (report(1.1, 1.3), True),
        (report(1.21, 1.3), False),
        (report(0.5, 0.79), False),
        (report(0.9, 1.0, wall=[1.0, 0.9, 1.1]), True),  # what only one run has is not compared
    ],
)
def test_ratios_agree_where_spreads_meet(tmp_path, monkeypatch, capsys, second, agrees):
    for name, found in (("first", report(0.8, 1.2)), ("second", second)):
        (tmp_path / name).write_text(json.dumps(found))
    monkeypatch.setattr("sys.argv", ["compare_runs", str(tmp_path / "first"), str(tmp_path / "second")])
    assert compare_runs.main() == (0 if agrees else 1)
    printed = capsys.readouterr().out
    assert ("a step, over another's, CPU: 0.80 - 1.20" in printed) is not agrees
    assert f"{int(agrees)} of 1 ratios agree" in printed


def test_a_run_that_is_not_there_is_one_line_without_a_traceback(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["compare_runs", str(tmp_path / "nowhere.json"), str(tmp_path / "nowhere.json")])
    with pytest.raises(SystemExit) as stopped:
        compare_runs.main()
    assert stopped.value.code == 2
    assert "nowhere.json" in capsys.readouterr().err
