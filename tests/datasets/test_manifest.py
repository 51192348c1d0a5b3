"""Labelled clips are read from every form people keep them in, and every mistake is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from video_understanding.datasets.manifest import Manifest, Row, load_manifest
from video_understanding.errors import ManifestError
from video_understanding.labels import Labels

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"\x00media")


def table(folder: Path, text: str, name: str = "clips.csv", encoding: str = "utf-8") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text.encode(encoding))
    return folder / name


def noted(manifest: Manifest, *words: str) -> bool:
    return any(all(word in note for word in words) for note in manifest.notes)


# --- tables ---------------------------------------------------------------------------------------


def test_table_gives_every_column_its_meaning(tmp_path):
    put(tmp_path, "media/a.mp4", "media/b.mp4")
    source = table(
        tmp_path,
        "path,action,emotion,subject,split,fold,start,end,camera\n"
        "media/a.mp4,surfing,happy,S01,val,2,1.5,0:01:02.25,left\n"
        "\n"
        "media/b.mp4,,sad,,,,,,\n",
    )
    manifest = load_manifest(source)
    first, second = manifest
    assert first == Row(
        path=tmp_path / "media/a.mp4",
        labels={"action": "surfing", "emotion": "happy"},
        subject="S01",
        split="validation",
        fold=2,
        start_s=1.5,
        end_s=62.25,
        extra={"camera": "left"},
        origin="clips.csv:2",
        root=tmp_path,
    )
    assert (second.labels, second.subject, second.fold, second.end_s) == ({"emotion": "sad"}, None, None, None)
    assert second.origin == "clips.csv:4"  # the blank line counts
    assert manifest.labels == Labels(action=("surfing",), emotion=("happy", "sad"))
    assert manifest.heads == ("action", "emotion") and len(manifest) == 2
    assert manifest.sources == (source,)


@pytest.mark.parametrize(
    "text",
    [
        "path,action\na.mp4,surf\n",
        "\ufeffpath,action\na.mp4,surf\n",
        "path;action\r\na.mp4;surf\r\n",
        "path\taction\na.mp4\tsurf\n",
        "Path , ACTION\n  a.mp4 ,  surf \n",
        'path,action\n"a.mp4","surf"\n',
        "path,action,,\na.mp4,surf,,\n,,,,,\n",  # what spreadsheets leave behind
        "\n\npath,action\na.mp4,surf",
        "action,path\nsurf,./x/../a.mp4\n",
    ],
)
def test_table_dialects_mean_the_same(tmp_path, text):
    put(tmp_path, "a.mp4")
    (row,) = load_manifest(table(tmp_path, text))
    assert (row.path, row.labels.get("action"), row.extra) == (tmp_path / "a.mp4", "surf", {})


def test_quoted_fields_may_hold_delimiters_and_line_breaks(tmp_path):
    put(tmp_path, "a, b.mp4", "c.mp4")
    manifest = load_manifest(table(tmp_path, 'path,action,remark\n"a, b.mp4", surf, "two\nlines"\nc.mp4,surf,\n'))
    assert manifest.rows[0].path.name == "a, b.mp4"
    assert manifest.rows[0].extra == {"remark": "two\nlines"}
    assert manifest.rows[1].origin == "clips.csv:4"


def test_paths_may_be_absolute_below_home_or_written_on_windows(tmp_path, monkeypatch):
    put(tmp_path, "far/a.mp4", "home/b.mp4", "set/media/c.mp4", "set/odd\\name.mp4", "set/odd/name.mp4")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    lines = [str(tmp_path / "far/a.mp4"), "~/b.mp4", "media\\c.mp4", "odd\\name.mp4", "gone\\d.mp4"]
    source = table(tmp_path / "set", "path,action\n" + "".join(f"{line},surf\n" for line in lines))
    assert [row.path.relative_to(tmp_path).as_posix() for row in load_manifest(source)] == [
        "far/a.mp4",
        "home/b.mp4",
        "set/media/c.mp4",
        "set/odd\\name.mp4",  # such a name is legal here: a file that is there is taken as written
        "set/gone\\d.mp4",
    ]


@pytest.mark.parametrize(
    ("written", "start_s"),
    [("0", 0.0), ("12.5", 12.5), ("1e1", 10.0), ("2:03", 123.0), ("1:02:03.5", 3723.5), ("00:00:07.", 7.0)],
)
def test_times_are_seconds_or_a_clock(tmp_path, written, start_s):
    put(tmp_path, "a.mp4")
    (row,) = load_manifest(table(tmp_path, f"path,action,start\na.mp4,surf,{written}\n"))
    assert row.start_s == start_s


@pytest.mark.parametrize(
    ("written", "split"),
    [
        ("train", "train"),
        ("Training", "train"),
        ("val", "validation"),
        ("VALID", "validation"),
        ("dev", "validation"),
        ("validation", "validation"),
        ("test", "test"),
    ],
)
def test_split_names(tmp_path, written, split):
    put(tmp_path, "a.mp4")
    (row,) = load_manifest(table(tmp_path, f"path,action,split\na.mp4,surf,{written}\n"))
    assert row.split == split


LINE_PROBLEMS = [
    ("a.mp4,surf,,,abc,", "start 'abc' is not a number"),
    ("a.mp4,surf,,,nan,", "start 'nan' is not a number"),
    (f"a.mp4,surf,,,{'9' * 400}:00:00,", "is not a number"),
    ("a.mp4,surf,,,-1,", "start '-1' is negative"),
    ("a.mp4,surf,,,0:61:00,", "start '0:61:00' is not a time"),
    ("a.mp4,surf,,,3,3", "end '3' is not after start '3'"),
    ("a.mp4,surf,,,,0", "end '0' is not after start '0'"),
    ("a.mp4,surf,,,5,0:04", "end '0:04' is not after start '5'"),
    ("a.mp4,surf,holdout,,,", "split 'holdout' is not train, validation or test"),
    ("a.mp4,surf,,1.5,,", "fold '1.5' is not a whole number"),
    ("a.mp4,surf,,-1,,", "fold '-1' is not a whole number"),
    (",surf,,,,", "has no path"),
    ("a, b.mp4,surf,,,,", "has 7 fields, the header 6"),
    ('"a.mp4,surf,,,,', "quotes"),
]


@pytest.mark.parametrize(("line", "said"), LINE_PROBLEMS)
def test_a_bad_line_is_told_by_its_number(tmp_path, line, said):
    put(tmp_path, "a.mp4")
    source = table(tmp_path, f"path,action,split,fold,start,end\na.mp4,surf,,,,\n{line}\n")
    with pytest.raises(ManifestError) as caught:
        load_manifest(source)
    assert str(caught.value).startswith("clips.csv: 1 line cannot be read. line 3: ")
    assert said in str(caught.value)


def test_all_bad_lines_are_told_at_once_the_first_ten_in_words(tmp_path):
    put(tmp_path, "a.mp4")
    lines = ["a.mp4,surf,abc"] * 2 + ["a.mp4,surf,1"] + ["a.mp4,surf,-2"] * 12
    with pytest.raises(ManifestError) as caught:
        load_manifest(table(tmp_path, "path,action,start\n" + "\n".join(lines)))
    message = str(caught.value)
    assert message.startswith(
        "clips.csv: 14 lines cannot be read. line 2: start 'abc' is not a number of seconds; line 3"
    )
    assert "line 4:" not in message  # that one is well
    assert message.count("line ") == 10 and message.endswith("and 4 more.")


def test_fold_of_a_spreadsheet_is_whole(tmp_path):
    put(tmp_path, "a.mp4")
    (row,) = load_manifest(table(tmp_path, "path,action,fold\na.mp4,surf,2.0\n"))
    assert row.fold == 2 and isinstance(row.fold, int)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        ("path,action\n", "has a header and no rows"),
        ("file,action\na.mp4,surf\n", "Rename the column 'file' to path"),
        ("Filename;action\na.mp4;surf\n", "Rename the column 'Filename' to path"),
        ("paths,action\na.mp4,surf\n", "Rename the column 'paths' to path"),
        ("id,action\n7,surf\n", "has no column path, only id, action"),
        ("path,subject\na.mp4,S01\n", "has no label column"),
        ("path,Label\na.mp4,surf\n", "Rename the column 'Label' to action or emotion"),
        ("path,emotions\na.mp4,sad\n", "Rename the column 'emotions' to action or emotion"),
        ("path,action,emotion\na.mp4,,\n", "no row has a label"),
        ("a.mp4,surf\nb.mp4,surf\n", "line 1 is a clip, not a header"),
        ("\na.mp4 surf\n", "line 2 is a clip, not a header"),
        ("path,action,Action\na.mp4,surf,surf\n", "has the column 'action' twice"),
        ("path,action,x,x\na.mp4,surf,1,2\n", "has the column 'x' twice"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(tmp_path, text, said):
    put(tmp_path, "a.mp4")
    with pytest.raises(ManifestError) as caught:
        load_manifest(table(tmp_path, text))
    assert said in str(caught.value) and str(caught.value).startswith("clips.csv: ")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("path,action\na.mp4,café\n".encode("cp1252"), "line 2 is not UTF-8 text (byte 0xE9, which is 'é' in cp1252)"),
        ("path,action\na.mp4,surf\n".encode("utf-16"), "is UTF-16 text"),
        (b"PK\x03\x04\x00\x00\x00spreadsheet", "is not text"),
        (b"\x89PNG\x1a\x01\xff\xfe", "is not text"),
    ],
)
def test_what_is_not_utf8_text_is_named(tmp_path, data, said):
    (tmp_path / "clips.csv").write_bytes(data)
    with pytest.raises(ManifestError) as caught:
        load_manifest(tmp_path / "clips.csv")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("header", "hint"),
    [
        ("path,action,emotions", "'emotions'"),
        ("path,emotion,Label", "'Label'"),
        ("path,emotion,class", "'class'"),
        ("path,action,speaker", "rename it to subject"),
        ("path,action,start_time", "rename it to start"),
    ],
)
def test_a_column_that_nearly_has_a_meaning_gets_a_hint(tmp_path, header, hint):
    put(tmp_path, "a.mp4")
    manifest = load_manifest(table(tmp_path, f"{header}\na.mp4,one,7\n"))
    assert noted(manifest, hint, "not used")
    assert list(manifest.rows[0].extra.values()) == ["7"]


def test_ordinary_other_columns_get_no_hint(tmp_path):
    put(tmp_path, "a.mp4")
    assert not load_manifest(table(tmp_path, "path,action,has_audio,duration,class\na.mp4,surf,1,2,3\n")).notes


def test_missing_media_stay_in_but_not_when_none_is_there(tmp_path):
    put(tmp_path, "a.mp4")
    assert len(load_manifest(table(tmp_path, "path,action\ngone.mp4,surf\na.mp4,surf\n"))) == 2
    with pytest.raises(ManifestError) as caught:
        load_manifest(table(tmp_path, "path,action\nmedia/a.mp4,surf\nmedia/b.mp4,surf\n"))
    assert "none of its 2 files exists" in str(caught.value)
    assert f"tried first: {tmp_path / 'media/a.mp4'}" in str(caught.value)


def test_clips_without_any_label_and_classes_of_two_spellings_are_noted(tmp_path):
    put(tmp_path, "a.mp4")
    manifest = load_manifest(table(tmp_path, "path,emotion,start,end\na.mp4,Happy,0,1\na.mp4,happy,1,2\na.mp4,,2,3\n"))
    assert noted(manifest, "1 clip(s) have no label at all", "clips.csv:4")
    assert noted(manifest, "emotion classes Happy, happy")


# --- folders --------------------------------------------------------------------------------------


def test_class_folders_are_read_to_the_bottom(tmp_path):
    put(tmp_path, "surfing/a.mp4", "surfing/day 2/deep/b.AVI", "archery/c.webm")
    put(tmp_path, "surfing/notes.txt", "archery/cover.jpg", ".cache/x/d.mp4", "archery/._c.webm")
    manifest = load_manifest(tmp_path)
    assert [(row.name, row.labels.get("action")) for row in manifest] == [
        ("archery/c.webm", "archery"),
        ("surfing/a.mp4", "surfing"),
        ("surfing/day 2/deep/b.AVI", "surfing"),
    ]
    assert manifest.heads == ("action",)
    assert manifest.rows[0].origin == f"{tmp_path.name}/archery/c.webm"
    assert noted(manifest, "2 file(s) that are not media (.jpg, .txt)")


def test_folders_named_after_emotions_label_emotion(tmp_path):
    put(tmp_path, "Happy/a.mp4", "fear/b.mp4", "neutral/c.mp4")
    manifest = load_manifest(tmp_path)
    assert manifest.labels == Labels(emotion=("Happy", "fear", "neutral"))
    assert noted(manifest, "named after emotions")


def test_folders_mostly_named_after_emotions_label_action_and_say_so(tmp_path):
    put(tmp_path, "happy/a.mp4", "sad/b.mp4", "surfing/c.mp4")
    manifest = load_manifest(tmp_path)
    assert manifest.heads == ("action",)
    assert noted(manifest, "but not surfing", "folder named emotion")


@pytest.mark.parametrize("order", ["{split}/{head}/{name}/a.mp4", "{head}/{split}/{name}/a.mp4"])
def test_split_and_head_folders_stand_above_class_folders(tmp_path, order):
    for split in ("train", "val", "Test"):
        for head, name in (("action", "happy"), ("emotion", "surfing")):
            put(tmp_path, order.format(split=split, head=head, name=name))
    manifest = load_manifest(tmp_path)
    assert manifest.labels == Labels(action=("happy",), emotion=("surfing",))
    assert sorted(
        (row.split, row.labels.get("action"), row.labels.get("emotion")) for row in manifest if row.labels.get("action")
    ) == [(split, "happy", None) for split in ("test", "train", "validation")]


def test_a_class_may_be_named_like_a_split_or_a_head(tmp_path):
    put(tmp_path, "train/a.mp4", "car/b.mp4", "action/c.mp4")
    assert load_manifest(tmp_path).labels["action"] == ("action", "car", "train")


def test_a_folder_with_clips_csv_is_that_table(tmp_path):
    put(tmp_path, "surfing/a.mp4", "surfing/b.mp4")
    table(tmp_path, "path,action\nsurfing/a.mp4,wave\n")
    manifest = load_manifest(tmp_path)
    assert [row.labels.get("action") for row in manifest] == ["wave"]
    assert manifest.sources == (tmp_path / "clips.csv",)


def test_links_are_followed_but_not_in_circles(tmp_path):
    put(tmp_path, "store/a.mp4", "set/surfing/b.mp4")
    (tmp_path / "set/archery").symlink_to(tmp_path / "store")
    (tmp_path / "set/surfing/again").symlink_to(tmp_path / "set")
    assert [row.name for row in load_manifest(tmp_path / "set")] == ["archery/a.mp4", "surfing/b.mp4"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "holds no media file, nor do the folders in it"),
        (["surfing/readme.txt", "x.jpg"], "it holds 2 file(s) that are not media (.jpg, .txt)"),
        (["a.mp4", "b.mp4"], "holds media but no class folders"),
        (["train/a.mp4", "test/b.mp4"], "holds media but no class folders"),
        (["train/surfing/a.mp4", "extra/surfing/b.mp4"], "has the split folder 'train' and beside it 'extra'"),
        (["emotion/happy/a.mp4", "surfing/b.mp4"], "has the head folder 'emotion' and beside it 'surfing'"),
    ],
)
def test_a_folder_that_cannot_be_used_says_why(tmp_path, files, said):
    put(tmp_path, *files)
    with pytest.raises(ManifestError) as caught:
        load_manifest(tmp_path)
    assert said in str(caught.value)


def test_empty_class_folders_and_stray_media_are_noted(tmp_path):
    put(tmp_path, "surfing/a.mp4", "stray.mp4", "archery/list.txt")
    manifest = load_manifest(tmp_path)
    assert len(manifest) == 1
    assert noted(manifest, "no media in archery") and noted(manifest, "1 media file(s) beside the class folders")


def test_a_folder_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    put(tmp_path, "surfing/a.mp4", "locked/b.mp4")
    real = Path.iterdir

    def guarded(path: Path):
        if path.name == "locked":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "iterdir", guarded)  # file modes do not stop a superuser
    with pytest.raises(ManifestError) as caught:
        load_manifest(tmp_path)
    assert "locked: this folder cannot be read (Permission denied)" in str(caught.value)


# --- lists of `path label` ------------------------------------------------------------------------


def test_list_lines_give_path_and_class(tmp_path):
    put(tmp_path, "media/a.mp4", "my clips/b c.avi", "media/d.mp4")
    source = table(
        tmp_path, "media/a.mp4 surfing\n\nmy clips/b c.avi riding a bike\nmedia/d.mp4\t7\nframes 3\n", "train_list.txt"
    )
    manifest = load_manifest(source)
    assert [(row.name, row.labels.get("action")) for row in manifest] == [
        ("media/a.mp4", "surfing"),
        ("my clips/b c.avi", "riding a bike"),
        ("media/d.mp4", "7"),
        ("frames", "3"),
    ]
    assert manifest.rows[1].origin == "train_list.txt:3"


@pytest.mark.parametrize("beside", ["classes.txt", "labels.txt", "label_map.txt"])
@pytest.mark.parametrize("names", ["archery\nriding a bike\n", "0 archery\n1 riding a bike\n"])
def test_an_index_becomes_the_name_found_beside_the_list(tmp_path, beside, names):
    put(tmp_path, "a.mp4", "b.mp4")
    table(tmp_path, names, beside)
    manifest = load_manifest(table(tmp_path, "a.mp4 1\nb.mp4 archery\n", "train.txt"))
    assert [row.labels.get("action") for row in manifest] == ["riding a bike", "archery"]
    assert noted(manifest, beside)


def test_numbers_without_names_are_noted(tmp_path):
    put(tmp_path, "a.mp4")
    assert noted(load_manifest(table(tmp_path, "a.mp4 1\n", "train.txt")), "classes.txt")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("b.mp4", "'b.mp4' has no class after the path"),
        ("b.mp4,3", "a table needs a header with a column path"),
        ("b.mp4 9", "class 9 is not among the 2 classes, 0 to 1"),
        ("b.mp4 0 9", "class 9 is not among the 2 classes, 0 to 1"),
    ],
)
def test_a_bad_list_line_is_told_by_its_number(tmp_path, line, said):
    put(tmp_path, "a.mp4", "b.mp4")
    table(tmp_path, "archery\nsurfing\n", "classes.txt")
    with pytest.raises(ManifestError) as caught:
        load_manifest(table(tmp_path, f"a.mp4 0\n{line}\n", "train.txt"))
    assert "train.txt: 1 line cannot be read. line 2: " in str(caught.value) and said in str(caught.value)


def test_a_file_without_line_breaks_is_refused_in_words(tmp_path):
    with pytest.raises(ManifestError, match=r"blob\.json: 1 line cannot be read"):
        load_manifest(table(tmp_path, "x" * 200_000, "blob.json"))


def test_a_text_with_a_table_header_is_a_table(tmp_path):
    put(tmp_path, "a.mp4")
    (row,) = load_manifest(table(tmp_path, "path\temotion\na.mp4\tsad\n", "clips.txt"))
    assert row.labels.get("emotion") == "sad"


def test_a_list_whose_files_are_elsewhere_is_refused(tmp_path):
    with pytest.raises(ManifestError, match="its one file does not exist"):
        load_manifest(table(tmp_path, "a.mp4 1\n", "train.txt"))


# --- several sources ------------------------------------------------------------------------------


def test_sources_are_joined_and_named_apart(tmp_path):
    put(tmp_path, "one/a.mp4", "two/a.mp4", "three/surfing/b.mp4")
    first = table(tmp_path / "one", "path,action\na.mp4,surfing\n")
    second = table(tmp_path / "two", "path,emotion\na.mp4,sad\n")
    manifest = load_manifest(first, str(second), tmp_path / "three")
    assert [row.origin for row in manifest] == ["one/clips.csv:2", "two/clips.csv:2", "three/surfing/b.mp4"]
    assert manifest.labels == Labels(action=("surfing",), emotion=("sad",))


def test_the_same_source_twice_counts_once(tmp_path):
    put(tmp_path, "a.mp4")
    source = table(tmp_path, "path,action\na.mp4,surf\n")
    manifest = load_manifest(source, tmp_path, source)
    assert len(manifest) == 1 and noted(manifest, "more than once")


def test_a_clip_listed_twice_alike_is_kept_once(tmp_path):
    put(tmp_path, "a.mp4")
    text = "path,action,start,end\na.mp4,surf,,2\n./a.mp4,surf,0,2\na.mp4,fall,2,3\n"
    manifest = load_manifest(table(tmp_path, text))
    assert [(row.labels.get("action"), row.end_s) for row in manifest] == [("surf", 2.0), ("fall", 3.0)]
    assert noted(manifest, "1 clip(s)", "kept once", "clips.csv:2 and clips.csv:3")


def test_labels_of_different_heads_come_together(tmp_path):
    put(tmp_path, "media/a.mp4", "media/b.mp4")
    actions = table(tmp_path, "path,action,camera\nmedia/a.mp4,surf,left\n", "actions.csv")
    emotions = table(tmp_path, "path,emotion,subject,camera\nmedia/a.mp4,happy,S01,?\nmedia/b.mp4,sad,S02,\n", "e.csv")
    manifest = load_manifest(actions, emotions)
    first, second = manifest
    assert (first.labels.get("action"), first.labels.get("emotion"), first.subject, first.extra) == (
        "surf",
        "happy",
        "S01",
        {"camera": "left"},
    )
    assert first.origin == "actions.csv:2 and e.csv:2"
    assert (second.labels.get("action"), second.labels.get("emotion")) == (None, "sad")
    assert noted(manifest, "labels put together")


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("surf,,S01", "fall,,S01", "media/a.mp4: action is 'surf' in one.csv:2, 'fall' in two.csv:2"),
        ("surf,sad,", ",happy,", "emotion is 'sad' in one.csv:2, 'happy' in two.csv:2"),
        ("surf,,S01", "surf,,S02", "subject is 'S01' in one.csv:2, 'S02' in two.csv:2"),
    ],
)
def test_contradictions_name_both_lines(tmp_path, first, second, said):
    put(tmp_path, "media/a.mp4")
    header = "path,action,emotion,subject\nmedia/a.mp4,"
    one, two = table(tmp_path, header + first, "one.csv"), table(tmp_path, header + second, "two.csv")
    with pytest.raises(ManifestError) as caught:
        load_manifest(one, two)
    assert said in str(caught.value) and "one.csv, two.csv: 1 contradiction(s)" in str(caught.value)


def test_tables_about_the_same_files_are_one_data_set(tmp_path):
    put(tmp_path, "media/a.mp4", "media/b.mp4", "other/c.mp4")
    one = table(tmp_path / "one", "path,action,subject\n../media/a.mp4,surf,S01\n")
    two = table(tmp_path / "two", "path,emotion,subject\n../media/a.mp4,sad,S01\n../media/b.mp4,sad,S01\n")
    three = table(tmp_path / "other", "path,emotion,subject\nc.mp4,sad,S01\n")
    assert [row.root for row in load_manifest(one, two, three)] == [tmp_path, tmp_path, tmp_path / "other"]


# --- the sources themselves, and the value --------------------------------------------------------


def test_a_source_that_is_not_there_gets_a_suggestion(tmp_path):
    table(tmp_path, "path,action\n")
    with pytest.raises(ManifestError, match=r"clip\.csv: does not exist\. Did you mean .*clips\.csv"):
        load_manifest(tmp_path / "clip.csv")
    with pytest.raises(ManifestError, match="does not exist"):
        load_manifest(tmp_path / "no" / "such" / "folder")
    with pytest.raises(ManifestError, match="does not exist"):
        load_manifest("~nobody_of_this_name/clips.csv")
    table(tmp_path, "path,action\n")
    with pytest.raises(ManifestError, match="does not exist"):
        load_manifest(tmp_path / "clips.csv" / "surfing")
    with pytest.raises(ManifestError, match="no source"):
        load_manifest()


def test_a_media_file_is_not_a_manifest(tmp_path):
    put(tmp_path, "a.mp4")
    with pytest.raises(ManifestError, match="is a media file, not a list of clips"):
        load_manifest(tmp_path / "a.mp4")


def test_errors_have_one_line(tmp_path):
    put(tmp_path, "a.mp4")
    with pytest.raises(ManifestError) as caught:
        load_manifest(table(tmp_path, 'path,action,start\na.mp4,surf,"x\ny"\n'))
    assert "\n" not in str(caught.value)


def test_repr_tells_counts_and_not_rows(tmp_path):
    labels = Labels(action=tuple(f"c{number:02}" for number in range(40)), emotion=("sad",))
    rows = [Row(tmp_path / f"{n}.mp4", {"action": f"c{n % 40:02}"}, subject=f"S{n % 7}") for n in range(5000)]
    text = repr(Manifest(rows, labels))
    assert text.startswith("Manifest(5000 rows of manifest; action: c00 125, c01 125")
    assert "and 28 more classes" in text and "emotion: sad 0" in text and "7 subjects" in text
    assert len(text) < 300


def test_other_rows_keep_the_classes_and_must_fit_them(tmp_path):
    rows = [Row(tmp_path / "a.mp4", labels={"action": "surf"}), Row(tmp_path / "b.mp4", {"action": "fall"})]
    manifest = Manifest(rows, Labels(action=("fall", "surf")))
    fewer = manifest.with_rows(rows[:1])
    assert fewer.labels == manifest.labels and fewer.counts("action") == {"fall": 0, "surf": 1}
    with pytest.raises(ManifestError, match="action 'swim' is not among the classes"):
        manifest.with_rows([Row(tmp_path / "c.mp4", {"action": "swim"})])


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "rows", "head", "classes", "subjects"),
    [
        ("action_fight", 220, "action", 2, 35),
        ("action_ucf_av3", 108, "action", 3, 54),
        ("emotion_javanese", 192, "emotion", 6, 8),
        ("speech_ravdess", 1200, "emotion", 8, 20),
    ],
)
def test_real_sets_load_whole(name, rows, head, classes, subjects):
    if not SHARED.is_dir():
        pytest.skip("the real clips of ../shared/data are not here")
    manifest = load_manifest(SHARED / name)
    assert len(manifest) == rows and manifest.heads == (head,)
    assert len(manifest.labels.names(head)) == classes and len(manifest.subjects) == subjects
    assert all(row.path.is_file() for row in manifest) and not manifest.notes


# --- sentences ------------------------------------------------------------------------------------


def test_rows_about_one_clip_give_it_all_their_sentences_and_need_no_label(tmp_path):
    put(tmp_path, "a.webp", "b.webp")
    source = table(
        tmp_path,
        "path,split,text\n"
        "a.webp,train,A dog runs .\na.webp,train,A brown dog\na.webp,train,A dog runs .\nb.webp,test,A boat\n",
    )
    first, second = manifest = load_manifest(source)
    assert first.texts == ("A dog runs .", "A brown dog")
    assert (first.split, second.split, second.texts) == ("train", "test", ("A boat",))
    assert manifest.labels.heads == () and manifest.notes == ()


def test_sentences_stand_beside_labels_and_do_not_hide_a_clip_without_either(tmp_path):
    put(tmp_path, "a.mp4", "b.mp4", "c.mp4")
    source = table(tmp_path, "path,action,text\na.mp4,surf,A man surfs\nb.mp4,,Two dogs\nc.mp4,,\n")
    manifest = load_manifest(source)
    assert [row.texts for row in manifest] == [("A man surfs",), ("Two dogs",), ()]
    assert noted(manifest, "1 clip(s) have no label at all", "clips.csv:4")
