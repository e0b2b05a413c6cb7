"""The cache of parsed annotations: same content, and never stale or trusted blindly."""

import json
import os
import time

import numpy as np
import pytest

from mmtrack.datasets.parsers import CocoVID, annotation_cache, annotation_file

BOX = [1.5, 2.0, 3.0, 4.0]


def content(count=30, first_box=BOX):
    images = [
        {"id": i, "video_id": 1, "frame_id": i, "file_name": f"é{i}.jpg"} for i in range(count)
    ]
    anns = [
        {
            "id": i,
            "image_id": i,
            "category_id": 1,
            "bbox": first_box if i == 0 else BOX,
            "iscrowd": i % 2 == 0,
            "rle": {"size": [i, 2], "counts": "x}"},
        }
        for i in range(count)
    ]
    del anns[3]["rle"]
    return {
        "info": {"a": None},
        "videos": [{"id": 1, "name": "v"}],
        "images": images,
        "annotations": anns,
        "categories": [{"id": 1, "name": "c"}],
    }


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache for small files too, and a count of how often files are parsed."""
    parsed = []
    parse = annotation_file._parse
    monkeypatch.setattr(annotation_file, "_parse", lambda path: parsed.append(path) or parse(path))
    monkeypatch.setattr(annotation_cache, "SMALLEST_FILE", 0)
    monkeypatch.setenv("MMTRACK_CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "train.json"
    path.write_text(json.dumps(content()))
    return path, tmp_path / "cache", parsed


def test_second_open_does_not_parse_and_gives_the_same(cache):
    path, folder, parsed = cache
    first, second = CocoVID(path), CocoVID(path)
    assert len(parsed) == 1
    assert len(list(folder.iterdir())) == 1
    assert second.dataset == first.dataset == content()
    assert dict(second.vidToImgs) == dict(first.vidToImgs)


def test_cached_objects_can_be_changed(cache):
    path, _, _ = cache
    CocoVID(path)
    coco = CocoVID(path)
    coco.anns[2]["bbox"][0] = 7
    coco.anns[2]["note"] = 1
    assert coco.anns[2]["note"] == 1
    assert CocoVID(path).anns[2] == content()["annotations"][2]


def test_changed_content_is_parsed_again_whatever_size_and_date_say(cache):
    path, _, parsed = cache
    CocoVID(path)
    before = os.stat(path)
    path.write_text(json.dumps(content(first_box=[9.5, 2.0, 3.0, 4.0])))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert os.stat(path).st_size == before.st_size
    assert CocoVID(path).anns[0]["bbox"] == [9.5, 2.0, 3.0, 4.0]
    assert len(parsed) == 2


def test_a_copy_of_the_file_is_found(cache, tmp_path):
    path, _, parsed = cache
    CocoVID(path)
    (tmp_path / "other").mkdir()
    copy = tmp_path / "other" / path.name
    copy.write_bytes(path.read_bytes())
    CocoVID(copy)
    assert len(parsed) == 1


@pytest.mark.parametrize("damage", ["cut", "empty", "flip", "pickle", "dtype"])
def test_damaged_entries_are_made_anew(cache, damage):
    path, folder, parsed = cache
    CocoVID(path)
    entry = next(folder.iterdir())
    data = entry.read_bytes()
    entry.write_bytes(
        {
            "cut": data[:-100],
            "empty": b"",
            "flip": b"X" + data[1:],
            "pickle": b"\x80\x04K\x01.",
            "dtype": data.replace(b'"<f8"', b'"|O8"'),
        }[damage]
    )
    with pytest.warns(UserWarning, match="not a valid cache entry"):
        assert CocoVID(path).dataset == content()
    assert len(parsed) == 2
    CocoVID(path)
    assert len(parsed) == 2


@pytest.mark.parametrize("value", ["off", "0", ""])
def test_switched_off(cache, monkeypatch, value):
    path, folder, parsed = cache
    monkeypatch.setenv("MMTRACK_CACHE_DIR", value)
    CocoVID(path), CocoVID(path)
    assert len(parsed) == 2
    assert not folder.exists()


def test_small_files_are_not_cached(cache, monkeypatch):
    path, folder, _ = cache
    monkeypatch.setattr(annotation_cache, "SMALLEST_FILE", 1 << 22)
    CocoVID(path)
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_costs_only_the_cache(cache, monkeypatch):
    path, folder, _ = cache
    folder.write_text("a file in the place of the folder")
    with pytest.warns(UserWarning, match="MMTRACK_CACHE_DIR"):
        assert CocoVID(path).dataset == content()


def test_unused_entries_are_removed(cache, tmp_path):
    path, folder, _ = cache
    CocoVID(path)
    old = next(folder.iterdir())
    foreign = folder / "notes.txt"
    foreign.write_text("mine")
    long_ago = time.time() - 40 * 24 * 3600
    for entry in (old, foreign):
        os.utime(entry, (long_ago, long_ago))
    other = tmp_path / "other.json"
    other.write_text(json.dumps(content(5)))
    CocoVID(other)
    assert not old.exists()
    assert foreign.exists()  # not ours


def test_hash_sees_every_byte(tmp_path, monkeypatch):
    monkeypatch.setattr(annotation_cache, "_SEGMENT", 16)
    path = tmp_path / "x"
    data = np.arange(100, dtype=np.uint8)
    hashes = set()
    for i in range(100):
        changed = data.copy()
        changed[i] ^= 1
        path.write_bytes(changed.tobytes())
        hashes.add(annotation_cache.content_hash(path))
    path.write_bytes(data[:96].tobytes())
    hashes.add(annotation_cache.content_hash(path))
    assert len(hashes) == 101


def test_default_folder_is_the_users(monkeypatch, tmp_path):
    monkeypatch.delenv("MMTRACK_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert annotation_cache.cache_folder() == tmp_path / "mmtrack"


def test_damage_inside_of_an_array_is_noticed(cache):
    path, folder, parsed = cache
    CocoVID(path)
    entry = next(folder.iterdir())
    whole = entry.read_bytes()
    for place in range(len(whole) // 2, len(whole), 97):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        entry.write_bytes(damaged)
        with pytest.warns(UserWarning, match="checksum is wrong"):
            assert CocoVID(path).dataset == content()
    assert len(parsed) > 3
