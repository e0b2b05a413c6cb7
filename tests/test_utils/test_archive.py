"""Archives from elsewhere: what is extracted, and what is refused."""

from __future__ import annotations

import os
import stat
import zipfile

import pytest

from mmtrack.utils.archive import UnsafeArchiveError, extract_zip, open_archive, read_member


def archive(path, *members):
    """Members are names or (name, content) or ZipInfo."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for member in members:
            name, content = member if isinstance(member, tuple) else (member, "x")
            file.writestr(name, content)
    return path


def link(name, target):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir())


def test_extracts(tmp_path):
    path = archive(tmp_path / "a.zip", "a/b.txt", ("c.txt", "hello"), ("empty/", ""))
    assert extract_zip(path, tmp_path / "out") == 2
    assert files(tmp_path / "out") == ["a/b.txt", "c.txt"]
    assert (tmp_path / "out" / "c.txt").read_text() == "hello"
    (tmp_path / "out" / "c.txt").write_text("half")
    (tmp_path / "out" / "c.txt.partial").write_text("of a killed run")
    extract_zip(path, tmp_path / "out")
    assert (tmp_path / "out" / "c.txt").read_text() == "hello"
    assert files(tmp_path / "out") == ["a/b.txt", "c.txt"]


def test_renames_and_leaves_out(tmp_path):
    path = archive(tmp_path / "a.zip", "top/a.txt", "junk/b.txt")
    extract_zip(path, tmp_path / "out", lambda n: n[4:] if n.startswith("top/") else None)
    assert files(tmp_path / "out") == ["a.txt"]


@pytest.mark.parametrize(
    "name",
    ["../a", "a/../../b", "/etc/a", "..", "C:/a", "C:\\a", "a\\..\\b", "\\\\host\\a", "a/.."],
)
def test_names_that_lead_out(tmp_path, name):
    path = archive(tmp_path / "a.zip", "good.txt", name)
    with pytest.raises(UnsafeArchiveError, match="leads out"):
        extract_zip(path, tmp_path / "deep" / "out")
    assert files(tmp_path / "deep") == [], "nothing is extracted before the check of all"


def test_name_that_no_file_can_have(tmp_path):
    """The system would say so in the middle of the extraction."""
    path = archive(tmp_path / "a.zip", "good.txt", "deep/" + "é" * 124)
    with pytest.raises(UnsafeArchiveError, match=r"a\.zip.*longer than names of files"):
        extract_zip(path, tmp_path / "out")
    assert files(tmp_path / "out") == []
    extract_zip(archive(tmp_path / "b.zip", "a" * 247), tmp_path / "out")
    assert files(tmp_path / "out") == ["a" * 247]


def test_renaming_cannot_lead_out(tmp_path):
    path = archive(tmp_path / "a.zip", "good.txt")
    with pytest.raises(UnsafeArchiveError, match="leads out"):
        extract_zip(path, tmp_path / "out", lambda name: f"../{name}")


def test_links_and_devices(tmp_path):
    path = archive(tmp_path / "a.zip", "good.txt", link("out", "/tmp"))  # noqa: S108
    with pytest.raises(UnsafeArchiveError, match="out is a link"):
        extract_zip(path, tmp_path / "out")
    pipe = zipfile.ZipInfo("pipe")
    pipe.external_attr = stat.S_IFIFO << 16
    with pytest.raises(UnsafeArchiveError, match="device"):
        extract_zip(archive(tmp_path / "b.zip", (pipe, "")), tmp_path / "out")
    assert files(tmp_path / "out") == []


def test_link_that_is_there_already(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    os.symlink(tmp_path / "elsewhere", tmp_path / "out" / "sub")
    path = archive(tmp_path / "a.zip", "sub/deeper/a.txt")
    with pytest.raises(UnsafeArchiveError, match="through a link"):
        extract_zip(path, tmp_path / "out")
    assert files(tmp_path / "elsewhere") == []
    os.symlink(tmp_path / "elsewhere" / "x", tmp_path / "out" / "a.txt")
    extract_zip(archive(tmp_path / "b.zip", "a.txt"), tmp_path / "out")
    assert files(tmp_path / "elsewhere") == [], "a link is replaced, not followed"


def test_a_folder_that_is_a_link_itself(tmp_path):
    """Data folders often are links to another disk."""
    (tmp_path / "disk").mkdir()
    os.symlink(tmp_path / "disk", tmp_path / "data")
    extract_zip(archive(tmp_path / "a.zip", "b/a.txt"), tmp_path / "data")
    assert files(tmp_path / "disk") == ["b/a.txt"]


def test_too_large(tmp_path):
    path = archive(tmp_path / "a.zip", ("zeros", b"\0" * 2_000_000))
    assert path.stat().st_size < 10_000
    with pytest.raises(UnsafeArchiveError, match="2,000,000 bytes"):
        extract_zip(path, tmp_path / "out", most_bytes=1_000_000)


def test_size_that_is_a_lie(tmp_path):
    """A header that announces less than there is cannot fill the disk."""
    path = archive(tmp_path / "a.zip", ("zeros", b"\0" * 2_000_000))
    content = path.read_bytes()
    size = (2_000_000).to_bytes(4, "little")
    assert content.count(size) == 2
    path.write_bytes(content.replace(size, (100).to_bytes(4, "little")))
    with pytest.raises(ValueError, match="damaged"):
        extract_zip(path, tmp_path / "out")
    assert files(tmp_path / "out") == []


def test_damaged(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"<html>no such file</html>")
    with pytest.raises(ValueError, match=r"a.zip is damaged, or no zip archive"):
        extract_zip(tmp_path / "a.zip", tmp_path / "out")
    with pytest.raises(FileNotFoundError):
        extract_zip(tmp_path / "b.zip", tmp_path / "out")


def test_two_members_of_one_name(tmp_path):
    path = archive(tmp_path / "a.zip", "a.txt", "b/a.txt")
    with pytest.raises(UnsafeArchiveError, match=r"written to a.txt"):
        extract_zip(path, tmp_path / "out", lambda name: name.split("/")[-1])


def test_a_bomb_is_refused_whatever_the_disk_holds(tmp_path, monkeypatch):
    monkeypatch.setattr("mmtrack.utils.archive._SMALL", 1_000_000)
    path = archive(tmp_path / "a.zip", ("zeros", b"\0" * 2_000_000))
    with pytest.raises(UnsafeArchiveError, match=r"a\.zip would become 100 times as large"):
        extract_zip(path, tmp_path / "out")
    assert files(tmp_path / "out") == []


def test_a_file_below_a_file(tmp_path):
    path = archive(tmp_path / "a.zip", "a", "a/b/c")
    with pytest.raises(UnsafeArchiveError, match=r"a\.zip: a/b/c lies below another file"):
        extract_zip(path, tmp_path / "out")
    assert files(tmp_path / "out") == []


def test_members_that_must_be_small(tmp_path):
    path = archive(tmp_path / "a.zip", ("big.txt", "x" * 2000), ("small.txt", "hello"))
    with open_archive(path) as opened:
        assert read_member(opened, "small.txt", 100) == b"hello"
        with pytest.raises(UnsafeArchiveError, match=r"a\.zip: big\.txt holds 2,000 bytes"):
            read_member(opened, "big.txt", 100)


def test_another_program_encrypted_it(tmp_path):
    path = archive(tmp_path / "a.zip", "a.txt")
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.zip.*encrypted"), open_archive(path) as opened:
        opened.read("a.txt")
