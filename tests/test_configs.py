"""Every config resolves to the documented values, and its model has the documented weights."""

from __future__ import annotations

import csv
import gzip
import json
import re
from functools import cache
from pathlib import Path

import pytest
import torch
import yaml
from mmcv import Config, ConfigDict

from mmtrack.models import build_detector, build_model, build_reid

ROOT = Path(__file__).resolve().parents[1]
ZOO = ROOT.parent / "shared" / "zoo"

# Folders of configs that exist. Those of later parts join as their models do.
BUILT = (
    "det",
    "reid",
    "mot/deepsort",
    "mot/bytetrack",
    "mot/ocsort",
    "mot/tracktor",
    "mot/qdtrack",
    "sot/mixformer",
    "sot/siamese_rpn",
    "sot/stark",
    "vid/dff",
    "vid/fgfa",
    "vid/selsa",
    "vid/temporal_roi_align",
    "vis/masktrack_rcnn",
)

# Values that differ on purpose: the row of DEVIATIONS.md is "config typos". Configs for MOT20 took
# images or annotations of MOT17 for validation. STARK evaluated after its last epoch (never), on a
# split without public boxes, and its second stage loaded a private file.
MOT20_VALIDATION = {
    "data.val.ann_file": "data/MOT20/annotations/train_cocoformat.json",
    "data.val.img_prefix": "data/MOT20/train",
}
STARK_EVALUATION = {
    "data.val.ann_file": "data/got10k/annotations/got10k_val_infos.txt",
    "data.val.split": "val",
}
STARK_STAGE1 = {**STARK_EVALUATION, "evaluation.start": 500}
STARK_STAGE2 = {**STARK_EVALUATION, "evaluation.start": 50, "load_from": None}
GONE = object()
DEVIATIONS = {
    **{
        f"sot/stark/stark_st1_r50_500e_{d}": STARK_STAGE1
        for d in ("got10k", "lasot", "trackingnet")
    },
    **{
        f"sot/stark/stark_st2_r50_50e_{d}": STARK_STAGE2 for d in ("got10k", "lasot", "trackingnet")
    },
    "mot/bytetrack/bytetrack_yolox_x_crowdhuman_mot20-private": MOT20_VALIDATION,
    "mot/ocsort/ocsort_yolox_x_crowdhuman_mot20-private-half": MOT20_VALIDATION,
    "mot/tracktor/tracktor_faster-rcnn_r50_fpn_8e_mot20-public": {
        **MOT20_VALIDATION,
        "data.train.img_prefix": "data/MOT20/train",
    },
    "mot/qdtrack/qdtrack_faster-rcnn_r50_fpn_4e_crowdhuman_mot17-private-half": {
        "data.train.separate_eval": False,
        "data.train.saparate_eval": GONE,
    },
}


def names() -> list[str]:
    """Configs that must exist, as paths below configs without the ending."""
    folder = ZOO / "hyperparameters"
    found = (p.relative_to(folder).with_suffix("").as_posix() for p in folder.rglob("*.json"))
    return sorted(n for n in found if n.startswith(tuple(f"{b}/" for b in BUILT)))


NAMES = names()
every_config = pytest.mark.parametrize("name", NAMES)


@cache
def load(name: str) -> Config:
    return Config.fromfile(str(ROOT / "configs" / f"{name}.py"))


@cache
def facts(file: str) -> dict:
    path = ZOO / file
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as f:
        return json.load(f)


def leaves(node, path=""):
    """Dotted path and value of everything in a config, list positions as numbers."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        here = f"{path}.{key}" if path else str(key)
        if isinstance(value, dict | list | tuple) and value:
            yield here, type(value)
            yield from leaves(value, here)
        else:
            yield here, value


def values(node) -> dict:
    return {k: v for k, v in leaves(node) if not isinstance(v, type)}


def tuples(node) -> set[str]:
    return {k for k, v in leaves(node) if v is tuple}


@pytest.mark.skipif(not ZOO.is_dir(), reason="reference material is not there")
def test_there_are_configs_to_test():
    assert len(NAMES) == 76


@every_config
def test_values_equal_the_documented_ones(name):
    want = values(facts(f"hyperparameters/{name}.json")) | DEVIATIONS.get(name, {})
    want = {k: v for k, v in want.items() if v is not GONE}
    have = values(load(name)._cfg_dict.to_dict())
    problems = [f"missing: {k} = {want[k]!r}" for k in want if k not in have]
    problems += [f"too much: {k} = {have[k]!r}" for k in have if k not in want]
    problems += [
        f"{k} = {have[k]!r}, not {want[k]!r}"
        for k in want
        if k in have
        and (have[k] != want[k] or isinstance(have[k], bool) != isinstance(want[k], bool))
    ]
    assert not problems, "\n".join([f"{name}:", *problems])


@every_config
def test_tuples_are_tuples(name):
    want = set(facts("hyperparameters_tuples.json")[f"{name}.py"])
    have = tuples(load(name)._cfg_dict.to_dict())
    assert have == want, f"{name}: should be tuples {want - have}, should be lists {have - want}"


QDTRACK = "mot/qdtrack/qdtrack_faster-rcnn"
QDTRACK_CROWD = f"{QDTRACK}_r50_fpn_4e_crowdhuman_mot17-private-half"
# Names of the page of QDTrack in MMTracking 1.x.
ALIASES = {
    f"{QDTRACK}_r50_fpn_8xb2-4e_mot17halftrain_test-mot17halfval": (
        f"{QDTRACK}_r50_fpn_4e_mot17-private-half"
    ),
    f"{QDTRACK}_r50_fpn_8xb2-4e_crowdhuman-mot17halftrain_test-mot17halfval": QDTRACK_CROWD,
    f"{QDTRACK}-r50_fpn_8xb2-4e_crowdhuman-mot17halftrain_test-mot17halfval": QDTRACK_CROWD,
    f"{QDTRACK}_r101_fpn_8xb2-24e_lvis_test-tao": f"{QDTRACK}_r101_fpn_24e_lvis",
    f"{QDTRACK}_r101_fpn_8xb2-12e_tao": f"{QDTRACK}_r101_fpn_12e_tao",
}


@pytest.mark.parametrize("alias", ALIASES)
def test_other_names_stand_for_the_same_config(alias):
    assert load(alias)._cfg_dict == load(ALIASES[alias])._cfg_dict


@cache
def built_weights(model: str, part: str) -> dict[str, list[int]]:
    """Keys and shapes of the weights of a config of a model, without memory for them."""
    cfg = ConfigDict(json.loads(model))
    with torch.device("meta"):
        if part == "det":
            found = build_detector(cfg.detector)
        elif part == "reid":
            found = build_reid(cfg.reid)
        else:
            found = build_model(cfg)
    state = found.state_dict()
    dtypes = {k: str(v.dtype).removeprefix("torch.") for k, v in state.items()}
    assert {d for k, d in dtypes.items() if k.endswith("num_batches_tracked")} <= {"int64"}
    assert {d for k, d in dtypes.items() if not k.endswith("num_batches_tracked")} == {"float32"}
    return {k: list(v.shape) for k, v in state.items()}


@every_config
def test_weights_have_the_documented_keys_and_shapes(name):
    zoo = facts("state_dicts.json.gz")
    want = zoo["models"][zoo["configs"][f"{name}.py"]]
    model = json.dumps(load(name).model.to_dict(), sort_keys=True)
    have = built_weights(model, name.split("/")[0])
    assert sorted(set(want) ^ set(have)) == []
    assert {k: s for k, s in have.items() if s != want[k]} == {}
    assert list(have) == list(want), "the order of the weights differs"


@pytest.mark.skipif(not ZOO.is_dir(), reason="reference material is not there")
def test_training_of_mixformer_ends_with_the_published_weights():
    """Its configs are ours. The first stage has all but the score, the second everything."""
    zoo = facts("state_dicts.json.gz")
    want = zoo["models"][zoo["configs"]["sot/mixformer/mixformer_cvt_500e_got10k.py"]]
    first, second = (
        built_weights(json.dumps(load(f"sot/mixformer/mixformer_{name}").model.to_dict()), "sot")
        for name in ("st1_cvt_500e_got10k", "st2_cvt_40e_got10k")
    )
    assert second == want
    assert first == {k: s for k, s in want.items() if "score_decoder_head" not in k}


@pytest.mark.skipif(not ZOO.is_dir(), reason="reference material is not there")
def test_no_config_is_a_copy_of_another():
    """A leaf that changes nothing against another one would be a copy."""
    texts = {}
    for name in NAMES:
        text = (ROOT / "configs" / f"{name}.py").read_text()
        assert text not in texts, f"{name} is a copy of {texts[text]}"
        texts[text] = name


METHODS = sorted((ROOT / "configs").glob("*/**/README.md"))


@pytest.mark.parametrize("readme", METHODS, ids=[m.parent.name for m in METHODS])
def test_method_has_a_page_with_its_configs(readme):
    text = readme.read_text()
    for config in readme.parent.glob("*.py"):
        assert f"(./{config.name})" in text, f"{readme} does not list {config.name}"
    for link in re.findall(r"\]\((\.[^)]*)\)", text):
        assert (readme.parent / link).is_file(), f"{readme} points to {link}"


@pytest.mark.skipif(not ZOO.is_dir(), reason="reference material is not there")
@pytest.mark.parametrize("folder", [b for b in BUILT if "/" in b])
def test_metafile_has_the_published_numbers(folder):
    with (ZOO / "checkpoints.csv").open() as f:
        rows = [row for row in csv.DictReader(f) if row["config"].startswith(f"{folder}/")]
    found = yaml.safe_load((ROOT / "configs" / folder / "metafile.yml").read_text())["Models"]
    want = {
        f"configs/{row['config']}": (json.loads(row["metrics"]), row["weights_url"].split(";"))
        for row in rows
    }
    have = {m["Config"]: (m["Results"][0]["Metrics"], m["Weights"]) for m in found}
    assert have == want
    page = (ROOT / "configs" / folder / "README.md").read_text()
    for metrics, weights in want.values():
        assert all(f"| {value} |" in page for value in metrics.values())
        assert all(address in page for address in weights)
