"""Public detections: every documented layout gives the same arrays; nothing else is run or read."""

from __future__ import annotations

import json
import os
import pickle

import numpy as np
import pytest

from mmtrack.datasets.parsers.public_detections import UnsafePickleError, load_public_detections

NAMES = ["a/img1/000001.jpg", "a/img1/000002.jpg"]
BOXES = [
    [np.array([[1, 2, 11, 22, 0.5], [3, 4, 5, 6, 1]], np.float32)],
    [np.zeros((0, 5), np.float32)],
]


def save(tmp_path, content, name="det.pkl", protocol=None):
    path = tmp_path / name
    if name.endswith(".json"):
        path.write_text(json.dumps(content))
    else:
        path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


def assert_entries(found):
    for per_class, expected in zip(found, BOXES, strict=True):
        assert len(per_class) == 1
        assert per_class[0].dtype == np.float32
        np.testing.assert_array_equal(per_class[0], expected[0])


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("wrap", [False, True], ids=["bare", "det_bboxes"])
def test_pickle_layouts(tmp_path, protocol, wrap):
    for content in (BOXES, dict(zip(NAMES, BOXES, strict=True))):
        wrapped = {"det_bboxes": content} if wrap else content
        found = load_public_detections(save(tmp_path, wrapped, protocol=protocol))
        assert type(found) is type(content)
        assert_entries(found.values() if isinstance(found, dict) else found)


def test_pickle_of_numpy_1_is_read(tmp_path):
    path = save(tmp_path, BOXES, protocol=2)
    path.write_bytes(path.read_bytes().replace(b"numpy._core", b"numpy.core"))
    assert b"numpy.core.multiarray" in path.read_bytes()
    assert_entries(load_public_detections(path))


def test_json_and_npz(tmp_path):
    lists = {n: [b.tolist() for b in boxes] for n, boxes in zip(NAMES, BOXES, strict=True)}
    assert_entries(load_public_detections(save(tmp_path, lists, "det.json")).values())
    np.savez(tmp_path / "det.npz", **{n: b[0] for n, b in zip(NAMES, BOXES, strict=True)})
    found = load_public_detections(tmp_path / "det.npz")
    assert list(found) == NAMES
    assert_entries(found.values())


class Evil:
    def __reduce__(self):
        return os.mkdir, ("was_here",)


@pytest.mark.parametrize("content", [[Evil()], {"det_bboxes": Evil()}])
def test_code_in_a_pickle_is_refused_and_not_run(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnsafePickleError, match=r"det\.pkl: .*mkdir"):
        load_public_detections(save(tmp_path, content))
    assert not (tmp_path / "was_here").exists()


def with_first(boxes):
    return {NAMES[0]: [boxes], NAMES[1]: BOXES[1]}


BAD = {
    "columns": (with_first(np.ones((2, 4))), ValueError, r"000001\.jpg, class 0: .*\(2, 4\)"),
    "nan": (with_first([[0, 0, 1, np.nan, 1]]), ValueError, r"000001\.jpg.* box 0 is not finite"),
    "no area": (with_first([[0, 0, 5, 5, 1], [3, 4, 3, 9, 1]]), ValueError, "box 1 has no area"),
    "text": (with_first(["x"]), ValueError, "no table of numbers"),
    "entry": ({NAMES[0]: 3}, ValueError, "expected a list with one array per class"),
    "container": (3, ValueError, r"det\.pkl: expected a list"),
}


@pytest.mark.parametrize(("content", "kind", "message"), BAD.values(), ids=BAD.keys())
def test_bad_content_is_named(tmp_path, content, kind, message):
    with pytest.raises(kind, match=message):
        load_public_detections(save(tmp_path, content))


def test_bad_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing.pkl"):
        load_public_detections(tmp_path / "missing.pkl")
    with pytest.raises(ValueError, match=r"det\.txt: expected .*\.pkl"):
        load_public_detections(save(tmp_path, 1, "det.txt"))
    whole = save(tmp_path, BOXES)
    whole.write_bytes(whole.read_bytes()[:40])
    with pytest.raises(ValueError, match=r"det\.pkl is no complete pickle"):
        load_public_detections(whole)
    broken = tmp_path / "det.json"
    broken.write_text('{"a": [')
    with pytest.raises(ValueError, match=r"det\.json cannot be read: .*complete JSON"):
        load_public_detections(broken)
