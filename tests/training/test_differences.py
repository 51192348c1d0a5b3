"""What differs between two trainings is told by name, with both values."""

from video_understanding.training.differences import differences


def test_settings_are_told_by_their_names_and_values():
    before = {"spec": {"window_s": 4.0, "video": {"zoom": 1}}, "split": "a", "weights": "default", "gone": 1}
    now = {"spec": {"window_s": 4.0, "video": {"zoom": 2}}, "split": "b", "weights": None}
    assert differences(before, now) == [
        "spec video zoom 1, now 2",
        "split a, now b",
        "weights default, now nothing",
        "gone 1, now nothing",
    ]
    assert differences(now, now) == []
