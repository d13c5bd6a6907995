import json

import pytest

from tfdisent.trainers import records


def entry(step, final=False):
    return {"step": step, "final": final}


def test_entries_are_read_in_the_order_in_which_they_were_appended(tmp_path):
    path = tmp_path / "file.jsonl"
    assert records.read(path) == []
    for step in (3, 1, 2):
        records.append(path, entry(step))
    assert records.read(path) == [entry(3), entry(1), entry(2)]
    assert path.read_text() == "".join(json.dumps(entry(step)) + "\n" for step in (3, 1, 2))


@pytest.mark.parametrize("cut", ['{"step": 2, "fin', "{", '{"step": 2'])
def test_a_line_that_a_crash_cut_off_takes_no_other_with_it(tmp_path, cut):
    path = tmp_path / "file.jsonl"
    records.append(path, entry(1))
    with open(path, "a") as file:
        file.write(cut)
    records.append(str(path), entry(3))
    assert records.read(path) == [entry(1), entry(3)]


def test_later_steps_and_the_end_are_forgotten(tmp_path):
    path = tmp_path / "file.jsonl"
    records.forget_after(path, 4)
    assert not path.exists()
    for written in (entry(2), entry(4), entry(4, final=True), entry(6)):
        records.append(path, written)
    records.forget_after(path, 4)
    assert records.read(path) == [entry(2), entry(4)]
    assert [file.name for file in tmp_path.iterdir()] == ["file.jsonl"]


def test_a_written_file_replaces_the_one_that_is_there(tmp_path):
    path = tmp_path / "file.json"
    records.write(path, {"a": 1})
    records.write(path, {"b": [2]})
    assert json.loads(path.read_text()) == {"b": [2]}
    assert [file.name for file in tmp_path.iterdir()] == ["file.json"]


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        records.write(tmp_path / "run.json", {"steps": 3})
    assert list(tmp_path.iterdir()) == []
    assert records.is_empty(tmp_path)
