"""Videos in, drawn videos and JSON out; compared with the documented functions."""

from __future__ import annotations

import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time

import cv2
import numpy as np
import pycocotools.mask as coco_mask
import pytest
import serving_models

from mmtrack.apis.serving import FOLDER_PREFIX, VideoService, remove_stale_folders
from mmtrack.apis.serving_request import Limits
from mmtrack.apis.video_task import try_out, video_task
from mmtrack.core.visualization import VideoFileWriter, open_source
from mmtrack.core.visualization.video_io import VideoFileSource

TASKS = ("mot", "vid", "vis", "sot")


@pytest.fixture(scope="module")
def cases(root, tmp_path_factory):
    return serving_models.make_cases(root, tmp_path_factory.mktemp("serving"))


@pytest.fixture(scope="module")
def models(cases):
    return {name: serving_models.load(case) for name, case in cases.items()}


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """A folder for temporary files, which must be empty after a test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert not list(folder.iterdir())


def ask(model, case, limits=None, **fields):
    fields = {"data": case.video.read_bytes(), **case.options, **fields}
    return VideoService(model, limits).answer(fields)


def message(answer):
    text = json.loads(answer.body)
    assert text["code"] == answer.status
    assert answer.content_type == "application/json"
    return text["message"]


@pytest.mark.parametrize("name", TASKS)
def test_drawn_video(cases, models, tmp_path, name):
    answer = ask(models[name], cases[name])
    assert (answer.status, answer.content_type) == (200, "video/mp4")
    (tmp_path / "answer.mp4").write_bytes(answer.body)
    source = open_source(str(tmp_path / "answer.mp4"))
    assert source.fps == serving_models.FPS
    wanted = serving_models.drawn_video(name, cases[name], tmp_path / "wanted.mp4")
    np.testing.assert_array_equal(list(source), wanted)
    plain = list(open_source(str(cases[name].video)))
    assert any(np.abs(a.astype(int) - b).max() > 100 for a, b in zip(plain, wanted, strict=True))


def expected_objects(result, kind, score_thr, classes):
    """Objects of a frame from its per-class arrays, by hand."""
    found = []
    for label, rows in enumerate(result[f"{kind}_bboxes"]):
        for number, row in enumerate(rows):
            *head, x1, y1, x2, y2, score = row.astype(float)
            if score < score_thr:
                continue
            entry = {"id": int(head[0])} if head else {}
            entry |= {"label": label, "class": classes[label], "score": score}
            entry["bbox"] = [x1, y1, x2 - x1, y2 - y1]
            if f"{kind}_masks" in result:
                entry["mask"] = result[f"{kind}_masks"][label][number]
            found.append(entry)
    return found


@pytest.mark.parametrize("name", ["mot", "vid", "vis"])
def test_found_objects(cases, models, name):
    case, model = cases[name], models[name]
    answer = ask(model, case, output="json")
    assert (answer.status, answer.content_type) == (200, "application/json")
    text = json.loads(answer.body)
    results = serving_models.results_of(name, model, case.video)
    height, width = next(iter(open_source(str(case.video)))).shape[:2]
    head = {key: value for key, value in text.items() if key != "frames"}
    assert head == {
        "task": name,
        "fps": serving_models.FPS,
        "height": height,
        "width": width,
        "num_frames": len(results),
    }
    threshold = float(case.options["score_thr"])
    kind = "det" if name == "vid" else "track"
    count = 0
    for frame_id, (frame, result) in enumerate(zip(text["frames"], results, strict=True)):
        assert frame["frame_id"] == frame_id
        wanted = expected_objects(result, kind, threshold, model.CLASSES)
        for mine, other in zip(frame["objects"], wanted, strict=True):
            assert mine.keys() == other.keys()
            np.testing.assert_allclose(mine["bbox"], other.pop("bbox"), atol=6e-4)
            assert mine["score"] == pytest.approx(other.pop("score"), abs=1e-6)
            if "mask" in mine:
                np.testing.assert_array_equal(coco_mask.decode(mine["mask"]), other.pop("mask"))
            assert {key: mine[key] for key in other} == other
            count += 1
    assert count > 0


def test_followed_object(cases, models):
    text = json.loads(ask(models["sot"], cases["sot"], output="json").body)
    results = serving_models.results_of("sot", models["sot"], cases["sot"].video)
    assert (text["task"], text["num_frames"]) == ("sot", len(results))
    for index, (frame, result) in enumerate(zip(text["frames"], results, strict=True)):
        (found,) = frame["objects"]
        x1, y1, x2, y2, score = result["track_bboxes"].astype(float)
        np.testing.assert_allclose(found["bbox"], [x1, y1, x2 - x1, y2 - y1], atol=6e-4)
        assert found["score"] == (pytest.approx(score, abs=1e-6) if index else None)


def test_requests_do_not_touch_each_other(cases, models):
    first = ask(models["mot"], cases["mot"], output="json")
    data = cases["mot"].video.read_bytes()
    assert ask(models["mot"], cases["mot"], data=data[: len(data) // 3]).status == 422
    assert ask(models["mot"], cases["mot"], output="json") == first


def test_video_that_ends_early(cases, models, tmp_path):
    # the header of an AVI comes first and tells how many frames should follow
    path = tmp_path / "a.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (96, 64))
    for image in open_source(str(cases["mot"].video)):
        writer.write(image)
    writer.release()
    data = path.read_bytes()
    assert ask(models["mot"], cases["mot"], data=data).status == 200
    answer = ask(models["mot"], cases["mot"], data=data[: int(len(data) * 0.5)])
    assert answer.status == 422
    assert message(answer).startswith("the video is damaged or truncated: only 2 of 5 frames")


@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_video_without_its_end(cases, models, share):
    data = cases["mot"].video.read_bytes()
    answer = ask(models["mot"], cases["mot"], data=data[: int(len(data) * share)])
    assert answer.status == 422
    assert message(answer).startswith("the video cannot be read as a video: damaged or truncated")


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [
        ({"max_frames": 4}, "has 5 frames or more, the limit of this server is 4"),
        ({"max_pixels": 64 * 96 - 1}, "96 x 64 pixels, the limit of this server is 6143"),
        ({"max_seconds": 1e-9}, "after 0 frames the time for a video is up, the limit of"),
        ({"max_megabytes": 0.001}, "MB, the limit of this server is 0.001 MB"),
        ({"max_answer_megabytes": 0.001}, "the answer has more than 0.001 MB"),
    ],
)
def test_limits(cases, models, limits, wanted):
    answer = ask(models["mot"], cases["mot"], Limits(**limits))
    assert answer.status == 413
    assert wanted in message(answer)


@pytest.mark.parametrize("output", ["mp4", "json"])
def test_answers_are_limited_while_they_grow(cases, models, monkeypatch, output):
    """A worker must not run on for hours, or fill disk and memory, for an answer it cannot send."""
    data = cases["mot"].video.read_bytes()
    assert ask(models["mot"], cases["mot"], data=data, output=output).status == 200
    frames = []
    infer = models["mot"].simple_test
    monkeypatch.setattr(
        models["mot"], "simple_test", lambda *a, **k: frames.append(0) or infer(*a, **k)
    )
    answer = ask(models["mot"], cases["mot"], Limits(max_answer_megabytes=1e-6), output=output)
    assert answer.status == 413
    assert len(frames) == 1


def test_time_is_limited(cases, models, monkeypatch):
    clock = iter(range(0, 1000, 10))  # seconds, at each look
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    answer = ask(models["mot"], cases["mot"], Limits(max_seconds=25))
    assert answer.status == 413
    assert "after 2 frames the time for a video is up" in message(answer)


def test_size_of_frames_is_checked_before_they_are_decoded(cases, models, monkeypatch):
    """A file of a few megabytes can hold frames of gigabytes."""
    decoded = []
    monkeypatch.setattr(VideoFileSource, "__iter__", lambda self: iter(decoded.append(0) or ()))
    answer = ask(models["mot"], cases["mot"], Limits(max_pixels=64 * 96 - 1))
    assert (answer.status, decoded) == (413, [])


def test_absurd_frame_rate(cases, models, tmp_path):
    # microseconds per frame stand in the header of an AVI, and its rate in that of the stream
    path = tmp_path / "a.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (96, 64))
    for image in open_source(str(cases["mot"].video)):
        writer.write(image)
    writer.release()
    data = bytearray(path.read_bytes())
    rate = data.index(b"strh") + 8 + 20  # after dwFlags, dwPriority, dwInitialFrames: dwScale, ...
    data[rate : rate + 8] = struct.pack("<II", 2**31 - 1, 1)
    answer = ask(models["mot"], cases["mot"], data=bytes(data))
    assert answer.status == 200
    (tmp_path / "answer.mp4").write_bytes(answer.body)
    assert open_source(str(tmp_path / "answer.mp4")).fps == 25


def test_video_at_the_limits_is_answered(cases, models):
    limits = Limits(max_frames=5, max_pixels=64 * 96)
    assert ask(models["mot"], cases["mot"], limits).status == 200


@pytest.mark.parametrize(
    ("box", "wanted"),
    [
        ("500,5,10,10", "lies outside; the first frame has 120 x 90 pixels"),
        ("5,-20,10,20", "lies outside"),
        ("-1e6,-1e6,2e6,2e6", "larger than the frame"),
        ("0,0,122,10", "larger than the frame"),
        ("30,30,0.5,20", "narrower than a pixel"),
    ],
)
def test_box_that_does_not_fit(cases, models, box, wanted):
    answer = ask(models["sot"], cases["sot"], init_bbox=box)
    assert answer.status == 400
    assert wanted in message(answer)


@pytest.mark.parametrize("box", ["-5,-5,20,20", "0,0,120,90", "110,80,30,30"])
def test_box_that_touches_the_border(cases, models, box):
    assert ask(models["sot"], cases["sot"], init_bbox=box, output="json").status == 200


def test_error_of_the_model_is_no_error_of_the_client(cases, monkeypatch):
    model = serving_models.load(cases["mot"])
    monkeypatch.setattr(model, "simple_test", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ask(model, cases["mot"])


def test_full_disk_is_no_answer(cases, models):
    """A limit of the process stops the encoder as a full disk does, silently."""
    whole = len(ask(models["mot"], cases["mot"]).body)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    room = cases["mot"].video.stat().st_size + 1000  # for the request, but not for the answer
    assert room < whole
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        with pytest.raises(OSError, match="5 drawn frames could not be written to .*: disk full"):
            ask(models["mot"], cases["mot"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_frame_rate_is_kept(cases, models, tmp_path):
    with VideoFileWriter(tmp_path / "a.mp4", 29.97) as writer:
        for image in open_source(str(cases["mot"].video)):
            writer.write(image)
    answer = ask(models["mot"], cases["mot"], data=(tmp_path / "a.mp4").read_bytes(), output="json")
    assert json.loads(answer.body)["fps"] == pytest.approx(29.97, abs=0.01)


def test_folders_of_killed_workers_are_removed(temporary):
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    stale = temporary / f"{FOLDER_PREFIX}{int(done.stdout)}-abc"
    alive = temporary / f"{FOLDER_PREFIX}{os.getpid()}-abc"
    other = temporary / f"{FOLDER_PREFIX}notes-abc"
    for folder in (stale, alive, other):
        folder.mkdir()
        (folder / "request.mp4").write_bytes(b"x")
    remove_stale_folders()
    assert sorted(path.name for path in temporary.iterdir()) == sorted([alive.name, other.name])
    for folder in (alive, other):
        (folder / "request.mp4").unlink()
        folder.rmdir()


@pytest.mark.parametrize("name", TASKS)
def test_try_out(models, name):
    try_out(models[name])


def test_tasks_need_video_models_and_boxes(models):
    with pytest.raises(TypeError, match="is no video model"):
        video_task(models["mot"].detector, 0.5, None)
    with pytest.raises(ValueError, match="needs the box"):
        video_task(models["sot"], 0.5, None)
