"""A small model and a video for each task, and clients of a server.

Imported by the tests of serving.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import tiny_project
import tiny_sot
import tiny_vid
import tiny_vis

from mmtrack.apis import inference_mot, inference_sot, inference_vid, init_model
from mmtrack.apis.video_task import reference_sampler
from mmtrack.core.visualization import VideoFileWriter, open_source, style_for

FPS = 12.5
BOX = (30.5, 29.0, 23.5, 15.0)  # x, y, width, height
CORNERS = np.array([30.5, 29.0, 54.0, 44.0])


class Case(NamedTuple):
    """A task: files, and options under which the model shows something.

    Attributes:
        config: Config file.
        checkpoint: Random weights.
        video: A few frames.
        options: Of requests.
    """

    config: Path
    checkpoint: Path
    video: Path
    options: dict[str, str]


def make_cases(root: Path, folder: Path) -> dict[str, Case]:
    """Write models and videos of all tasks.

    Args:
        root: Of the repository.
        folder: Receives a folder for each task.
    """
    for name in ("mot", "sot", "vis", "vid"):
        (folder / name).mkdir()
    mot = tiny_project.make_project(folder / "mot")
    tiny_project.save_random_weights(mot / "tracker.py", mot / "tracker.pth")
    sot = tiny_sot.make_sot_project(folder / "sot")
    vis = tiny_vis.make_vis_project(folder / "vis")
    vid = make_vid(root, folder / "vid")
    some = {"score_thr": "0.2"}
    pictures = write_video(vis / "data" / "valid" / "JPEGImages", "*/*.jpg", vis / "in.mp4")
    return {
        "mot": Case(
            mot / "tracker.py",
            mot / "tracker.pth",
            write_video(mot / "data" / "test" / "video_1", "*.png", mot / "in.mp4"),
            some,
        ),
        "sot": Case(
            sot / "siamrpn.py",
            sot / "siamrpn.pth",
            write_video(sot / "data" / "c-0" / "img", "*.jpg", sot / "in.mp4"),
            {"init_bbox": ",".join(map(str, BOX))},
        ),
        "vis": Case(vis / "config.py", vis / "model.pth", pictures, some),
        "vid": Case(vid / "selsa.py", vid / "selsa.pth", pictures, {"score_thr": "0.05"}),
    }


def make_vid(root: Path, folder: Path) -> Path:
    """``selsa.py`` and ``selsa.pth``; a server needs no data set."""
    import torch

    from mmtrack.models import build_model

    cfg = tiny_vid.tiny_config(root, "selsa", folder / "no_data")
    cfg.dump(str(folder / "selsa.py"))
    torch.manual_seed(0)
    model = build_model(cfg.model)
    model.init_weights()
    meta = {"CLASSES": cfg.data.test.classes}
    torch.save({"meta": meta, "state_dict": model.state_dict()}, folder / "selsa.pth")
    return folder


def write_video(folder: Path, pattern: str, path: Path) -> Path:
    """The images of a folder as an mp4."""
    with VideoFileWriter(path, FPS) as writer:
        for image in sorted(folder.glob(pattern)):
            writer.write(cv2.imread(str(image)))
    return path


def load(case: Case):
    return init_model(str(case.config), str(case.checkpoint), device="cpu")


def results_of(name: str, model, video: Path) -> list[dict]:
    """What the documented functions return for each frame."""
    infer: Callable = {
        "mot": inference_mot,
        "vis": inference_mot,
        "vid": lambda model, image, i: inference_vid(model, image, i, reference_sampler(model.cfg)),
        "sot": lambda model, image, i: inference_sot(model, image, CORNERS, i),
    }[name]
    return [infer(model, image, i) for i, image in enumerate(open_source(str(video)))]


def drawn_video(name: str, case: Case, target: Path) -> list[np.ndarray]:
    """Frames of the video that ``show_result`` and an encoder make, decoded again."""
    model = load(case)
    results = results_of(name, model, case.video)
    with VideoFileWriter(target, FPS) as writer:
        for image, result in zip(open_source(str(case.video)), results, strict=True):
            style = style_for(image)._asdict()
            if name == "sot":
                style.update(thickness=3, show_score=True)
            else:
                style["score_thr"] = float(case.options["score_thr"])
            writer.write(model.show_result(image, result, **style))
    return list(open_source(str(target)))


def multipart(fields: dict[str, str | bytes]) -> tuple[dict[str, str], bytes]:
    """Headers and body of a form."""
    edge = "mmtrack-test-form"
    parts = []
    for name, value in fields.items():
        file = '; filename="in.mp4"' if isinstance(value, bytes) else ""
        parts.append(
            f'--{edge}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n'.encode()
        )
        if file:
            parts.append(b"Content-Type: application/octet-stream\r\n")
        parts += [b"\r\n", value if isinstance(value, bytes) else value.encode(), b"\r\n"]
    body = b"".join([*parts, f"--{edge}--\r\n".encode()])
    return {"Content-Type": f"multipart/form-data; boundary={edge}"}, body
