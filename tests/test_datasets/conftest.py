"""A small CocoVID data set with images."""

import json

import cv2
import numpy as np
import pytest

CLASSES = ("car", "person")


def cocovid(lengths=(5, 3), objects=3, size=(48, 64), seed=0):
    """Content of a CocoVID file; images in random order, some crowds and ignored objects."""
    rng = np.random.default_rng(seed)
    height, width = size
    data = {
        "videos": [],
        "images": [],
        "annotations": [],
        "categories": [{"id": 7, "name": "car"}, {"id": 4, "name": "person"}],
    }
    for v, length in enumerate(lengths):
        data["videos"].append({"id": v + 1, "name": f"v{v}"})
        start = rng.uniform(0, 15, (objects, 2))
        wh = rng.uniform(8, 20, (objects, 2))
        for t in range(length):
            image = 100 * (v + 1) + t
            data["images"].append(
                {
                    "id": image,
                    "video_id": v + 1,
                    "frame_id": t,
                    "width": width,
                    "height": height,
                    "file_name": f"v{v}/{t:06d}.png",
                }
            )
            for k in range(objects):
                box = [float(x) for x in (*(start[k] + 3 * t), *wh[k])]
                data["annotations"].append(
                    {
                        "id": len(data["annotations"]),
                        "image_id": image,
                        "video_id": v + 1,
                        "category_id": 7 if k % 2 else 4,
                        "instance_id": 10 * v + k + 1,
                        "bbox": box,
                        "area": box[2] * box[3],
                        "iscrowd": 0,
                    }
                )
    data["images"] = [data["images"][i] for i in rng.permutation(len(data["images"]))]
    return data


@pytest.fixture
def video_data():
    """Function that makes the content of a CocoVID file."""
    return cocovid


@pytest.fixture
def write_videos(tmp_path):
    """Function that writes a CocoVID file, and its images where asked, and returns the path."""

    def write(data, name="videos.json", images=False):
        path = tmp_path / name
        path.write_text(json.dumps(data))
        for i, img in enumerate(data["images"] if images else []):
            file = tmp_path / "images" / img["file_name"]
            file.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(i).integers(0, 255, (img["height"], img["width"], 3))
            cv2.imwrite(str(file), pixels.astype(np.uint8))
        return str(path)

    return write
