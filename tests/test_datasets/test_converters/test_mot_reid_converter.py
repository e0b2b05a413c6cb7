"""Crops of people and their lists."""

import cv2
import numpy as np
import pytest

from mmtrack.datasets.converters import (
    MOTSequence,
    ReIDRules,
    crop_identities,
    find_sequences,
    write_reid_lists,
)

FRAMES = 12


@pytest.fixture
def mot17(tmp_path):
    """Two detectors' copies of a video; pixel values tell frame, row and column."""
    for name in ("MOT17-02-FRCNN", "MOT17-02-DPM"):
        folder = tmp_path / "MOT17" / "train" / name
        (folder / "img1").mkdir(parents=True)
        (folder / "gt").mkdir()
        for frame in range(1, FRAMES + 1):
            image = np.zeros((60, 80, 3), np.uint8)
            image[..., 0] = 20 * frame
            image[..., 1] = 4 * np.arange(60)[:, None]
            image[..., 2] = 3 * np.arange(80)
            cv2.imwrite(str(folder / "img1" / f"{frame:06d}.png"), image)
        (folder / "seqinfo.ini").write_text(
            f"[Sequence]\nname={name}\nimDir=img1\nframeRate=25\nseqLength={FRAMES}\n"
            "imWidth=80\nimHeight=60\nimExt=.png\n"
        )
        rows = []
        for frame in range(1, FRAMES + 1):
            rows.append(f"{frame},1,10,20,16,24,1,1,1")
            rows.append(f"{frame},2,-5,30,20,50,1,1,{0.2 if frame < 4 else 0.9}")  # sticks out
            rows.append(f"{frame},3,40,10,10,10,0,7,1")  # a static person
            rows.append(f"{frame},5,200,10,10,10,1,1,1")  # outside of the image
            if frame < 4:
                rows.append(f"{frame},4,50,10,10,20,1,1,1")  # too few
        (folder / "gt" / "gt.txt").write_text("\n".join(rows) + "\n")
    return tmp_path / "MOT17"


def crop(mot17, out, **rules):
    sequences = [MOTSequence.open(mot17 / "train" / "MOT17-02-FRCNN")]
    return crop_identities(sequences, out, ReIDRules(**rules))


def test_who_is_cropped(mot17, tmp_path):
    people = crop(mot17, tmp_path / "imgs")
    assert [p[0].split("/")[0] for p in people] == [
        "MOT17-02-FRCNN_000001",
        "MOT17-02-FRCNN_000002",
    ]
    assert [len(p) for p in people] == [12, 9]
    assert people[1][0] == "MOT17-02-FRCNN_000002/000000.jpg"
    written = sorted(str(p.relative_to(tmp_path / "imgs")) for p in tmp_path.glob("imgs/*/*"))
    assert written == sorted(sum(people, []))


def test_pixels(mot17, tmp_path):
    people = crop(mot17, tmp_path / "imgs")
    image = cv2.imread(str(tmp_path / "imgs" / people[0][4])).astype(int)
    assert image.shape == (24, 16, 3)
    assert image[8, 8] == pytest.approx(np.array([20 * 5, 4 * 28, 3 * 18]), abs=8)
    clipped = cv2.imread(str(tmp_path / "imgs" / people[1][0]))
    assert clipped.shape == (30, 15, 3)


def test_subsampling_is_seeded(mot17, tmp_path):
    first, again = (crop(mot17, tmp_path / name, max_crops=5) for name in "ab")
    assert first == again
    assert [len(p) for p in first] == [5, 5]
    for path in first[0]:
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


def test_lists(tmp_path):
    people = [[f"v_{i}/{k}.jpg" for k in range(2)] for i in range(5)]
    assert write_reid_lists(people, tmp_path, 0.4) == ("train_60.txt", "val_40.txt")
    train = (tmp_path / "train_60.txt").read_text().splitlines()
    assert train == [f"v_{i}/{k}.jpg {i}" for i in range(3) for k in range(2)]
    val = (tmp_path / "val_40.txt").read_text().splitlines()
    assert val == [f"v_{i}/{k}.jpg {i - 3}" for i in (3, 4) for k in range(2)]
    everybody = (tmp_path / "train.txt").read_text().splitlines()
    assert everybody == train + [f"v_{i}/{k}.jpg {i}" for i in (3, 4) for k in range(2)]


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_impossible_share(tmp_path, share):
    with pytest.raises(ValueError, match="validation"):
        write_reid_lists([["a/0.jpg"]], tmp_path, share)


def test_nobody_left(tmp_path):
    with pytest.raises(ValueError, match="nobody"):
        write_reid_lists([], tmp_path, 0.2)


def test_unreadable_image(mot17, tmp_path):
    (mot17 / "train" / "MOT17-02-FRCNN" / "img1" / "000002.png").write_text("no image")
    with pytest.raises(ValueError, match="000002.png"):
        crop(mot17, tmp_path / "imgs")


def test_script_takes_one_copy_and_keeps_old_files(run_script, mot17, tmp_path):
    assert len(find_sequences(mot17 / "train")) == 2
    out = mot17 / "reid"
    arguments = ("-i", mot17, "-o", out, "--val-split", "0.5", "--min-per-person", "4")
    run_script("tools/convert_datasets/mot/mot2reid.py", *arguments)
    assert sorted(p.name for p in (out / "imgs").iterdir()) == [
        "MOT17-02-FRCNN_000001",
        "MOT17-02-FRCNN_000002",
    ]
    assert (out / "meta" / "train_50.txt").read_text().endswith("_000001/000011.jpg 0\n")
    done = run_script("tools/convert_datasets/mot/mot2reid.py", *arguments, check=False)
    assert done.returncode != 0
    assert "is not empty" in done.stderr
