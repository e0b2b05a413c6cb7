"""Run an exported detector, and an exported ReID model on its boxes, with onnxruntime alone.

Needs numpy, opencv-python and onnxruntime; no mmtrack, no config, no PyTorch.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

import cv2
import numpy as np
import onnxruntime


def open_model(path: str, part: str) -> tuple[onnxruntime.InferenceSession, dict[str, Any]]:
    """A file and what was written into it beside the graph; ends the script if it is another."""
    if not os.path.isfile(path):
        sys.exit(f"error: {path} does not exist")
    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - those of onnxruntime have no common class
        sys.exit(f"error: {path} cannot be run by onnxruntime: {error}")
    entries = session.get_modelmeta().custom_metadata_map
    if entries.get("part") != json.dumps(part):
        sys.exit(f"error: {path} is no {part} that export_onnx.py wrote")
    return session, {key: json.loads(value) for key, value in entries.items()}


def normalize(image: np.ndarray, meta: dict[str, Any]) -> np.ndarray:
    """Pixels ``(H, W, 3)`` BGR as the network was trained on, float32."""
    image = image[..., ::-1] if meta["to_rgb"] else image
    return (image.astype(np.float32) - np.float32(meta["mean"])) / np.float32(meta["std"])


def detect(path: str, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Detect objects in a frame.

    Args:
        path: File of a detector.
        frame: ``(H, W, 3)`` uint8, BGR.

    Returns:
        Boxes ``(n, 5)``, x1, y1, x2, y2 in pixels of the frame and score; labels ``(n,)``; names
        of the classes.
    """
    session, meta = open_model(path, "detector")
    height, width = meta["size"]
    ratio = min(height / frame.shape[0], width / frame.shape[1])
    cols, rows = (int(side * ratio + 0.5) for side in (frame.shape[1], frame.shape[0]))
    if not meta["keep_ratio"]:
        rows, cols = height, width
    image = np.empty((height, width, 3), np.float32)
    image[:] = meta["pad_value"]
    image[:rows, :cols] = normalize(cv2.resize(frame, (cols, rows)), meta)
    inputs = {"image": image.transpose(2, 0, 1)[None]}
    if meta["clips"]:
        inputs["img_shape"] = np.array([rows, cols], np.float32)
    dets, labels = session.run(["dets", "labels"], inputs)
    scale = np.array([frame.shape[1] / cols, frame.shape[0] / rows] * 2, np.float32)
    return np.concatenate((dets[:, :4] * scale, dets[:, 4:]), axis=1), labels, meta["classes"]


def describe(path: str, frame: np.ndarray, bboxes: np.ndarray) -> np.ndarray:
    """Embeddings ``(n, C)`` of boxes ``(n, 4)``; alike objects are near each other."""
    session, meta = open_model(path, "reid")
    height, width = meta["size"]
    crops = []
    for x1, y1, x2, y2 in bboxes.astype(int):
        left, top = np.clip([x1, y1], 0, [frame.shape[1] - 1, frame.shape[0] - 1])
        crop = frame[top : max(y2, top + 1), left : max(x2, left + 1)]
        crops.append(normalize(cv2.resize(crop, (width, height)), meta).transpose(2, 0, 1))
    batch = np.stack(crops) if crops else np.empty((0, 3, height, width), np.float32)
    return session.run(["embeds"], {"crops": batch})[0]


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("detector", help="file that export_onnx.py wrote for a detector")
    parser.add_argument("image", help="picture in which to look for objects")
    parser.add_argument("--reid", help="file that export_onnx.py wrote for a ReID model")
    parser.add_argument("--score-thr", type=float, default=0.3, help="lowest score to report")
    parser.add_argument("--out", help="file for the picture with the boxes")
    return parser.parse_args()


def main() -> None:
    """Print a line per object, and draw them."""
    args = parse_args()
    frame = cv2.imread(args.image)
    if frame is None:
        sys.exit(f"error: {args.image} is not an image that OpenCV can read")
    dets, labels, classes = detect(args.detector, frame)
    sure = dets[:, 4] >= args.score_thr
    dets, labels = dets[sure], labels[sure]
    embeds = describe(args.reid, frame, dets[:, :4]) if args.reid else None
    for i, (*box, score) in enumerate(dets.tolist()):
        name = classes[labels[i]] if classes else str(labels[i])
        nearest = ""
        if embeds is not None and len(dets) > 1:
            distances = np.linalg.norm(embeds - embeds[i], axis=1)
            distances[i] = np.inf
            nearest = f"  most alike: {distances.argmin()} (distance {distances.min():.3f})"
        print(f"{i}: {name} {score:.3f}  " + " ".join(f"{v:.1f}" for v in box) + nearest)
        start, end = (tuple(round(v) for v in box[k : k + 2]) for k in (0, 2))
        cv2.rectangle(frame, start, end, (0, 255, 0), 2)
    if args.out and not cv2.imwrite(args.out, frame):
        sys.exit(f"error: {args.out} cannot be written")


if __name__ == "__main__":
    main()
