"""tools/synthesize.py as a process, and its layouts through their converters."""

import hashlib
import importlib.util
import json
from dataclasses import replace

import numpy as np
import pytest
from pycocotools.coco import COCO

from mmtrack.datasets.converters import convert_mot_subset, find_sequences
from mmtrack.datasets.converters.crowdhuman import convert_crowdhuman
from mmtrack.datasets.parsers.mot_txt import read_mot_txt, read_seqinfo
from mmtrack.datasets.synthetic import SceneSpec, street_scene
from mmtrack.datasets.synthetic.layouts import LAYOUTS

SCRIPT = "tools/synthesize.py"
TINY = (
    "--size",
    "160x96",
    "--frames",
    "6",
    "--test-frames",
    "4",
    "--people",
    "4",
    "--sequences",
    "2",
)


def write(folder, name, **options):
    """Fill a folder in this process and count the frames that were announced."""
    layout = LAYOUTS[name]
    chosen = replace(layout.options, **{"size": (160, 96), "people": 4, **options})
    steps = []
    layout.write(folder, chosen, lambda: steps.append(1))
    assert len(steps) == layout.count(chosen)
    return folder


def digest(folder):
    """Names and bytes of all files of a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sums = {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    assert sums
    return sums


def test_same_bytes_in_two_processes(run_script, main, tmp_path):
    options = ("mot17", *TINY, "--test-sequences", "1")
    run_script(SCRIPT, *options, "--out", tmp_path / "a")
    main(*options, "--out", tmp_path / "b")
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    other = digest(
        write(
            tmp_path / "c", "mot17", sequences=2, frames=6, test_frames=4, test_sequences=1, seed=1
        )
    )
    same = [name for name, value in digest(tmp_path / "a").items() if other.get(name) == value]
    assert all(name.endswith("seqinfo.ini") for name in same)


def test_a_video_does_not_depend_on_the_others(tmp_path):
    few = digest(write(tmp_path / "few", "mot17", sequences=1, test_sequences=0, frames=3))
    many = digest(
        write(tmp_path / "many", "mot17", sequences=3, test_sequences=1, frames=3, test_frames=2)
    )
    assert few.items() <= many.items()


@pytest.mark.parametrize("name", ["mot15", "mot16", "mot17", "mot20"])
def test_motchallenge(tmp_path, name):
    options = {"sequences": 2, "test_sequences": 1, "frames": 12, "test_frames": 2}
    root = write(tmp_path / name.upper(), name, **options)
    sequences = find_sequences(root / "train")
    info = read_seqinfo(sequences[0].folder / "seqinfo.ini")
    assert (info.length, info.width, info.height, info.frame_rate) == (12, 160, 96, 15)
    truth = read_mot_txt(sequences[0].folder / "gt" / "gt.txt")
    if name == "mot15":
        assert set(truth.classes) == {-1}
    else:
        assert {1, 7, 9} <= set(truth.classes.tolist())
        assert np.array_equal(truth.scores > 0, truth.classes == 1)
        assert truth.visibility.min() >= 0
        assert truth.visibility.max() <= 1
    path = tmp_path / "train.json"
    convert_mot_subset(sequences).write(path)
    coco = COCO(str(path))
    people = truth.ids[(truth.classes == 1) | (name == "mot15")]
    first = [i for i, image in coco.imgs.items() if image["video_id"] == 1]
    assert len(coco.getAnnIds(imgIds=first)) == len(people)
    detections = read_mot_txt(sequences[0].folder / "det" / "det.txt")
    assert set(detections.ids) == {-1}
    assert 0.4 * len(people) < len(detections) < 1.3 * len(people)
    (test,) = find_sequences(root / "test")
    assert test.ground_truth() is None


def test_mot17_triplets_and_test_truth(tmp_path):
    root = write(
        tmp_path,
        "mot17",
        sequences=1,
        test_sequences=1,
        frames=2,
        test_frames=2,
        triplets=True,
        test_gt=True,
    )
    names = [f"MOT17-02-{detector}" for detector in ("DPM", "FRCNN", "SDP")]
    assert sorted(p.name for p in (root / "train").iterdir()) == names
    copies = [digest(root / "train" / name) for name in names]
    for path in ("img1/000001.jpg", "gt/gt.txt"):
        assert len({copy[path] for copy in copies}) == 1
    assert len({copy["det/det.txt"] for copy in copies}) == 3
    assert (root / "test" / "MOT17-01-SDP" / "gt" / "gt.txt").is_file()


def test_ground_truth_counts_pixels_from_one_and_leaves_slivers_out(tmp_path):
    root = write(tmp_path, "mot16", sequences=1, test_sequences=0, frames=40, people=8)
    scene = street_scene(SceneSpec("MOT16-02", size=(160, 96), length=40, people=8))
    truth = read_mot_txt(root / "train" / "MOT16-02" / "gt" / "gt.txt")
    left_out = 0
    for number, frame in enumerate(scene, 1):
        x, y, w, h = frame.bboxes.T
        wide = np.minimum(x + w, 160) - np.maximum(x, 0)
        tall = np.minimum(y + h, 96) - np.maximum(y, 0)
        kept = wide * tall >= 0.15 * w * h
        left_out += np.sum(~kept)
        rows = truth[truth.frames == number]
        assert rows.ids.tolist() == frame.ids[kept].tolist()
        assert np.array_equal(rows.boxes - (1, 1, 0, 0), frame.bboxes[kept])
    assert left_out > 0


def test_dancetrack(tmp_path):
    options = {"sequences": 1, "val_sequences": 1, "test_sequences": 1, "frames": 3}
    root = write(tmp_path, "dancetrack", **options)
    names = {
        split: [s.name for s in find_sequences(root / split)] for split in ("train", "val", "test")
    }
    assert names == {
        "train": ["dancetrack0001"],
        "val": ["dancetrack0002"],
        "test": ["dancetrack0003"],
    }
    (video,) = find_sequences(root / "val")
    assert video.images[0] == "00000001.jpg"
    data = convert_mot_subset([video]).as_dict()
    assert len(data["annotations"]) == 3 * 4
    assert data["num_instances"] == 4
    assert {note["mot_conf"] for note in data["annotations"]} == {1}


def test_crowdhuman(tmp_path):
    root = write(tmp_path, "crowdhuman", images=3, val_images=2, people=8)
    data = convert_crowdhuman(root, "train").as_dict()
    assert len(data["images"]) == 3
    people = [note for note in data["annotations"] if not note["iscrowd"]]
    assert len(people) > 10
    assert len(people) < len(data["annotations"])
    lines = (root / "annotation_train.odgt").read_text().splitlines()
    for box in json.loads(lines[0])["gtboxes"]:
        (fx, fy, fw, fh), (vx, vy, vw, vh), (hx, hy, hw, hh) = (
            box[key] for key in ("fbox", "vbox", "hbox")
        )
        assert vx >= fx
        assert vy >= fy
        assert vx + vw <= fx + fw
        assert vy + vh <= fy + fh
        # The head is in the upper part of the body.
        assert fx - 2 <= hx
        assert hx + hw <= fx + fw + 2
        assert fy - 2 <= hy
        assert hy + hh < fy + fh * 0.6


def test_reid(tmp_path):
    root = write(tmp_path, "reid", sequences=2, frames=10, people=6, min_crops=4)
    assert sorted(p.name for p in root.iterdir()) == ["imgs", "meta"]
    listed = (root / "meta" / "train.txt").read_text().splitlines()
    files = [line.split()[0] for line in listed]
    assert all((root / "imgs" / name).is_file() for name in files)
    labels = sorted({int(line.split()[1]) for line in listed})
    assert labels == list(range(len(labels)))
    assert len(labels) >= 5


@pytest.fixture
def main(root, monkeypatch):
    """The script in this process: ``main('mot17', '--out', ...)``."""
    spec = importlib.util.spec_from_file_location("synthesize_script", root / SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", [SCRIPT, *map(str, arguments)])
        module.main()

    return run


def test_existing_folders(run_script, main, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("keep me")
    done = run_script(SCRIPT, "mot16", "--out", mine, *TINY, "--force", check=False)
    assert done.returncode != 0
    assert "error: " in done.stderr
    assert "was not generated" in done.stderr
    assert "Traceback" not in done.stderr
    assert [p.name for p in mine.iterdir()] == ["thesis.txt"]

    out = tmp_path / "out"
    main("mot16", "--out", out, *TINY, "--test-sequences", "0")
    (out / "annotations").mkdir()
    with pytest.raises(FileExistsError, match="--force"):
        main("mot16", "--out", out, *TINY)
    main("mot16", "--out", out, *TINY, "--sequences", "1", "--test-sequences", "0", "--force")
    assert sorted(p.name for p in out.iterdir()) == [".synthetic.json", "annotations", "train"]
    assert len(list((out / "train").iterdir())) == 1
    assert not [p for p in tmp_path.iterdir() if "partial" in p.name]


@pytest.mark.parametrize("arguments", [("--help",), ("mot17", "--help")])
def test_help(main, capsys, arguments):
    with pytest.raises(SystemExit) as end:
        main(*arguments)
    assert end.value.code == 0
    text = capsys.readouterr().out
    wanted = LAYOUTS if len(arguments) == 1 else ("--triplets", "640x360", "same bytes")
    assert all(name in text for name in wanted)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--size", "640"), "no frame size"),
        (("--size", "32x32"), "too small"),
        (("--frames", "0"), "needs frames"),
        (("--people", "-2"), "must not be negative"),
    ],
)
def test_wrong_arguments(main, capsys, tmp_path, arguments, message):
    with pytest.raises((ValueError, SystemExit)) as error:
        main("mot17", "--out", tmp_path / "x", *arguments)
    assert message in str(error.value) + capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
