"""Digests that are remembered: of inputs by size and times, of results as a job wrote them."""

import os

import pytest

from emergence.io import contents


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake").mkdir()
    return tmp_path


def put(path, text, time=None):
    path.write_text(text)
    if time is not None:
        os.utime(path, ns=(time, time))
    return path


def test_other_content_is_another_digest_whatever_its_time(folder):
    put(folder / "a.csv", "1")
    first = contents.of_files(["a.csv"])
    # a replacement of the same size that is older, as `cp -p` makes it
    put(folder / "new.csv", "2", time=10**18).replace(folder / "a.csv")
    second = contents.of_files(["a.csv"])
    assert second != first
    put(folder / "a.csv", "1")
    assert contents.of_files(["a.csv"]) == first


def test_a_change_within_a_tick_of_the_clock_and_of_the_same_size_is_seen(folder):
    """The time of the content can be set back; that of the entry cannot."""
    path = put(folder / "a.csv", "1", time=10**18)
    first = contents.of_files(["a.csv"])
    put(path, "2", time=10**18)
    assert contents.of_files(["a.csv"]) != first


def test_a_digest_is_not_computed_again_while_size_and_times_are_the_same(folder, monkeypatch):
    put(folder / "a.csv", "1")
    first = contents.of_files(["a.csv"])
    monkeypatch.setattr(contents, "digest", lambda path: pytest.fail("computed again"))
    assert contents.of_files(["a.csv"]) == first


def test_a_digest_depends_on_names_and_order_and_tells_of_files_that_are_not_there(folder):
    put(folder / "a.csv", "1")
    put(folder / "b.csv", "1")
    states = [contents.of_files(files) for files in ([], ["a.csv"], ["b.csv"], ["a.csv", "b.csv"], ["c.csv"])]
    assert len(set(states)) == 5


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"a.csv": 3}', '{"a.csv": []}', "\0"])
def test_a_damaged_record_is_as_good_as_none(folder, damage):
    put(folder / "a.csv", "1")
    first = contents.of_files(["a.csv"])
    (folder / ".snakemake/emergence/inputs.json").write_text(damage)
    assert contents.of_files(["a.csv"]) == first


def test_where_nothing_can_be_remembered_digests_are_computed_each_time(folder):
    put(folder / ".snakemake/emergence", "a file, no folder")
    put(folder / "a.csv", "1")
    first = contents.of_files(["a.csv"])
    put(folder / "a.csv", "2")
    assert contents.of_files(["a.csv"]) != first
    contents.note_written("a.csv")
    assert contents.mark_of("a.csv") == ""


def test_a_result_is_marked_when_it_is_not_what_was_written(folder, capsys):
    path = put(folder / "table.csv", "written")
    contents.note_written("table.csv")
    assert contents.mark_of("table.csv") == ""
    # touched, and copied with its folder
    os.utime(path, ns=(10**18, 10**18))
    assert contents.mark_of("table.csv") == ""
    assert capsys.readouterr().err == ""
    put(path, "edited", time=10**18)
    mark = contents.mark_of("table.csv")
    assert mark
    assert "table.csv was changed after the workflow wrote it" in capsys.readouterr().err
    # the mark lasts: through further edits, and when a job has written the table again
    put(path, "edited again")
    assert contents.mark_of("table.csv") == mark
    put(path, "written")
    contents.note_written("table.csv")
    assert contents.mark_of("table.csv") == mark
    # another edit is another mark
    put(path, "edited once more")
    assert contents.mark_of("table.csv") not in ("", mark)


def test_a_result_that_is_back_as_it_was_is_not_altered(folder):
    path = put(folder / "table.csv", "written")
    contents.note_written("table.csv")
    path.unlink()
    assert contents.mark_of("table.csv") == ""
    put(path, "written")
    assert contents.mark_of("table.csv") == ""


def test_what_no_job_wrote_is_not_altered(folder):
    put(folder / "table.csv", "from elsewhere")
    assert contents.mark_of("table.csv") == ""
    assert contents.mark_of("nowhere.csv") == ""
