"""Pickles and arrays from elsewhere: what is restored, and what is refused before it runs."""

from __future__ import annotations

import os
import pickle
import time
from collections import OrderedDict

import numpy as np
import pytest

from mmtrack.utils.array_files import UnsafePickleError, load_array_pickle, load_npz
from mmtrack.utils.reading import UnreadableFileError


def save(tmp_path, value, protocol=None):
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(value, protocol))
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_results_hold(tmp_path, protocol):
    value = {
        "boxes": [[np.arange(10, dtype=np.float32).reshape(2, 5), np.zeros((0, 5))]],
        "masks": [[{"size": [4, 5], "counts": b"\x00a\xff"}], [{"counts": b""}]],
        "ordered": OrderedDict(a=(1, 2.5, None, True, "ü")),
        "scalar": np.float64(0.25),
        "transposed": np.arange(6).reshape(2, 3).T,
        "texts": np.array(["a", "bcd"]),
        "objects": np.array([[1], None], dtype=object),
    }
    found = load_array_pickle(save(tmp_path, value, protocol))
    assert found.keys() == value.keys()
    np.testing.assert_array_equal(found["boxes"][0][0], value["boxes"][0][0])
    assert found["boxes"][0][0].dtype == np.float32
    assert found["boxes"][0][1].shape == (0, 5)
    np.testing.assert_array_equal(found["transposed"], value["transposed"])
    np.testing.assert_array_equal(found["texts"], value["texts"])
    for key in ("masks", "ordered", "scalar"):
        assert found[key] == value[key]
    assert found["objects"].tolist() == [[1], None]


class Call:
    """Calls something when it is unpickled."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (Call(os.mkdir, "escaped"), "mkdir"),
        (Call(eval, "1"), "eval"),
        (Call(getattr, 1, "real"), "getattr"),
        (Call(np.load, "a.npy"), "load"),
        (Call(bytearray, 1 << 40), "bytearray"),
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_calls_are_refused_and_named(tmp_path, monkeypatch, call, named, protocol):
    monkeypatch.chdir(tmp_path)
    path = save(tmp_path, {"boxes": [call]}, protocol)
    with pytest.raises(UnsafePickleError, match=rf"a\.pkl: the pickle would load .*{named}"):
        load_array_pickle(path)
    assert not (tmp_path / "escaped").exists()


def test_an_array_is_as_large_as_its_bytes(tmp_path):
    """A call of numpy.ndarray with a shape would take memory without having anything to put in."""
    path = save(tmp_path, Call(np.ndarray, (1 << 40,)))
    with pytest.raises(UnreadableFileError, match=r"a\.pkl is no complete pickle"):
        load_array_pickle(path)


def test_lists_that_occur_too_often(tmp_path):
    """Forty lists of the one before, twice each: small on the disk, endless to walk through."""
    value = [0.0]
    for _ in range(30):
        value = [value, value]
    path = save(tmp_path, value)
    assert path.stat().st_size < 1000
    start = time.monotonic()
    with pytest.raises(UnreadableFileError, match="occur so often"):
        load_array_pickle(path)
    assert time.monotonic() - start < 2
    endless = []
    endless.append(endless)
    with pytest.raises(UnreadableFileError, match="contain themselves"):
        load_array_pickle(save(tmp_path, endless))
    big = np.zeros(2_000_000)
    with pytest.raises(UnreadableFileError, match="occur so often"):
        load_array_pickle(save(tmp_path, [[big] * 1000] * 1000))


def test_sharing_as_results_have_it(tmp_path):
    none = np.zeros((0, 5))
    found = load_array_pickle(save(tmp_path, [[none] * 80] * 1000))
    assert len(found) == 1000


def test_cut_off(tmp_path):
    path = save(tmp_path, [np.arange(100)])
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UnreadableFileError, match=r"a\.pkl is no complete pickle of arrays"):
        load_array_pickle(path)


def test_npz(tmp_path):
    np.savez(tmp_path / "a.npz", b=np.arange(3))
    np.testing.assert_array_equal(load_npz(tmp_path / "a.npz")["b"], [0, 1, 2])
    np.save(tmp_path / "a.npy", np.arange(3))
    with pytest.raises(UnreadableFileError, match=r"a\.npy cannot be read: it is no npz"):
        load_npz(tmp_path / "a.npy")
    np.savez(tmp_path / "o.npz", b=np.array([Call(os.mkdir, "x")], object))
    with pytest.raises(UnreadableFileError, match=r"o\.npz cannot be read"):
        load_npz(tmp_path / "o.npz")
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1  # flags of the first member: encrypted
    (tmp_path / "e.npz").write_bytes(content)
    with pytest.raises(UnreadableFileError, match=r"e\.npz cannot be read: .* is encrypted"):
        load_npz(tmp_path / "e.npz")
    with pytest.raises(FileNotFoundError, match=r"b\.npz does not exist"):
        load_npz(tmp_path / "b.npz")


@pytest.mark.parametrize("put", [b"r\xff\xff\xff\x7f", b"p2147483647\n"])
def test_places_that_would_take_all_memory(tmp_path, put):
    path = tmp_path / "a.pkl"
    path.write_bytes(b"\x80\x02]" + put + b".")
    with pytest.raises(UnreadableFileError, match=r"a\.pkl .* at a place that no file of its size"):
        load_array_pickle(path)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_places_of_large_pickles_pass(tmp_path, protocol):
    value = [[str(i), np.full(3, i), b"r\xff\xff\xff\xff" * 300, -(2**70)] for i in range(2000)]
    found = load_array_pickle(save(tmp_path, value, protocol))
    assert [row[0] for row in found] == [row[0] for row in value]
    np.testing.assert_array_equal(found[-1][1], value[-1][1])
