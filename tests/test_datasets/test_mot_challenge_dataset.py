"""MOTChallengeDataset: samples, result files, and scores against trackeval and motmetrics."""

from __future__ import annotations

import json
import pickle
from types import SimpleNamespace

import cv2
import motmetrics
import numpy as np
import pytest
import trackeval

from mmtrack.datasets import DanceTrackDataset, MOTChallengeDataset, build_dataloader
from mmtrack.datasets.parsers.mot_txt import read_mot_txt

SIZE = (480, 640)
LENGTHS = {"SEQ-02": 14, "SEQ-05": 9}
DISTRACTOR = 7


def walk(rng, length, objects):
    """Boxes xywh ``(length, objects, 4)`` of things that walk through the image."""
    start = rng.uniform((50, 50), (SIZE[1] - 150, SIZE[0] - 200), (objects, 2))
    step = rng.uniform(-6, 6, (objects, 2))
    corners = start + step * np.arange(length)[:, None, None]
    sizes = np.broadcast_to(rng.uniform((20, 50), (60, 120), (objects, 2)), corners.shape)
    return np.concatenate((corners, sizes), 2).round(2)


def write_scene(folder, name="MOT17", half="", objects=5, seed=0, first=1, **top):
    """Folder in the MOTChallenge layout; the last object is a distractor.

    Returns the paths, and perfect results: the pedestrians and boxes on the distractor.
    """
    rng = np.random.default_rng(seed)
    prefix = folder / name / "train"
    data = {
        "categories": [{"id": 1, "name": "pedestrian"}],
        "videos": [],
        "images": [],
        "annotations": [],
        **top,
    }
    tracks, detections = [], []
    for video, (sequence, length) in enumerate(LENGTHS.items(), 1):
        boxes = walk(rng, length, objects)
        data["videos"].append({"id": video, "name": sequence})
        rows = []
        for t in range(length):
            image = 100 * video + t
            data["images"].append(
                {
                    "id": image,
                    "video_id": video,
                    "frame_id": t,
                    "mot_frame_id": t + first,
                    "file_name": f"{sequence}/img1/{t + first:06d}.jpg",
                    "height": SIZE[0],
                    "width": SIZE[1],
                }
            )
            found = []
            for i, box in enumerate(boxes[t]):
                kind = DISTRACTOR if i == objects - 1 else 1
                tail = "1,-1,-1,-1" if name == "MOT15" else f"{int(kind == 1)},{kind},0.5"
                rows.append(f"{t + first},{i + 1},{','.join(map(str, box))},{tail}")
                found.append([i + 1, *box[:2], *(box[:2] + box[2:]), 0.9 - 0.1 * i])
                if kind == 1:
                    data["annotations"].append(
                        {
                            "id": len(data["annotations"]) + 1,
                            "image_id": image,
                            "category_id": 1,
                            "video_id": video,
                            "instance_id": i + 1,
                            "bbox": box.tolist(),
                            "area": float(box[2] * box[3]),
                            "visibility": 0.2 * (i + 1),
                            "iscrowd": 0,
                        }
                    )
            tracks.append([np.array(found, np.float32)])
            detections.append([np.array(found, np.float32)[:-1, 1:]])
        gt = prefix / sequence / "gt" / f"gt{half}.txt"
        gt.parent.mkdir(parents=True)
        gt.write_text("\n".join(rows) + "\n")
        (prefix / sequence / "seqinfo.ini").write_text(
            f"[Sequence]\nname={sequence}\nimDir=img1\nframeRate=25\n"
            f"seqLength={length + first - 1}\nimWidth=640\nimHeight=480\nimExt=.jpg\n"
        )
    ann = folder / name / f"{half.strip('_') or 'train'}_cocoformat.json"
    ann.write_text(json.dumps(data))
    return SimpleNamespace(
        ann=str(ann),
        prefix=str(prefix),
        folder=folder,
        data=data,
        results={"track_bboxes": tracks, "det_bboxes": detections},
    )


def open_set(scene, kind=MOTChallengeDataset, **kwargs):
    args = {"ref_img_sampler": None, "pipeline": [], "test_mode": True, **kwargs}
    return kind(ann_file=scene.ann, img_prefix=scene.prefix, **args)


def spoil(results, seed=1):
    """Results with misses, false boxes, noise and changes of identity."""
    rng = np.random.default_rng(seed)
    tracks = []
    for t, (rows,) in enumerate(results["track_bboxes"]):
        rows = rows[rng.uniform(size=len(rows)) > 0.15].copy()
        rows[:, 1:5] += rng.normal(0, 4, (len(rows), 4))
        rows[rows[:, 0] == 2, 0] += 10 * (t % 14 > 6)
        extra = [[50 + t, 5, 5, 60, 90, 0.4]] if t % 3 == 0 else np.zeros((0, 6))
        tracks.append([np.concatenate((rows, extra)).astype(np.float32)])
    return {**results, "track_bboxes": tracks}


# ------------------------------------------------------------------ samples
@pytest.mark.parametrize(
    ("args", "ids"),
    [
        ({"test_mode": False}, [1, 2, 3, 4]),
        ({"test_mode": False, "visibility_thr": 0.5}, [3, 4]),
        ({"test_mode": True, "visibility_thr": 0.5}, [1, 2, 3, 4]),
    ],
)
def test_visibility_counts_in_training_only(tmp_path, args, ids):
    found = open_set(write_scene(tmp_path), **args)
    ann = found.get_ann_info(found.data_infos[0])
    assert set(ann) == {"bboxes", "labels", "bboxes_ignore", "instance_ids"}
    assert ann["instance_ids"].tolist() == ids
    assert ann["bboxes"].shape == (len(ids), 4)
    assert ann["labels"].tolist() == [0] * len(ids)


def test_annotations_without_visibility(tmp_path):
    scene = write_scene(tmp_path)
    del scene.data["annotations"][0]["visibility"]
    (tmp_path / "a.json").write_text(json.dumps(scene.data))
    scene.ann = str(tmp_path / "a.json")
    found = open_set(scene, test_mode=False, visibility_thr=0.1)
    with pytest.raises(ValueError, match=r"a\.json: annotation 1 has no 'visibility'"):
        found.get_ann_info(found.data_infos[0])
    found = open_set(scene, test_mode=False)
    assert len(found.get_ann_info(found.data_infos[0])["bboxes"]) == 4


def test_ignored_and_crowded_boxes_become_regions(tmp_path):
    scene = write_scene(tmp_path)
    scene.data["annotations"][0]["ignore"] = True
    scene.data["annotations"][1]["iscrowd"] = 1
    scene.data["annotations"][2].update(bbox=[700, 10, 20, 20])  # beside the image
    (tmp_path / "a.json").write_text(json.dumps(scene.data))
    scene.ann = str(tmp_path / "a.json")
    found = open_set(scene)
    ann = found.get_ann_info(found.data_infos[0])
    assert ann["instance_ids"].tolist() == [4]
    boxes = np.array([a["bbox"] for a in scene.data["annotations"][:2]])
    boxes[:, 2:] += boxes[:, :2]
    np.testing.assert_allclose(ann["bboxes_ignore"], boxes, rtol=1e-6)


@pytest.mark.parametrize("layout", ["list", "dict", "det_bboxes of list", "det_bboxes of dict"])
@pytest.mark.parametrize("ending", ["pkl", "json"])
def test_public_detections(tmp_path, layout, ending):
    scene = write_scene(tmp_path)
    entries = scene.results["det_bboxes"]
    if ending == "json":
        entries = [[boxes.tolist() for boxes in entry] for entry in entries]
    names = [image["file_name"] for image in scene.data["images"]]
    content = dict(zip(names, entries, strict=True)) if "dict" in layout else entries
    content = {"det_bboxes": content} if "det" in layout else content
    path = tmp_path / f"det.{ending}"
    path.write_bytes(pickle.dumps(content) if ending == "pkl" else json.dumps(content).encode())
    found = open_set(scene, detection_file=str(path), pipeline=[{"type": "LoadDetections"}])
    for i in (0, 3, 20):
        sample = found[i]
        np.testing.assert_allclose(
            sample["public_bboxes"], scene.results["det_bboxes"][i][0][:, :4], rtol=1e-6
        )
        assert sample["bbox_fields"] == ["public_bboxes"]


def test_detections_that_do_not_fit(tmp_path):
    scene = write_scene(tmp_path)
    path = tmp_path / "det.pkl"
    path.write_bytes(pickle.dumps(scene.results["det_bboxes"][:-1]))
    with pytest.raises(ValueError, match="detections of 22 images, .* has 23"):
        open_set(scene, detection_file=str(path))
    path.write_bytes(pickle.dumps({"elsewhere.jpg": [np.zeros((0, 5))]}))
    with pytest.raises(KeyError, match=r"SEQ-02/img1/000001\.jpg; its names look like elsewhere"):
        open_set(scene, detection_file=str(path))[0]


@pytest.mark.parametrize("public", [False, True])
def test_batches_of_the_configs(tmp_path, public):
    """The test pipeline of the configs on image files, through the loader."""
    scene = write_scene(tmp_path)
    scene.results["det_bboxes"][2] = [np.zeros((0, 5), np.float32)]
    for image in scene.data["images"]:
        path = tmp_path / "MOT17/train" / image["file_name"]
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), np.full((*SIZE, 3), image["id"] % 256, np.uint8))
    (tmp_path / "det.pkl").write_bytes(pickle.dumps(scene.results["det_bboxes"]))
    norm = {"mean": [1.0, 2.0, 3.0], "std": [1.0, 2.0, 4.0], "to_rgb": True}
    keys = ["img", "public_bboxes"] if public else ["img"]
    steps = [
        {"type": "Resize", "keep_ratio": True},
        {"type": "RandomFlip"},
        {"type": "Normalize", **norm},
        {"type": "Pad", "size_divisor": 32},
        {"type": "ImageToTensor", "keys": ["img"]},
        {"type": "VideoCollect", "keys": keys},
    ]
    pipeline = [{"type": "LoadImageFromFile"}, {"type": "LoadDetections"}][: 1 + public] + [
        {"type": "MultiScaleFlipAug", "img_scale": (320, 240), "flip": False, "transforms": steps}
    ]
    found = open_set(scene, pipeline=pipeline, detection_file=str(tmp_path / "det.pkl"))
    batches = list(
        build_dataloader(found, samples_per_gpu=1, workers_per_gpu=0, dist=False, shuffle=False)
    )
    assert len(batches) == 23
    grey = (100 - np.array(norm["mean"])) / norm["std"]
    img = batches[0]["img"][0]
    assert img.shape == (1, 3, 256, 320)
    np.testing.assert_allclose(img[0, :, 100, 100], grey, atol=1.5)  # JPEG
    assert (img[0, :, 240:] == 0).all()
    metas = batches[5]["img_metas"][0].data[0][0]
    assert (metas["frame_id"], metas["is_video_data"]) == (5, True)
    if public:
        boxes = scene.results["det_bboxes"][0][0][:, :4] / 2
        np.testing.assert_allclose(batches[0]["public_bboxes"][0][0], boxes, rtol=1e-5)
        assert batches[2]["public_bboxes"][0].shape == (1, 0, 4)


def test_a_damaged_frame_is_named(tmp_path):
    scene = write_scene(tmp_path)
    path = tmp_path / "MOT17/train/SEQ-02/img1/000001.jpg"
    path.parent.mkdir()
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"SEQ-02/img1/000001\.jpg is an empty file"):
        open_set(scene, pipeline=[{"type": "LoadImageFromFile"}])[0]


# ------------------------------------------------------------------ result files
def test_track_files(tmp_path):
    scene = write_scene(tmp_path)
    found = open_set(scene)
    folder, files, names, tmp_dir = found.format_results(
        scene.results, str(tmp_path / "out"), ["track", "bbox"]
    )
    assert (folder, names, tmp_dir) == (str(tmp_path / "out"), list(LENGTHS), None)
    lines = (tmp_path / "out/track/SEQ-02.txt").read_text().splitlines()
    x1, y1, x2, y2, score = scene.results["track_bboxes"][0][0][0, 1:].tolist()
    assert lines[0] == f"1,1,{x1:.3f},{y1:.3f},{x2 - x1:.3f},{y2 - y1:.3f},{score:.3f},-1,-1,-1"
    assert len(lines) == 14 * 5
    assert files["track"] == str(tmp_path / "out/track")
    lines = (tmp_path / "out/bbox/SEQ-05.txt").read_text().splitlines()
    assert len(lines) == 9 * 4
    assert lines[0].startswith("1,-1,")
    assert len(lines[0].split(",")) == 7


def test_boxes_counted_from_zero_are_moved_to_the_origin_of_the_files(tmp_path):
    scene = write_scene(tmp_path, bbox_origin=0)
    files = open_set(scene).format_results(scene.results, str(tmp_path / "out"))[1]
    table = read_mot_txt(f"{files['track']}/SEQ-02.txt")
    box = scene.results["track_bboxes"][0][0][0, 1:5]
    np.testing.assert_allclose(table.boxes[0, :2], box[:2] + 1, atol=1e-3)
    np.testing.assert_allclose(table.boxes[0, 2:], box[2:] - box[:2], atol=1e-3)


def test_names_of_videos_stay_below_the_folder(tmp_path):
    scene = write_scene(tmp_path)
    found = open_set(scene)
    for name in ("../escaped", str(tmp_path / "escaped")):
        found.coco.dataset["videos"][0]["name"] = name
        with pytest.raises(ValueError, match=r"video '.*escaped' cannot name a file below"):
            found.format_results(scene.results, str(tmp_path / "out"))
    assert not list(tmp_path.rglob("escaped*"))


def test_nothing_is_deleted(tmp_path):
    scene = write_scene(tmp_path)
    found = open_set(scene)
    out = tmp_path / "out"
    out.mkdir()
    assert found.format_results(scene.results, str(out))[0] == str(out)  # empty: used
    (out / "notes.txt").write_text("mine")
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert found.format_results(scene.results, str(out))[0] == str(out / "run_001")
    assert found.format_results(scene.results, str(out))[0] == str(out / "run_002")
    assert all(path.read_bytes() == content for path, content in before.items())
    with pytest.raises(NotADirectoryError, match=r"notes\.txt is a file"):
        found.format_results(scene.results, str(out / "notes.txt"))


def test_temporary_files(tmp_path):
    scene = write_scene(tmp_path)
    folder, _, names, tmp_dir = open_set(scene).format_results(scene.results)
    assert tmp_dir.name == folder
    assert len(read_mot_txt(f"{folder}/track/{names[1]}.txt")) == 9 * 5
    tmp_dir.cleanup()


def test_videos_without_tracks_get_an_empty_file(tmp_path):
    scene = write_scene(tmp_path)
    scene.results["track_bboxes"][:14] = [[np.zeros((0, 6), np.float32)]] * 14
    for interpolate in (None, {"min_num_frames": 5, "max_num_frames": 20}):
        found = open_set(scene, interpolate_tracks_cfg=interpolate)
        files = found.format_results(scene.results, str(tmp_path / f"out{interpolate is None}"))[1]
        assert len(read_mot_txt(f"{files['track']}/SEQ-02.txt")) == 0
        assert found.evaluate(scene.results, logger="silent")["FN"] == 14 * 4


def test_interpolation_fills_gaps(tmp_path):
    scene = write_scene(tmp_path)
    for t in (5, 6, 7):
        (rows,) = scene.results["track_bboxes"][t]
        scene.results["track_bboxes"][t] = [rows[rows[:, 0] != 3]]
    plain = open_set(scene).evaluate(scene.results, logger="silent")
    assert plain["FN"] == 3
    filled = open_set(scene, interpolate_tracks_cfg={"min_num_frames": 5, "max_num_frames": 20})
    assert filled.evaluate(scene.results, logger="silent")["FN"] == 0
    files = filled.format_results(scene.results, str(tmp_path / "out"))[1]
    table = read_mot_txt(f"{files['track']}/SEQ-02.txt")
    rows = table[(table.ids == 3) & (table.frames == 7)]
    neighbours = [scene.results["track_bboxes"][t][0][2, 1:3] for t in (4, 8)]
    np.testing.assert_allclose(rows.boxes[0, :2], np.mean(neighbours, 0), atol=0.02)


# ------------------------------------------------------------------ scores
@pytest.mark.parametrize("name", ["MOT15", "MOT16", "MOT17", "MOT20"])
def test_ground_truth_against_itself_is_perfect(tmp_path, name):
    scene = write_scene(tmp_path, name)
    scores = open_set(scene).evaluate(scene.results, logger="silent")
    assert list(scores) == [
        "IDF1",
        "IDP",
        "IDR",
        "Rcll",
        "Prcn",
        "GT",
        "MT",
        "PT",
        "ML",
        "FP",
        "FN",
        "IDs",
        "FM",
        "MOTA",
        "MOTP",
        "IDt",
        "IDa",
        "IDm",
        "HOTA",
    ]
    for key in ("IDF1", "Rcll", "Prcn", "MOTA", "HOTA"):
        assert scores[key] == pytest.approx(1), key
    assert scores["MOTP"] == pytest.approx(0, abs=1e-5)  # float32 boxes
    assert scores["GT"] == (10 if name == "MOT15" else 8)


def hota_of_trackeval(found, results, folder):
    tracker = folder / "hota"
    files, names = found.format_results(results, str(tracker))[1:3]
    assert files["track"] == str(tracker / "track")
    seqmap = folder / "videoseq.txt"
    seqmap.write_text("\n".join(["name", *names]) + "\n")
    config = found.get_dataset_cfg_for_hota(found.img_prefix, str(tracker), str(seqmap))
    quiet = {
        **trackeval.Evaluator.get_default_eval_config(),
        "PRINT_RESULTS": False,
        "PRINT_CONFIG": False,
        "TIME_PROGRESS": False,
        "OUTPUT_SUMMARY": False,
        "OUTPUT_DETAILED": False,
        "PLOT_CURVES": False,
        "DISPLAY_LESS_PROGRESS": True,
    }
    data = [trackeval.datasets.MotChallenge2DBox(config)]
    output, _ = trackeval.Evaluator(quiet).evaluate(
        data, [trackeval.metrics.HOTA({"PRINT_CONFIG": False})]
    )
    scores = output["MotChallenge2DBox"]["track"]["COMBINED_SEQ"]["pedestrian"]["HOTA"]
    return float(np.mean(scores["HOTA"]))


def iou_distance(truth, tracks):
    """``1 - IoU`` of xywh boxes, NaN below an IoU of one half; box by box."""
    table = np.full((len(truth), len(tracks)), np.nan)
    for i, (x, y, w, h) in enumerate(truth):
        for j, (u, v, s, t) in enumerate(tracks):
            inter = max(min(x + w, u + s) - max(x, u), 0) * max(min(y + h, v + t) - max(y, v), 0)
            iou = inter / (w * h + s * t - inter)
            if iou >= 0.5:
                table[i, j] = 1 - iou
    return table


def clear_of_motmetrics(found, results, folder, videos):
    """Only for MOT15, where no distractor is removed."""
    files = found.format_results(results, str(folder / "clear"))[1]
    accumulators = []
    for name in videos:
        truth = read_mot_txt(f"{found.img_prefix}/{name}/gt/gt.txt")
        tracks = read_mot_txt(f"{files['track']}/{name}.txt")
        accumulators.append(motmetrics.MOTAccumulator(auto_id=True))
        for frame in np.unique(truth.frames):
            one, other = truth[truth.frames == frame], tracks[tracks.frames == frame]
            distances = iou_distance(one.boxes, other.boxes)
            accumulators[-1].update(one.ids, other.ids, distances)
    host = motmetrics.metrics.create()
    table = host.compute_many(
        accumulators,
        names=list(videos),
        generate_overall=True,
        metrics=[
            "idf1",
            "recall",
            "precision",
            "num_false_positives",
            "num_misses",
            "num_switches",
            "mota",
            "motp",
        ],
    )
    row = table.loc["OVERALL"]
    keys = ["IDF1", "Rcll", "Prcn", "FP", "FN", "IDs", "MOTA", "MOTP"]
    return dict(zip(keys, row.tolist(), strict=True))


@pytest.mark.parametrize("name", ["MOT15", "MOT17", "MOT20"])
def test_scores_are_those_of_the_kits(tmp_path, name):
    scene = write_scene(tmp_path, name, seed=4)
    results = spoil(scene.results)
    found = open_set(scene)
    scores = found.evaluate(results, logger="silent")
    assert 0.3 < scores["MOTA"] < 0.95
    assert scores["HOTA"] == pytest.approx(hota_of_trackeval(found, results, tmp_path), abs=1e-4)
    if name == "MOT15":
        for key, value in clear_of_motmetrics(found, results, tmp_path, LENGTHS).items():
            assert scores[key] == pytest.approx(value, abs=1e-4), key


def test_thresholds(tmp_path):
    """Boxes moved by a quarter of their width have an IoU of 0.6."""
    scene = write_scene(tmp_path)
    for (tracks,), (boxes,) in zip(*scene.results.values(), strict=True):
        for x1, x2 in ((tracks[:, 1], tracks[:, 3]), (boxes[:, 0], boxes[:, 2])):
            shift = (x2 - x1) / 4
            x1 += shift
            x2 += shift
    found = open_set(scene)
    for thr, good in ((0.59, 1), (0.61, 0)):
        scores = found.evaluate(
            scene.results, ["track", "bbox"], logger="silent", bbox_iou_thr=thr, track_iou_thr=thr
        )
        assert (scores["mAP"], scores["Rcll"]) == (good, good)


@pytest.mark.parametrize("half", ["_half-train", "_half-val"])
def test_half_splits_have_their_own_ground_truth(tmp_path, half):
    scene = write_scene(tmp_path, half=half, first=20)
    found = open_set(scene)
    assert found.evaluate(scene.results, logger="silent")["MOTA"] == 1
    config = found.get_dataset_cfg_for_hota("a", "b", "c")
    assert config["GT_LOC_FORMAT"].endswith(f"/gt/gt{half}.txt")
    files = found.format_results(scene.results, str(tmp_path / "out"))[1]
    table = read_mot_txt(f"{files['track']}/SEQ-02.txt")
    assert (table.frames.min(), table.frames.max()) == (20, 33)


def test_average_precision(tmp_path):
    scene = write_scene(tmp_path)
    found = open_set(scene)
    assert found.evaluate(scene.results, "bbox", logger="silent") == {"mAP": 1.0}
    assert found.evaluate(scene.results["det_bboxes"], "bbox", logger="silent") == {"mAP": 1.0}
    for rows in scene.results["det_bboxes"][::2]:
        rows[0] = rows[0][:0]  # half of the frames without detections: recall 12/23
    rows = len([b for (b,) in scene.results["det_bboxes"] for _ in b])
    scores = found.evaluate(scene.results, ["bbox", "track"], logger="silent")
    assert scores["mAP"] == pytest.approx(rows / (23 * 4), abs=1e-3)
    assert scores["MOTA"] == 1


def test_results_are_written_during_evaluation(tmp_path, caplog):
    scene = write_scene(tmp_path)
    found = open_set(scene)
    for expected in ("out", "out/run_001"):
        found.evaluate(scene.results, resfile_path=str(tmp_path / "out"), logger="silent")
        assert (tmp_path / expected / "track/SEQ-02.txt").is_file()


def test_the_table_of_scores_is_printed(tmp_path, capsys):
    scene = write_scene(tmp_path)
    open_set(scene).evaluate(scene.results)
    printed = capsys.readouterr().out
    for word in ("SEQ-02", "SEQ-05", "OVERALL", "HOTA", "IDF1"):
        assert word in printed


def test_the_results_are_not_changed(tmp_path):
    scene = write_scene(tmp_path)
    before = pickle.dumps(scene.results)
    open_set(scene, interpolate_tracks_cfg={"min_num_frames": 2}).evaluate(
        scene.results, ["track", "bbox"], logger="silent"
    )
    assert pickle.dumps(scene.results) == before


# ------------------------------------------------------------------ bad input
def test_results_that_do_not_fit(tmp_path):
    scene = write_scene(tmp_path)
    found = open_set(scene)
    with pytest.raises(ValueError, match="no metric 'mota'; it has track, bbox"):
        found.evaluate(scene.results, "mota")
    with pytest.raises(ValueError, match="'track_bboxes'"):
        found.evaluate({"det_bboxes": []}, "track")
    short = {"track_bboxes": scene.results["track_bboxes"][:-1]}
    with pytest.raises(ValueError, match="22 entries.* 23 images"):
        found.format_results(short, str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    away = {
        "track_bboxes": [
            [rows + [[0, 2000, 0, 2000, 0, 0]]] for (rows,) in scene.results["track_bboxes"]
        ]
    }
    with pytest.raises(ValueError, match="overlap no ground truth"):
        found.evaluate(away, logger="silent")


def test_videos_without_ground_truth(tmp_path):
    scene = write_scene(tmp_path)
    (tmp_path / "MOT17/train/SEQ-05/gt/gt.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"SEQ-05.*gt\.txt.*--format-only"):
        open_set(scene).evaluate(scene.results, logger="silent")


def test_images_without_videos_have_no_tracks(tmp_path):
    scene = write_scene(tmp_path)
    found = open_set(scene, load_as_video=False)
    with pytest.raises(ValueError, match="load_as_video=False"):
        found.format_results(scene.results)


# ------------------------------------------------------------------ names
@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("data/MOT15/train", "MOT15"),
        ("data/mot16/train", "MOT16"),
        ("data/MOT17/train", "MOT17"),
        ("data/MOT20/train", "MOT20"),
        ("data/mine", "MOT20"),
    ],
)
def test_benchmark(tmp_path, prefix, expected):
    found = open_set(write_scene(tmp_path))
    found.img_prefix = prefix
    assert found.get_benchmark_and_eval_split() == (expected, "train")
    config = found.get_dataset_cfg_for_hota("gt", "tracker", "map")
    assert (config["BENCHMARK"], config["DO_PREPROC"]) == (expected, expected != "MOT15")


def test_benchmark_may_be_configured(tmp_path):
    found = open_set(write_scene(tmp_path, "MOT15"), benchmark="MOT17")
    assert found.get_benchmark_and_eval_split() == ("MOT17", "train")


def test_dancetrack(tmp_path):
    scene = write_scene(tmp_path, "dancetrack")
    found = open_set(scene, DanceTrackDataset)
    assert found.get_benchmark_and_eval_split() == ("DanceTrack", "val")
    assert found.CLASSES == ("pedestrian",)
    assert found.evaluate(scene.results, logger="silent")["HOTA"] == pytest.approx(1)
