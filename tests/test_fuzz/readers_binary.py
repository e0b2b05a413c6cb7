"""Readers of pickles, arrays, archives, images, videos and checkpoints."""

from __future__ import annotations

import os
import pickle
import pickletools
import tempfile
import zipfile
from collections import OrderedDict
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import sot_layout
import torch
from PIL import Image
from sot_datasets import build
from test_fuzz.mutators import BYTES, ZIP, Rng, change_value
from test_fuzz.reader import Reader, file_of, finite, script
from test_fuzz.readers_json import (
    DETECTIONS,
    cocovid,
    read_both_detections,
    tables_are_finite,
)
from test_fuzz.readers_text import GT

from mmtrack.apis.checkpoint import load_model_checkpoint
from mmtrack.apis.video_store import VideoStore
from mmtrack.compat.checkpoint import load_checkpoint_file
from mmtrack.core.visualization.video_io import open_source
from mmtrack.datasets import LaSOTDataset, MOTChallengeDataset
from mmtrack.datasets.converters.images import image_size
from mmtrack.datasets.converters.unzip import UNZIPPERS
from mmtrack.datasets.pipelines import decode_image
from mmtrack.datasets.sot_results import read_sot_results
from mmtrack.utils.archive import extract_zip


# ------------------------------------------------------------------ pickles
class Canary:
    """Makes a folder when it is unpickled."""

    def __init__(self, function: object, *args: object):
        self.call = function, args

    def __reduce__(self) -> tuple:
        return self.call


def canaries() -> tuple[Canary, ...]:
    """Objects whose pickles run code."""
    target = os.path.join(tempfile.gettempdir(), "mmtrack-fuzz-escaped")
    return (
        Canary(os.system, f"touch {target}"),
        Canary(os.mkdir, target),
        Canary(eval, f"open({target!r}, 'w')"),
        Canary(exec, "import os"),
        Canary(getattr, "", "join"),
        Canary(open, target, "w"),
        Canary(np.load, target),
        Canary(np.fromfile, target),
        Canary(bytearray, 10**12),
        Canary(np.ndarray, (10**12,)),
        Canary(np.core.multiarray._reconstruct, np.ndarray, (10**9, 10**4), b"d")
        if not hasattr(np, "_core")
        else Canary(np._core.multiarray._reconstruct, np.ndarray, (10**9, 10**4), b"d"),
    )


def add_canary(data: bytes, rng: Rng) -> bytes:
    """A pickle that would run something, alone or inside of what it held."""
    found = canaries()
    value = found[rng.integers(len(found))]
    if rng.integers(2):
        value = {"track_bboxes": [value], "det_bboxes": {"A/img1/000001.jpg": [[value]]}}
    return pickle.dumps(value, protocol=int(rng.integers(0, 6)))


def change_pickled(data: bytes, rng: Rng) -> bytes:
    """A sound pickle of other values."""
    return pickle.dumps(change_value(pickle.loads(data), rng), protocol=int(rng.integers(2, 6)))


def change_opcode(data: bytes, rng: Rng) -> bytes:
    """Another instruction in the place of one of a pickle."""
    places = [place for _, _, place in pickletools.genops(data)]
    place = places[rng.integers(len(places))]
    codes = [opcode.code.encode("latin-1") for opcode in pickletools.opcodes]
    return data[:place] + codes[rng.integers(len(codes))] + data[place + 1 :]


PICKLE = (*BYTES, *(add_canary,) * 3, *(change_pickled,) * 5, *(change_opcode,) * 4)

ARRAYS = {
    "det_bboxes": {
        name: [np.array(boxes, np.float32).reshape(-1, 5) for boxes in entry]
        for name, entry in DETECTIONS["det_bboxes"].items()
    }
}
RESULTS = {
    "track_bboxes": [[np.array([[1, 2, 1, 8, 6, 0.9]]), np.zeros((0, 6))] for _ in range(5)],
    "det_bboxes": [[np.array([[2, 1, 8, 6, 0.9]]), np.zeros((0, 5))] for _ in range(5)],
}


def make_results(folder: Path) -> Path:
    """Results of a test run, and the data set that they belong to."""
    import json

    file_of("test.json", json.dumps(cocovid()))(folder)
    for video in ("v1", "v2"):
        file_of(f"{video}/gt/gt.txt", GT)(folder)
    return file_of("results.pkl", pickle.dumps(RESULTS))(folder)


def read_results(folder: Path, path: Path) -> object:
    """``--result-file`` of the list of errors."""
    dataset = MOTChallengeDataset(
        ann_file=str(folder / "test.json"), img_prefix=str(folder), pipeline=[],
        ref_img_sampler=None, test_mode=True,
    )  # fmt: skip
    tool = script("tools/analysis/mot/mot_error_visualize.py")
    return tool.find_errors(dataset, str(path))


# ------------------------------------------------------------------ arrays
@lru_cache
def npz() -> bytes:
    """Boxes of two images."""
    target = BytesIO()
    np.savez(target, **{f"A/img1/{i:06d}.jpg": np.array([[1, 2, 30, 40, 0.9]]) for i in (1, 2)})
    return target.getvalue()


def change_shape(data: bytes, rng: Rng) -> bytes:
    """A header of an array with another shape or type, as long as the old one."""
    shapes = (b"(9999999999,)", b"(-1,)", b"(2, 99999999)", b"(0,)", b"True", b"(1e9,)", b"((((((")
    found = data.find(b"'shape': (")
    if found < 0:
        return data
    end = data.index(b")", found) + 1
    shape = shapes[rng.integers(len(shapes))]
    new = b"'shape': " + shape
    line = data.index(b"\n", end)
    tail = data[end:line]
    kept = (new + tail)[: line - found].ljust(line - found)
    return data[:found] + kept + data[line:]


def object_array(data: bytes, rng: Rng) -> bytes:
    """An array of objects, which are pickled."""
    target = BytesIO()
    values = np.array([canaries()[rng.integers(6)]], object)
    np.savez(target, a=values) if data.startswith(b"PK") else np.save(target, values)
    return target.getvalue()


NPZ = (*ZIP, change_shape, change_shape, object_array)


def read_store(folder: Path, path: Path) -> object:
    """Arrays of a video that a search kept."""
    store = VideoStore(folder / "out" / "store", {"a": 1})
    store.path = lambda video: path
    return store.load(1)


# ------------------------------------------------------------------ archives
def zipped(**members: str | bytes) -> bytes:
    """An archive; two underscores stand for a slash."""
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return target.getvalue()


ARCHIVE = zipped(V__img__1=b"\xff\xd8\xff\xd9", **{"V__groundtruth_rect.txt": "1,2,3,4\n" * 50})


def read_archive(folder: Path, path: Path) -> object:
    """Extract, with a limit that a bomb would break."""
    return extract_zip(path, folder / "out", most_bytes=1_000_000)


def unzip(kind: str, name: str):
    """A `read` that unpacks a benchmark below ``out``."""

    def read(folder: Path, path: Path) -> object:
        target = folder / "out" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
        return UNZIPPERS[kind](folder / "out", lambda line: None)

    return read


def make_sot_results(folder: Path) -> Path:
    """Results of LaSOT in an archive, and the data set."""
    sot_layout.lasot(folder)
    texts = {f"c-{i}.txt": sot_layout.lines(sot_layout.boxes_of(n)) for i, n in enumerate((6, 8))}
    return file_of("results.zip", zipped(**texts))(folder)


def read_sot_zip(folder: Path, path: Path) -> object:
    """As boxes of all videos."""
    return read_sot_results(path, build(LaSOTDataset, folder, str(folder / "infos.txt")))


# ------------------------------------------------------------------ images and videos
@lru_cache
def picture(ending: str) -> bytes:
    """A picture with some texture."""
    rng = np.random.default_rng(0)
    pixels = cv2.resize(rng.integers(0, 255, (6, 8, 3), np.uint8), (80, 60))
    return cv2.imencode(ending, pixels)[1].tobytes()


def huge_png(data: bytes, rng: Rng) -> bytes:
    """A PNG that announces a picture of gigabytes, with a sound checksum."""
    import struct
    import zlib

    side = int(rng.choice([30_000, 60_000, 2**31 - 1]))
    head = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    start = data.find(b"IHDR") - 4
    if start < 0:
        return data
    return data[: start + 4] + head + struct.pack(">I", zlib.crc32(head)) + data[start + 25 :]


def read_image(folder: Path, path: Path) -> object:
    """By each of the ways that images are read."""
    Image.init()  # it imports its formats when one is not known
    image_size(path)
    for _ in open_source(str(path.parent)):
        pass
    return decode_image(path.read_bytes(), str(path))


@lru_cache
def video(ending: str, code: str) -> bytes:
    """Ten small frames."""
    with tempfile.TemporaryDirectory() as folder:
        name = os.path.join(folder, f"a{ending}")
        writer = cv2.VideoWriter(name, cv2.VideoWriter_fourcc(*code), 10, (80, 60))
        rng = np.random.default_rng(0)
        for _ in range(10):
            writer.write(cv2.resize(rng.integers(0, 255, (6, 8, 3), np.uint8), (80, 60)))
        writer.release()
        return Path(name).read_bytes()


def read_video(folder: Path, path: Path) -> object:
    """All frames that can be decoded."""
    return sum(1 for _ in open_source(str(path)))


# ------------------------------------------------------------------ checkpoints
@lru_cache
def checkpoint(zipped: bool) -> bytes:
    """Weights of a layer, with the meta of a run."""
    torch.manual_seed(0)
    content = {
        "meta": {"epoch": 3, "CLASSES": ("person",), "score": np.float64(0.5), "n": np.arange(3)},
        "state_dict": OrderedDict(torch.nn.Linear(4, 3).state_dict()),
    }
    target = BytesIO()
    torch.save(content, target, _use_new_zipfile_serialization=zipped)
    return target.getvalue()


def evil_checkpoint(data: bytes, rng: Rng) -> bytes:
    """A checkpoint that would run something."""
    target = BytesIO()
    found = canaries()
    content = {"state_dict": {}, "meta": found[rng.integers(len(found))]}
    torch.save(content, target, _use_new_zipfile_serialization=bool(rng.integers(2)))
    return target.getvalue() if rng.integers(2) else add_canary(data, rng)


def odd_weights(data: bytes, rng: Rng) -> bytes:
    """NaN, other names, other shapes, other types."""
    content = torch.load(BytesIO(data), weights_only=False)
    state = content["state_dict"]
    key = ("weight", "bias")[rng.integers(2)]
    action = rng.integers(7)
    if action == 0:
        state[key][0] = (float("nan"), float("inf"))[rng.integers(2)]
    elif action == 1:
        state[f"{key}_"] = state.pop(key)
    elif action == 2:
        state[key] = state[key][:2]
    elif action == 3:
        state[key] = (None, 1.0, "x", [1.0])[rng.integers(4)]
    elif action == 4:
        state[key] = state[key].to_sparse()
    elif action == 5:
        content = {"state_dict": list(state.items())}
    else:
        state[key] = state[key].to((torch.int8, torch.complex64)[rng.integers(2)])
    target = BytesIO()
    torch.save(content, target)
    return target.getvalue()


CHECKPOINT = (*ZIP, *(evil_checkpoint,) * 3, *(odd_weights,) * 4)
LEGACY = (*BYTES, *BYTES, evil_checkpoint, odd_weights)


def read_checkpoint(folder: Path, path: Path) -> object:
    """Into a model, as scripts do."""
    load_checkpoint_file(path, "cpu")
    model = torch.nn.Linear(4, 3)
    load_model_checkpoint(model, path)
    finite(model.weight.detach(), model.bias.detach())
    return None


READERS = [
    Reader("detections-pickle", file_of("det.pkl", pickle.dumps(ARRAYS)), read_both_detections,
           PICKLE, tables_are_finite),
    Reader("result-pickle", make_results, read_results, PICKLE),
    Reader("detections-npz", lambda f: file_of("det.npz", npz())(f),
           lambda _, p: script("tools/track_detections.py") and load_npz(p), NPZ),
    Reader("search-npz", lambda f: file_of("000001.npz", npz())(f), read_store, NPZ),
    Reader("archive", file_of("a.zip", ARCHIVE), read_archive, ZIP),
    Reader("otb100-archive", file_of("Car1.zip", ARCHIVE), unzip("otb100", "zips/Car1.zip"), ZIP),
    Reader("trackingnet-archive",
           file_of("TRAIN_0.zip", zipped(**{"zips__v.zip": ARCHIVE, "anno__v.txt": "1,2,3,4"})),
           unzip("trackingnet", "TRAIN_0.zip"), ZIP, None,
           ("has neither <chunk>.zip", "v.zip")),
    Reader("got10k-archive", file_of("val_data.zip", zipped(**{"GOT-10k_Val_1__a.txt": "1"})),
           unzip("got10k", "full_data/val_data.zip"), ZIP),
    Reader("sot-results-zip", make_sot_results, read_sot_zip, ZIP),
    *(
        Reader(f"image-{ending[1:]}", lambda f, e=ending: file_of(f"images/0001{e}", picture(e))(f),
               read_image, (*BYTES, *extra))
        for ending, extra in ((".jpg", ()), (".png", (huge_png,)), (".bmp", ()))
    ),
    *(
        Reader(f"video-{ending[1:]}",
               lambda f, e=ending, c=code: file_of(f"a{e}", video(e, c))(f), read_video, BYTES)
        for ending, code in ((".mp4", "mp4v"), (".avi", "MJPG"))
    ),
    Reader("checkpoint", lambda f: file_of("a.pth", checkpoint(True))(f), read_checkpoint,
           CHECKPOINT),
    Reader("legacy-checkpoint", lambda f: file_of("a.pth", checkpoint(False))(f), read_checkpoint,
           LEGACY),
]  # fmt: skip


def load_npz(path: Path) -> object:
    """Public detections in an archive of arrays."""
    return read_both_detections(path.parent, path)
