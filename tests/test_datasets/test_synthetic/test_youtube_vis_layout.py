"""The synthetic YouTube-VIS layout: official files, masks of what is drawn, hiding and return."""

import hashlib
import json
from dataclasses import replace

import cv2
import numpy as np
import pycocotools.mask as coco_mask
import pytest

from mmtrack.core.mask import to_rle
from mmtrack.datasets.synthetic import CATEGORIES, SceneSpec
from mmtrack.datasets.synthetic.layouts import LAYOUTS
from mmtrack.datasets.synthetic.layouts.youtube_vis import outlines
from mmtrack.datasets.synthetic.menagerie import KINDS, menagerie_scene

SIZE = (160, 96)


def write(folder, version="2019", **options):
    layout = LAYOUTS[f"youtube-vis-{version}"]
    small = {"size": SIZE, "videos": 2, "valid_videos": 1, "test_videos": 1, "frames": 5}
    chosen = replace(layout.options, **{**small, **options})
    steps = []
    layout.write(folder, chosen, lambda: steps.append(1))
    assert len(steps) == layout.count(chosen)
    return folder


def digest(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return write(tmp_path_factory.mktemp("vis2019"), valid_gt=True, frames=8)


@pytest.mark.parametrize(
    ("version", "file", "car"),
    [("2019", "{}.json", "sedan"), ("2021", "{}/instances.json", "car")],
)
def test_files_of_both_editions(tmp_path, version, file, car):
    root = write(tmp_path, version, frames=2)
    for split in ("train", "valid", "test"):
        data = json.loads((root / file.format(split)).read_text())
        assert len(data["categories"]) == 40
        assert ("annotations" in data) == (split == "train")
        for video in data["videos"]:
            assert video["length"] == len(video["file_names"]) == 2
            assert (video["width"], video["height"]) == SIZE
            for name in video["file_names"]:
                image = cv2.imread(str(root / split / "JPEGImages" / name))
                assert image.shape == (*SIZE[::-1], 3)
    names = {c["id"]: c["name"] for c in data["categories"]}
    notes = json.loads((root / file.format("train")).read_text())["annotations"]
    used = {names[note["category_id"]] for note in notes}
    assert len(used) >= 3
    assert used <= {car, *set(KINDS) - {"car"}}


def test_same_seed_same_bytes(tmp_path):
    first, again = (digest(write(tmp_path / name, frames=3)) for name in "ab")
    assert first == again
    other = digest(write(tmp_path / "c", frames=3, seed=1))
    same = {name for name, value in first.items() if other[name] == value}
    assert same == {"test.json", "valid.json"}  # which only list the images


def test_masks_are_the_pixels_of_the_scene(tree):
    data = json.loads((tree / "train.json").read_text())
    options = LAYOUTS["youtube-vis-2019"].options
    spec = SceneSpec("train-0001", 0, SIZE, 8, options.fps, options.objects, "static")
    notes = [note for note in data["annotations"] if note["video_id"] == 1]
    seen = 0
    for index, frame in enumerate(menagerie_scene(spec)):
        shown = [note for note in notes if note["segmentations"][index] is not None]
        planes = [frame.mask(row) for row in range(len(frame))]
        for note in shown:
            own = coco_mask.decode(to_rle(note["segmentations"][index], *SIZE[::-1])).astype(bool)
            rows = [row for row, plane in enumerate(planes) if np.array_equal(plane, own)]
            assert len(rows) == 1
            assert CATEGORIES[frame.categories[rows[0]]] in KINDS
            assert note["areas"][index] == own.sum()
            assert note["bboxes"][index] == frame.visible_bboxes()[rows[0]].tolist()
            seen += 1
        drawn = [CATEGORIES[c] in KINDS for c in frame.categories]
        assert len(shown) <= sum(drawn)
    assert seen > 10


def test_polygons_tell_the_same_pixels():
    frame = menagerie_scene(SceneSpec("video", 0, (320, 180), 3, 6, 6)).render(1)
    for row in range(len(frame)):
        mask = frame.mask(row)
        if mask.sum() >= 24:
            code = to_rle(outlines(mask), *mask.shape)
            drawn = coco_mask.decode(code).astype(bool)
            assert (drawn & mask).sum() > 0.99 * (drawn | mask).sum()


def test_objects_hide_leave_and_come_back():
    hidden = returned = 0
    for number in range(4):
        scene = menagerie_scene(SceneSpec(f"v{number}", 0, SIZE, 40, 6, 5))
        shown = {}
        for index, frame in enumerate(scene):
            for row, actor in enumerate(frame.ids.tolist()):
                if CATEGORIES[frame.categories[row]] in KINDS:
                    shown.setdefault(actor, {})[index] = frame.visibility[row]
        for frames in shown.values():
            # Hidden: less than a third seen, though most of it was or will be.
            values = np.array(list(frames.values()))
            hidden += values.min() < 0.3 < 0.8 < values.max()
            gaps = np.diff(sorted(frames))
            returned += bool((gaps > 1).any())
    assert hidden >= 4
    assert returned >= 2


def test_kinds_take_turns():
    scene = menagerie_scene(SceneSpec("v", 0, SIZE, 2, 6, len(KINDS)))
    kinds = [actor.category for actor in scene.actors if actor.category in KINDS]
    assert sorted(kinds) == sorted(KINDS)
