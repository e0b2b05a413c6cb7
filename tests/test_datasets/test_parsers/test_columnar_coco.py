"""``ColumnarCOCO`` behaves like the ``COCO`` of pycocotools, which is the oracle."""

import contextlib
import copy
import gc
import io
import json
import pickle

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmtrack.datasets.parsers import ColumnarCOCO


def make_data(seed=0, images=12, annotations=40, ids=None):
    rng = np.random.default_rng(seed)
    img_ids = rng.permutation(1000)[:images].tolist()
    ann_ids = rng.permutation(5000)[:annotations].tolist() if ids is None else ids
    data = {
        "info": {"year": 2020},
        "images": [{"id": i, "file_name": f"{i}.jpg", "width": 100, "height": 80} for i in img_ids],
        "annotations": [],
        "categories": [
            {"id": 3, "name": "b", "supercategory": "x"},
            {"id": 1, "name": "a", "supercategory": "y"},
        ],
    }
    for ann_id in ann_ids:
        box = [round(float(v), 2) for v in rng.uniform(1, 40, 4)]
        data["annotations"].append(
            {
                "id": ann_id,
                "image_id": int(rng.choice(img_ids[:-2])),
                "bbox": box,
                "category_id": int(rng.choice([1, 3])),
                "area": box[2] * box[3],
                "iscrowd": int(rng.uniform() < 0.2),
                "extra": {"n": [1, "}"]},
            }
        )
    return data


@pytest.fixture
def silent():
    with contextlib.redirect_stdout(io.StringIO()):
        yield


@pytest.fixture
def pair(tmp_path, silent):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(make_data()))
    return ColumnarCOCO(path), COCO(str(path))


def test_mappings_equal_those_of_pycocotools(pair):
    ours, oracle = pair
    for name in ("imgs", "anns", "cats", "imgToAnns", "catToImgs"):
        found, expected = getattr(ours, name), getattr(oracle, name)
        assert list(found) == list(expected), name
        assert list(found.values()) == list(expected.values())
        assert list(found.items()) == list(expected.items())
        assert len(found) == len(expected)
        for key in expected:
            assert key in found
            assert found[key] == expected[key]
        assert dict(found) == expected
    assert ours.img_ann_map == oracle.imgToAnns
    assert ours.cat_img_map == oracle.catToImgs


def test_missing_keys(pair):
    ours, oracle = pair
    assert 10**6 not in ours.imgs
    assert "x" not in ours.anns
    assert ours.imgs.get(10**6) is None
    with pytest.raises(KeyError):
        ours.imgs[10**6]
    with pytest.raises(KeyError):
        ours.loadAnns([10**6])
    empty = next(i for i in oracle.imgs if i not in oracle.imgToAnns)
    assert empty not in ours.imgToAnns
    assert ours.imgToAnns.get(empty) is None
    assert ours.imgToAnns[empty] == []  # as a defaultdict does
    assert empty in ours.imgToAnns


@pytest.mark.parametrize("pristine", [True, False])
def test_queries_equal_those_of_pycocotools(pair, pristine):
    ours, oracle = pair
    if not pristine:
        assert ours.dataset["annotations"] == oracle.dataset["annotations"]
    some = list(oracle.imgs)[:5]
    queries = [
        {},
        {"imgIds": some},
        {"imgIds": some[0]},
        {"catIds": [1]},
        {"catIds": 3},
        {"imgIds": some, "catIds": [3]},
        {"areaRng": [100, 500]},
        {"iscrowd": 1},
        {"imgIds": some, "areaRng": [0, 300], "iscrowd": False},
        {"imgIds": [10**6]},
        {"imgIds": set(some[:1])},
        {"imgIds": np.array(some)},
    ]
    for query in queries:
        assert ours.getAnnIds(**query) == oracle.getAnnIds(**query), query
    for query in ({}, {"imgIds": some}, {"catIds": [1]}, {"catIds": [1, 3]}):
        assert sorted(ours.getImgIds(**query)) == sorted(oracle.getImgIds(**query))
    assert ours.getImgIds() == oracle.getImgIds()
    assert ours.getCatIds(catNms=["a"]) == oracle.getCatIds(catNms=["a"]) == [1]
    assert ours.getCatIds(supNms=["x"]) == [3]
    ids = oracle.getAnnIds()[3:9]
    assert ours.loadAnns(ids) == oracle.loadAnns(ids)
    assert ours.loadAnns(ids[0]) == oracle.loadAnns(ids[0])
    assert ours.loadImgs(some) == oracle.loadImgs(some)
    assert ours.loadCats([1]) == oracle.loadCats([1])
    assert ours.get_ann_ids(img_ids=some) == oracle.getAnnIds(imgIds=some)


def test_dataset_is_a_plain_dict_to_its_users(pair):
    ours, oracle = pair
    assert "annotations" in ours.dataset
    assert set(ours.dataset) == set(oracle.dataset)
    assert json.loads(json.dumps(ours.dataset)) == oracle.dataset
    assert ours.dataset == oracle.dataset
    assert type(ours.dataset["images"]) is list
    assert ours.dataset.get("nothing", 5) == 5


def test_changed_objects_stay_changed(pair):
    ours, oracle = pair
    for coco in pair:
        ids = list(coco.anns)
        coco.anns[ids[0]]["ignore"] = 1
        coco.loadAnns([ids[1]])[0].update(score=0.5)
        coco.imgToAnns[coco.anns[ids[2]]["image_id"]][0].pop("extra")
        coco.imgs[list(coco.imgs)[1]].setdefault("new", "value")
    assert dict(ours.anns) == oracle.anns
    assert list(ours.anns.values()) == list(oracle.anns.values())
    assert dict(ours.imgs) == oracle.imgs
    assert ours.dataset == oracle.dataset  # also after the lists are made
    for coco in pair:
        coco.dataset["annotations"][5]["area"] = -1.0
    assert dict(ours.anns) == oracle.anns
    assert ours.getAnnIds(areaRng=[-2, 0]) == oracle.getAnnIds(areaRng=[-2, 0])


def test_an_object_held_before_the_list_was_made_still_counts(pair):
    ours, _ = pair
    key = list(ours.anns)[4]
    held = ours.anns[key]
    listed = ours.dataset["annotations"]
    held["score"] = 1
    assert ours.anns[key]["score"] == 1
    assert listed[4]["score"] == 1


def test_ids_can_be_added_and_removed(pair):
    for coco in pair:
        coco.imgs[77777] = {"id": 77777}
        del coco.imgs[list(coco.imgs)[0]]
        coco.catToImgs[9] = [1]
    ours, oracle = pair
    assert dict(ours.imgs) == oracle.imgs
    assert list(ours.imgs) == list(oracle.imgs)
    assert dict(ours.catToImgs) == oracle.catToImgs


def test_create_index_after_a_change_of_the_dataset(pair):
    for coco in pair:
        coco.dataset["annotations"] = coco.dataset["annotations"][::2]
        coco.dataset["images"].append({"id": 99999, "file_name": "n", "width": 1, "height": 1})
        coco.createIndex()
    ours, oracle = pair
    assert dict(ours.anns) == oracle.anns
    assert dict(ours.imgToAnns) == oracle.imgToAnns
    assert list(ours.imgs) == list(oracle.imgs)


def test_create_index_of_a_dataset_made_by_hand(silent):
    data = make_data(3)
    ours, oracle = ColumnarCOCO(), COCO()
    for coco in (ours, oracle):
        coco.dataset = copy.deepcopy(data)
        coco.createIndex()
    assert dict(ours.anns) == oracle.anns
    key = list(ours.anns)[0]
    assert ours.anns[key] is ours.dataset["annotations"][0]
    assert ours.getAnnIds(catIds=[1]) == oracle.getAnnIds(catIds=[1])


def test_repeated_ids_as_in_a_dict(silent, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(make_data(ids=[5, 2, 5, 9, 2, 7])))
    ours, oracle = ColumnarCOCO(path), COCO(str(path))
    assert list(ours.anns.items()) == list(oracle.anns.items())
    assert len(ours.anns) == 4
    assert ours.anns[5] == oracle.anns[5]


def test_empty_lists(silent, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"images": [], "annotations": [], "categories": []}))
    coco = ColumnarCOCO(path)
    assert len(coco.imgs) == len(coco.anns) == len(coco.imgToAnns) == 0
    assert coco.getAnnIds(imgIds=[1]) == coco.getImgIds() == coco.loadAnns([]) == []
    path.write_text(json.dumps({"images": [{"id": 1}], "categories": []}))
    assert ColumnarCOCO(path).getAnnIds(imgIds=[1]) == []


@pytest.mark.parametrize("how", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_copies_are_equal_and_independent(pair, how):
    ours, oracle = pair
    first = list(ours.anns)[0]
    ours.anns[first]["note"] = "kept"
    other = how(ours)
    assert other.anns[first]["note"] == "kept"
    other.anns[first]["note"] = "changed"
    assert ours.anns[first]["note"] == "kept"
    assert other.getAnnIds(catIds=[1]) == oracle.getAnnIds(catIds=[1])


@pytest.mark.parametrize("iou_type", ["bbox", "segm"])
def test_cocoeval_gives_the_same_numbers(pair, iou_type):
    rng = np.random.default_rng(1)
    results = []
    for ann in pair[1].dataset["annotations"]:
        x, y, w, h = np.array(ann["bbox"]) + rng.normal(0, 3, 4)
        w, h = max(w, 1), max(h, 1)
        polygon = [[x, y, x + w, y, x + w, y + h, x, y + h]]
        result = {
            "image_id": ann["image_id"],
            "category_id": ann["category_id"],
            "score": float(rng.uniform()),
            "bbox": [x, y, w, h],
            "segmentation": polygon,
        }
        results.append(result)
    stats = []
    for coco in pair:
        for ann in coco.dataset["annotations"]:
            x, y, w, h = ann["bbox"]
            ann["segmentation"] = [[x, y, x + w, y, x + w, y + h, x, y + h]]
        evaluation = COCOeval(coco, coco.loadRes(copy.deepcopy(results)), iou_type)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        stats.append(evaluation.stats)
    np.testing.assert_array_equal(stats[0], stats[1])
    assert stats[0][0] > 0.05


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["images"][2].pop("id"), r"1 of 12 images have no 'id' .*images\[2\]"),
        (lambda d: d["annotations"][3].pop("image_id"), r"annotations have no 'image_id'"),
        (lambda d: d["annotations"][0].pop("category_id"), r"no 'category_id'"),
        (lambda d: d["categories"][1].pop("name"), r"categories\[1\].* has no 'name'"),
        (lambda d: d["images"][0].update(id="a"), r"'id' of images must be integers"),
    ],
)
def test_missing_fields_are_named(tmp_path, change, message):
    data = make_data()
    change(data)
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match="broken.json: .*" + message):
        ColumnarCOCO(path)


def test_garbage_collection_goes_on_after_reading(tmp_path):
    path = tmp_path / "cut.json"
    path.write_text(json.dumps(make_data()))
    ColumnarCOCO(path)
    assert gc.isenabled()
    path.write_text("{")
    with pytest.raises(ValueError, match="not a valid annotation file"):
        ColumnarCOCO(path)
    assert gc.isenabled()


def test_missing_and_broken_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="no annotation file .*nothing.json.*ann_file"):
        ColumnarCOCO(tmp_path / "nothing.json")
    path = tmp_path / "cut.json"
    path.write_text(json.dumps(make_data())[:500])
    with pytest.raises(ValueError, match="cut.json is not a valid annotation file: .*at byte"):
        ColumnarCOCO(path)
    path.write_text('{"images": {"id": 1}}')
    with pytest.raises(ValueError, match="'images' must be a list of objects"):
        ColumnarCOCO(path)
    with pytest.raises(ValueError, match="remote://x/cut.json is not a valid"):
        ColumnarCOCO(path, name="remote://x/cut.json")


def test_boxes_and_flags(tmp_path):
    data = make_data()
    for i, ann in enumerate(data["annotations"]):
        ann.update({"odd": bool(i % 2)} if i % 3 else {})
        ann["word"] = "x"
    path = tmp_path / "a.json"
    path.write_text(json.dumps(data))
    coco = ColumnarCOCO(path)
    boxes = coco.boxes()
    assert boxes.dtype == np.float64
    np.testing.assert_array_equal(boxes, [ann["bbox"] for ann in data["annotations"]])
    for field in ("iscrowd", "odd", "nowhere"):
        expected = [bool(ann.get(field, False)) for ann in data["annotations"]]
        assert coco.flags("annotations", field).tolist() == expected
    with pytest.raises(ValueError, match="'word' of annotations must be true, false, 0 or 1"):
        coco.flags("annotations", "word")


@pytest.mark.parametrize("box", [[1, 2, 3], None, "1,2,3,4"])
def test_boxes_of_other_lengths(tmp_path, box):
    data = make_data()
    data["annotations"][3]["bbox"] = box
    path = tmp_path / "a.json"
    path.write_text(json.dumps(data))
    name = f"bbox of annotation {data['annotations'][3]['id']} is "
    with pytest.raises(ValueError, match=name):
        ColumnarCOCO(path).boxes()


def test_a_nested_value_that_is_no_text_is_found_at_the_opening(tmp_path):
    path = tmp_path / "broken.json"
    image = b'{"id": 1, "file_name": "a.jpg", "height": 2, "width": 2, "notes": {"by": "\xff"}}'
    path.write_bytes(b'{"images": [' + image + b'], "annotations": [], "categories": []}')
    with pytest.raises(ValueError, match=r"broken\.json.*0xff"):
        ColumnarCOCO(str(path))
