"""Folders appear whole or not at all."""

import json

import pytest

from mmtrack.utils.folder_io import OwnedFolder, new_folder


def test_new_folder_appears_at_the_end(tmp_path):
    with new_folder(tmp_path / "a" / "b") as folder:
        (folder / "x").write_text("1")
        assert not (tmp_path / "a" / "b").exists()
    assert (tmp_path / "a" / "b" / "x").read_text() == "1"
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["b"]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "b").mkdir()
    with new_folder(tmp_path / "b") as folder:
        (folder / "x").touch()
    assert (tmp_path / "b" / "x").exists()


def test_a_full_folder_is_refused(tmp_path):
    (tmp_path / "x").touch()
    with pytest.raises(FileExistsError, match="not empty"), new_folder(tmp_path):
        pass


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_nothing_stays_after_an_error(tmp_path, error):
    owned = OwnedFolder(tmp_path / "o", ".marker")

    def fail(context):
        with context as folder:
            (folder / "x").touch()
            raise error

    for context in (new_folder(tmp_path / "n"), owned.fill({})):
        with pytest.raises(error):
            fail(context)
    assert list(tmp_path.iterdir()) == []


def test_only_own_entries_are_replaced(tmp_path):
    target = tmp_path / "data"
    owned = OwnedFolder(target, ".marker")
    with owned.fill({"seed": 1}) as folder:
        for name in ("train", "test"):
            (folder / name).mkdir()
    assert owned.read_marker() == {"entries": ["test", "train"], "seed": 1}
    (target / "annotations").mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").touch()
    (target / "test").rmdir()
    (target / "test").symlink_to(outside)
    with pytest.raises(FileExistsError, match="--force"), owned.fill({}):
        pass
    with owned.fill({"seed": 2}, replace=True) as folder:
        (folder / "train").mkdir()
        (folder / "train" / "new").touch()
    assert sorted(p.name for p in target.iterdir()) == [".marker", "annotations", "train"]
    assert (target / "train" / "new").exists()
    assert (outside / "keep").exists()


def test_foreign_folder_is_never_replaced(tmp_path):
    (tmp_path / "x").touch()
    owned = OwnedFolder(tmp_path, ".marker")
    with pytest.raises(FileExistsError, match="was not generated"), owned.fill({}, replace=True):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError, match="is a file"):
        OwnedFolder(tmp_path / "file", ".marker").check(replace=True)


@pytest.mark.parametrize("entries", [["../keep"], ["/keep"], [".."], ["."], ["a/b"], [3], "a", 7])
def test_a_marker_from_elsewhere_removes_nothing_outside(tmp_path, entries):
    (tmp_path / "keep").write_text("mine")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / ".made.json").write_text(json.dumps({"entries": entries}))
    owned = OwnedFolder(folder, ".made.json")
    with (
        pytest.raises(ValueError, match=r"\.made\.json: 'entries' must be names"),
        owned.fill({}, replace=True),
    ):
        pass
    assert (tmp_path / "keep").read_text() == "mine"
