"""ReIDDataset: lists, triplets, scores against brute force."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from mmtrack.datasets import ReIDDataset, build_dataloader, build_dataset

NORM = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "to_rgb": True}
TRAIN = [
    {"type": "LoadMultiImagesFromFile", "to_float32": True},
    {"type": "SeqResize", "img_scale": (16, 32), "share_params": False, "keep_ratio": False},
    {"type": "SeqRandomFlip", "share_params": False, "flip_ratio": 0.5},
    {"type": "SeqNormalize", **NORM},
    {"type": "VideoCollect", "keys": ["img", "gt_label"]},
    {"type": "ReIDFormatBundle"},
]
TEST = [
    {"type": "LoadImageFromFile"},
    {"type": "Resize", "img_scale": (16, 32), "keep_ratio": False},
    {"type": "Normalize", **NORM},
    {"type": "ImageToTensor", "keys": ["img"]},
    {"type": "Collect", "keys": ["img"], "meta_keys": []},
]
# identities with holes: 3 and 7 and 20
LABELS = [7, 3, 3, 20, 7, 7, 3, 20]


def write_list(folder, labels=LABELS, images=False):
    lines = []
    for i, label in enumerate(labels):
        name = f"id {label}/{i:06d}.png"  # the folder has a blank
        lines.append(f"{name} {label}")
        if images:
            (folder / f"id {label}").mkdir(exist_ok=True)
            img = np.full((24 + i, 12, 3), 10 * i, np.uint8)
            cv2.imwrite(str(folder / name), img)
    (folder / "list.txt").write_text("\n".join(lines) + "\n")
    return str(folder / "list.txt")


def open_set(folder, pipeline=(), triplet=None, **kwargs):
    return ReIDDataset(
        list(pipeline),
        triplet,
        data_prefix=str(folder),
        ann_file=str(folder / "list.txt"),
        **kwargs,
    )


def test_list(tmp_path):
    write_list(tmp_path)
    found = open_set(tmp_path)
    infos = found.load_annotations()
    assert [int(info["gt_label"]) for info in infos] == LABELS
    assert infos[2] == {
        "img_prefix": str(tmp_path),
        "gt_label": np.array(3),
        "img_info": {"filename": "id 3/000002.png"},
    }
    assert infos[0]["gt_label"].dtype == np.int64
    assert infos[0]["gt_label"].shape == ()
    assert len(found) == len(found.flag) == 8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.jpg 1\nb.jpg\n", "line 2: 'b.jpg'"),
        ("a.jpg one\n", "line 1"),
        ("a.jpg -1\n", "line 1"),
        ("\n\n", "is empty"),
    ],
)
def test_bad_lists_are_named(tmp_path, text, message):
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        open_set(tmp_path)
    assert "list.txt" in str(error.value)


def test_missing_list(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"list\.txt does not exist.*mot2reid"):
        open_set(tmp_path)


def test_triplets_are_grouped_by_identity(tmp_path):
    write_list(tmp_path)
    found = open_set(tmp_path, triplet={"num_ids": 3, "ins_per_id": 5})
    seen = set()
    for seed in range(20):
        np.random.seed(seed)
        sample = found[seed % 8]
        labels = np.array([info["gt_label"] for info in sample]).reshape(3, 5)
        assert (labels == labels[:, :1]).all()
        assert labels[0, 0] == LABELS[seed % 8]
        assert sorted(labels[:, 0]) == [3, 7, 20]
        for info in sample:  # each image belongs to the identity it stands for
            assert info["img_info"]["filename"].startswith(f"id {int(info['gt_label'])}/")
        seen.add(tuple(labels[:, 0]))
    assert len(seen) > 3


def test_identities_are_found_by_any_caller(tmp_path):
    write_list(tmp_path)
    found = open_set(tmp_path)
    sample = found.triplet_sampling(np.array(20), num_ids=2, ins_per_id=4)
    assert [int(info["gt_label"]) for info in sample[:4]] == [20] * 4
    assert len(sample) == 8


def test_more_identities_than_there_are(tmp_path):
    write_list(tmp_path)
    with pytest.raises(ValueError, match=r"list\.txt has 3 identities.* num_ids=8"):
        open_set(tmp_path, triplet={"num_ids": 8, "ins_per_id": 4})


def test_test_mode_has_single_images(tmp_path):
    write_list(tmp_path)
    found = open_set(tmp_path, triplet={"num_ids": 2, "ins_per_id": 2}, test_mode=True)
    assert found[3]["img_info"]["filename"] == "id 20/000003.png"


def test_batches_for_training_and_testing(tmp_path):
    write_list(tmp_path, images=True)
    cfg = {
        "type": "ReIDDataset",
        "data_prefix": str(tmp_path),
        "ann_file": str(tmp_path / "list.txt"),
    }
    train = build_dataset(
        {**cfg, "pipeline": TRAIN, "triplet_sampler": {"num_ids": 3, "ins_per_id": 4}}
    )
    loader = build_dataloader(train, samples_per_gpu=2, workers_per_gpu=0, dist=False, seed=0)
    batch = next(iter(loader))
    assert batch["img"].data[0].shape == (2, 12, 3, 32, 16)
    assert batch["img"].data[0].dtype == torch.float32
    assert batch["gt_label"].data[0].shape == (2, 12)
    test = build_dataset({**cfg, "pipeline": TEST}, {"test_mode": True})
    loader = build_dataloader(test, samples_per_gpu=1, workers_per_gpu=0, dist=False, shuffle=False)
    batches = list(loader)
    assert len(batches) == 8
    assert batches[0]["img"].shape == (1, 3, 32, 16)
    grey = (
        batches[5]["img"][0] * torch.tensor(NORM["std"])[:, None, None]
        + torch.tensor(NORM["mean"])[:, None, None]
    )
    np.testing.assert_allclose(grey, 50, atol=1e-3)


def brute_force(embeds, labels, ranks):
    """Average precision and CMC by loops."""
    precisions, hits = [], {rank: [] for rank in ranks}
    for i, (embed, label) in enumerate(zip(embeds, labels, strict=True)):
        order = sorted((float(((embed - other) ** 2).sum()), j) for j, other in enumerate(embeds))
        found = [labels[j] == label for _, j in order if j != i]
        at = [rank for rank, hit in enumerate(found, 1) if hit]
        if not at:
            continue
        precisions.append(np.mean([(n + 1) / rank for n, rank in enumerate(at)]))
        for rank in ranks:
            hits[rank].append(at[0] <= rank)
    return {"mAP": np.mean(precisions), **{f"R{r}": np.mean(hits[r]) for r in ranks}}


@pytest.mark.parametrize("shape", [(-1,), (1, -1)], ids=["vectors", "rows"])
def test_scores(tmp_path, shape):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 6, 30) * 3
    write_list(tmp_path, labels)
    embeds = rng.normal(size=(30, 8)) + 0.5 * labels[:, None]
    results = [torch.tensor(row).reshape(shape) for row in embeds]
    options = {"rank_list": [1, 3], "max_rank": 5}
    scores = open_set(tmp_path).evaluate(results, ["mAP", "CMC"], options)
    expected = brute_force(embeds.astype(np.float32), labels, [1, 3])
    assert list(scores) == ["mAP", "R1", "R3"]
    for key, value in expected.items():
        assert scores[key] == pytest.approx(value, abs=5.1e-4), key
        assert scores[key] == round(scores[key], 3)
    assert list(open_set(tmp_path).evaluate(results)) == ["mAP"]


def test_evaluation_that_cannot_be(tmp_path):
    write_list(tmp_path)
    found = open_set(tmp_path)
    results = [torch.zeros(4)] * 8
    with pytest.raises(ValueError, match="does not know 'top5': metrics are mAP, CMC"):
        found.evaluate(results, "top5")
    with pytest.raises(ValueError, match="does not know 'ranks'"):
        found.evaluate(results, metric_options={"ranks": [1]})
    with pytest.raises(ValueError, match=r"7 embeddings for 8 images of .*list\.txt"):
        found.evaluate(results[:-1])
