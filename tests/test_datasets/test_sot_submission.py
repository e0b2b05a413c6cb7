"""Archives for evaluation servers: opened again, compared with what was put in."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from mmtrack.datasets.sot_submission import write_got10k_zip, write_trackingnet_zip

WRITERS = {"got10k": write_got10k_zip, "trackingnet": write_trackingnet_zip}
VIDEOS = {
    "GOT-10k_Test_000001": np.array([[1, 2, 3, 4], [1.00004, 2.00006, 1e3, 0.5]]),
    "b c": np.random.default_rng(0).uniform(0, 900, (5, 4)),
}


def boxes_of(archive, member):
    return np.loadtxt(io.StringIO(archive.read(member).decode()), delimiter=",", ndmin=2)


def test_got10k(tmp_path):
    write_got10k_zip(tmp_path / "new" / "a.zip", VIDEOS)
    with zipfile.ZipFile(tmp_path / "new" / "a.zip") as archive:
        assert archive.testzip() is None
        expected = {f"{n}/{n}_{part}.txt" for n in VIDEOS for part in ("001", "time")}
        assert set(archive.namelist()) == expected
        for name, boxes in VIDEOS.items():
            assert boxes_of(archive, f"{name}/{name}_001.txt") == pytest.approx(boxes, abs=6e-5)
            times = archive.read(f"{name}/{name}_time.txt").decode().split()
            assert times == ["0.0001"] * len(boxes)
        first = archive.read("GOT-10k_Test_000001/GOT-10k_Test_000001_001.txt").decode()
    assert first == "1.0000,2.0000,3.0000,4.0000\n1.0000,2.0001,1000.0000,0.5000\n"


def test_trackingnet(tmp_path):
    write_trackingnet_zip(tmp_path / "a.zip", VIDEOS)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"{name}.txt" for name in VIDEOS]
        for name, boxes in VIDEOS.items():
            assert boxes_of(archive, f"{name}.txt") == pytest.approx(boxes, abs=6e-5)


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
class TestEveryArchive:
    def test_same_bytes(self, write, tmp_path):
        for name in "ab":
            write(tmp_path / name, VIDEOS)
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()

    @pytest.mark.parametrize("name", ["", "..", "a/b", "../a", "a\\b", "/a"])
    def test_names_stay_inside(self, write, tmp_path, name):
        with pytest.raises(ValueError, match="cannot name"):
            write(tmp_path / "a.zip", {name: np.ones((1, 4))})

    @pytest.mark.parametrize(
        ("boxes", "message"),
        [
            (np.ones((3, 5)), r"b: expected boxes.*\(3, 5\)"),
            (np.ones((0, 4)), "b: expected boxes"),
            (np.array([[1, 2, 3, 4], [1, np.nan, 3, 4]]), "b, frame 1"),
        ],
    )
    def test_a_failure_leaves_the_old_file(self, write, tmp_path, boxes, message):
        """The second video fails after the first was written."""
        path = tmp_path / "a.zip"
        write(path, VIDEOS)
        before = path.read_bytes()
        with pytest.raises(ValueError, match=message):
            write(path, {"a": np.ones((2, 4)), "b": boxes})
        assert path.read_bytes() == before
        assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]

    def test_nothing(self, write, tmp_path):
        with pytest.raises(ValueError, match="no results"):
            write(tmp_path / "a.zip", {})
