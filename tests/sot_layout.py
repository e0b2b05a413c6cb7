"""Small single object videos in the layouts of the benchmarks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

HEAD = "video_path,annotation_path,start_frame_id,end_frame_id"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def boxes_of(length: int, seed: int = 0) -> np.ndarray:
    """Boxes ``(N, 4)`` x, y, width, height."""
    rng = np.random.default_rng(seed)
    xy = 30 + np.cumsum(rng.uniform(-2, 2, (length, 2)), 0)
    return np.round(np.concatenate((xy, rng.uniform(15, 25, (length, 2))), 1), 2)


def lines(rows: np.ndarray, separator: str = ",") -> str:
    return "\n".join(separator.join(f"{v:g}" for v in row) for row in rows)


def write_infos(folder: Path, rows: list[tuple]) -> str:
    text = "\n".join([HEAD, *(",".join(map(str, row)) for row in rows)])
    write(folder / "infos.txt", text)
    return str(folder / "infos.txt")


def write_frames(folder: Path, names: list[str], size: tuple[int, int] = (90, 120)) -> None:
    rng = np.random.default_rng(1)
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        pixels = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
        cv2.imwrite(str(folder / name), cv2.GaussianBlur(pixels, (9, 9), 0))


def lasot(folder: Path, lengths: tuple[int, ...] = (6, 8), frames: bool = False) -> str:
    """Videos ``c-<i>`` in the layout of LaSOT; returns the list of videos."""
    rows = []
    for i, length in enumerate(lengths):
        video = folder / f"c-{i}"
        write(video / "groundtruth.txt", lines(boxes_of(length, i)))
        for j, name in enumerate(("full_occlusion.txt", "out_of_view.txt")):
            flags = [int(t == 2 + j) for t in range(length)]
            write(video / name, ",".join(map(str, flags)))
        if frames:
            write_frames(video / "img", [f"{t + 1:08d}.jpg" for t in range(length)])
        rows.append((f"c-{i}/img", f"c-{i}/groundtruth.txt", 1, length))
    return write_infos(folder, rows)


def got10k(folder: Path, split: str = "train", lengths: tuple[int, ...] = (5, 4)) -> str:
    """Videos in the layout of GOT-10k; the test split has the first box alone."""
    rows = []
    for i, length in enumerate(lengths):
        video = f"{split}/GOT-10k_{i:06d}"
        shown = 1 if split == "test" else length
        write(folder / video / "groundtruth.txt", lines(boxes_of(length, i)[:shown]))
        if split != "test":
            absent = [int(t == 1) for t in range(length)]
            cover = [(8, 8, 0, 4, 6)[t % 5] for t in range(length)]
            write(folder / video / "absence.label", "\n".join(map(str, absent)))
            write(folder / video / "cover.label", "\n".join(map(str, cover)))
        rows.append((video, f"{video}/groundtruth.txt", 1, length))
    return write_infos(folder, rows)


def perfect(dataset) -> dict[str, list[np.ndarray]]:
    """Results that equal the annotations."""
    videos = [dataset.get_ann_infos_from_video(i) for i in range(len(dataset.data_infos))]
    rows = np.concatenate([video["bboxes"] for video in videos])
    rows = np.nan_to_num(np.concatenate((rows, np.ones((len(rows), 1))), axis=1))
    return {"track_bboxes": list(rows)}
