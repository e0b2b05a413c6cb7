"""The Python blocks of the documents run, and the parts they define do what the pages say.

Blocks that begin with the name of a file, ``# my_project/x.py``, become that file; those that are
configs are loaded, and their models built where a check below says so. All others are executed
page by page, one after the other. What the parts of the pages on single-object tracking and
instance segmentation do is tested beside those models (``test_customised_*.py``).
"""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import doc_blocks
import mmcv
import numpy as np
import pytest
import torch
from mmcv import Config
from mmcv.cnn import MODELS as MMCV_MODELS
from mmcv.runner import HOOKS
from mmcv.runner.optimizer import OPTIMIZER_BUILDERS, OPTIMIZERS
from mmdet.datasets.builder import DATASETS, PIPELINES
from mmdet.models.builder import MODELS as MMDET_MODELS
from tiny_project import make_project, save_random_weights

from mmtrack.models import (
    MODELS,
    build_aggregator,
    build_model,
    build_motion,
    build_reid,
    build_tracker,
)
from mmtrack.models.builder import build_part

ROOT = Path(__file__).resolve().parents[2]
REGISTRIES = (
    MODELS, MMDET_MODELS, MMCV_MODELS, HOOKS, OPTIMIZERS, OPTIMIZER_BUILDERS, DATASETS, PIPELINES,
)  # fmt: skip
PAGES = [
    path
    for path in doc_blocks.documents(ROOT)
    if any(block.language == "python" for block in doc_blocks.blocks(path))
]
# The parts of a config that pages speak of without saying them again.
GIVEN = """
img_norm_cfg = dict(mean=[0.0, 0.0, 0.0], std=[1.0, 1.0, 1.0], to_rgb=True)
train_pipeline = [dict(type="LoadMultiImagesFromFile")]
test_pipeline = [dict(type="LoadImageFromFile")]
video_dataset = dict(type="CocoVideoDataset", ann_file="data/train.json", img_prefix="data",
                     pipeline=train_pipeline)
image_dataset = dict(video_dataset, load_as_video=False)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A scratch folder with configs, a small tracker with weights, and a video."""
    folder = make_project(tmp_path_factory.mktemp("examples"))
    (folder / "configs").symlink_to(ROOT / "configs")
    (folder / "tracker.py").rename(folder / "CONFIG.py")
    save_random_weights(folder / "CONFIG.py", folder / "FILE.pth")
    mmcv.frames2video(str(folder / "data/train/video_1"), str(folder / "street.mp4"),
                      filename_tmpl="{:06d}.png", start=1, show_progress=False)  # fmt: skip
    return folder


@pytest.fixture
def page(project, monkeypatch):
    """Execute the blocks of a page; returns what its plain blocks define."""
    monkeypatch.chdir(project)
    monkeypatch.syspath_prepend(str(project))
    before = [dict(registry.module_dict) for registry in REGISTRIES]
    yield lambda name: execute(ROOT / name, project)
    for registry, known in zip(REGISTRIES, before, strict=True):
        registry._module_dict.clear()
        registry._module_dict.update(known)
    for name in [name for name in sys.modules if name.split(".")[0] == "my_project"]:
        del sys.modules[name]


def execute(path: Path, project: Path) -> dict:
    """Write the files of a page, import modules, load configs, run everything else."""
    scope = {"__name__": "example"}
    exec(GIVEN, scope)
    scope.update(
        config="CONFIG.py", checkpoint="FILE.pth",
        frames=[np.zeros((64, 96, 3), np.uint8)] * 2, init_bbox=[5, 5, 30, 30], torch=torch,
        tracker=build_tracker(dict(type="SortTracker", reid=None)),
    )  # fmt: skip
    for block in doc_blocks.blocks(path):
        if block.language != "python" or {"excerpt", "config"} & set(block.marker):
            continue
        name = file_of(block)
        if name is None:
            exec(compile(block.text, str(block), "exec"), scope)
            continue
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(block.text)
        if is_config(block.text):
            scope[Path(name).stem] = Config.fromfile(str(project / name))
        else:
            importlib.invalidate_caches()
            scope[Path(name).stem] = importlib.import_module(name[:-3].replace("/", "."))
    return scope


def file_of(block: doc_blocks.Block) -> str | None:
    """Name of the file in the first line of a block."""
    first = block.text.partition("\n")[0]
    is_file = first.startswith("# my_project/") and first.endswith(".py")
    return first[2:] if is_file else None


def is_config(text: str) -> bool:
    """Whether a file assigns dictionaries and does nothing else."""
    return all(isinstance(node, ast.Assign) for node in ast.parse(text).body)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_run(path, page):
    page(path.relative_to(ROOT))


def differences(part, whole, path=""):
    """Where values of a nested config differ from those of another that has more."""
    if isinstance(part, dict) and isinstance(whole, dict):
        missing = [f"{path}.{key} is not there" for key in part if key not in whole]
        shared = [key for key in part if key in whole]
        return missing + [d for k in shared for d in differences(part[k], whole[k], f"{path}.{k}")]
    if isinstance(part, (list, tuple)) and isinstance(whole, (list, tuple)):
        if len(part) != len(whole):
            return [f"{path} has {len(part)} entries, not {len(whole)}"]
        pairs = enumerate(zip(part, whole, strict=True))
        return [d for i, (a, b) in pairs for d in differences(a, b, f"{path}[{i}]")]
    return [] if part == whole else [f"{path}: {part!r} is {whole!r}"]


@pytest.mark.parametrize(
    "block", [b for p in PAGES for b in doc_blocks.blocks(p) if "config" in b.marker], ids=str
)
def test_explained_configs_are_those_of_the_files(block):
    explained = {}
    exec(block.text, explained)
    del explained["__builtins__"]
    cfg = Config.fromfile(str(ROOT / block.marker["config"]))
    assert differences(explained, cfg._cfg_dict.to_dict()) == []


def test_tracker_of_the_page_follows_the_nearest_box(page):
    cfg = page("docs/en/tutorials/customize_mot_model.md")["nearest_config"]
    tracker = build_tracker(cfg.model.tracker)
    first = torch.tensor([[0, 0, 10, 10, 0.9], [100, 0, 110, 10, 0.9]])
    labels = torch.zeros(2, dtype=torch.long)
    _, _, ids = tracker.track(None, None, None, first, labels, frame_id=0)
    assert ids.tolist() == [0, 1]
    moved = torch.tensor([[104, 0, 114, 10, 0.9], [3, 0, 13, 10, 0.9], [300, 0, 310, 10, 0.9]])
    _, _, ids = tracker.track(None, None, None, moved, torch.zeros(3, dtype=torch.long), frame_id=1)
    assert ids.tolist() == [1, 0, 2]


def test_motion_model_of_the_page_slows_down(page):
    cfg = page("docs/en/tutorials/customize_mot_model.md")["damped_config"]
    motion = build_motion(cfg.model.motion)
    means, covs = motion.initiate_all(np.array([[50.0, 50.0, 0.5, 40.0]]))
    means[0, 4] = 10.0
    moved, _ = motion.predict_all(means, covs)
    assert moved[0, 0] == pytest.approx(60)
    assert moved[0, 4] == pytest.approx(8)


def test_reid_and_detector_of_the_page_are_built(page):
    scope = page("docs/en/tutorials/customize_mot_model.md")
    reid = build_reid(scope["color_config"].model.reid)
    assert reid.simple_test(torch.full((2, 3, 8, 4), 0.5)).tolist() == [[0.5] * 3] * 2
    assert reid.simple_test(torch.zeros(0, 3, 8, 4)).shape == (0, 3)
    detector = build_model(scope["retina_config"].model).detector.eval()
    frame = torch.zeros(1, 3, 64, 64)
    metas = [dict(img_shape=(64, 64, 3), scale_factor=np.ones(4))]
    with torch.no_grad():
        assert len(detector.simple_test(frame, metas)[0]) == 1  # one class


def test_embed_head_of_the_page_is_built(page):
    cfg = page("docs/en/tutorials/customize_mot_model.md")["linear_config"]
    head = MMDET_MODELS.build(cfg.model.track_head.embed_head)
    assert head(torch.ones(3, 256, 7, 7)).shape == (3, 64)


def test_video_parts_of_the_page_are_built(page):
    scope = page("docs/en/tutorials/customize_vid_model.md")
    cfg = scope["mean_config"].model
    flow = build_motion(cfg.motion)(torch.zeros(2, 6, 32, 48), None)
    assert flow.shape == (2, 2, 32, 48)
    refs = torch.stack([torch.zeros(4, 5, 6), torch.ones(4, 5, 6)])
    assert build_aggregator(cfg.aggregator)(refs[:1], refs).unique().tolist() == [0.5]


def test_loss_of_the_page_counts(page):
    scope = page("docs/en/tutorials/customize_losses.md")
    cfg = scope["losses_config"].model.detector.roi_head.bbox_head.loss_bbox
    loss = MMDET_MODELS.build(cfg)
    pred, target = torch.tensor([[0.0, 3.0]]), torch.zeros(1, 2)
    eps = 1e-3
    expected = (0 + np.sqrt(9 + eps**2) - eps) / 2
    assert float(loss(pred, target)) == pytest.approx(expected, rel=1e-6)
    assert float(loss(pred, target, torch.tensor([[1.0, 0.0]]))) == pytest.approx(0, abs=1e-6)
    cfg = scope["sot_losses_config"].model.head
    assert type(build_part(cfg).loss_bbox).__name__ == "CharbonnierLoss"


def test_optimizers_of_the_page_step(page):
    scope = page("docs/en/tutorials/customize_runtime.md")
    model = torch.nn.Linear(2, 1)
    torch.nn.init.ones_(model.weight)
    build = mmcv.runner.build_optimizer
    optimizer = build(model, scope["sign_config"].optimizer)
    (5 * model.weight.sum()).backward()
    optimizer.step()
    assert model.weight.detach().numpy() == pytest.approx(1 - 1e-4)
    groups = build(model, scope["two_rates_config"].optimizer).param_groups
    assert [(group["lr"], group["params"][0].dim()) for group in groups] == [(0.02, 2), (0.002, 1)]


def test_hook_of_the_page_stops_a_run(page):
    scope = page("docs/en/tutorials/customize_runtime.md")
    (cfg,) = scope["hook_config"].custom_hooks
    cfg.pop("priority")
    hook = mmcv.build_from_cfg(cfg, HOOKS)
    assert hook.interval == 10
    hook.interval = 1
    runner = SimpleNamespace(iter=0, outputs={"loss": torch.tensor(1.0)})
    hook.after_train_iter(runner)
    runner.outputs = {"loss": torch.tensor(float("nan"))}
    with pytest.raises(FloatingPointError, match="iteration 0"):
        hook.after_train_iter(runner)


def test_data_sets_of_the_page_are_read(page, project):
    from mmtrack.datasets import CocoVideoDataset, build_dataset

    scope = page("docs/en/tutorials/customize_dataset.md")
    plain = dict(ref_img_sampler=None, pipeline=[], test_mode=True)
    street = CocoVideoDataset(ann_file="street.json", **plain)
    assert [info["frame_id"] for info in street.data_infos] == [0, 1]
    assert street.get_ann_info(1)["bboxes"].tolist() == [[104, 50, 144, 140]]
    (project / "boxes").mkdir()
    (project / "boxes" / "ball.txt").write_text("1,10,20,30,40\n2,12,20,30,40\n")
    own = build_dataset({**scope["text_config"].data.test, **plain})
    assert own.data_infos[1]["filename"] == "ball/000002.jpg"
    assert own.get_ann_info(1)["bboxes"].tolist() == [[12, 20, 42, 60]]
    assert own.get_ann_info(0)["instance_ids"].tolist() == [1]


def test_wrappers_of_the_page_are_built(page):
    from mmtrack.datasets import build_dataset

    scope = page("docs/en/tutorials/customize_dataset.md")
    length = len(build_dataset(scope["video_dataset"]))
    assert len(build_dataset(scope["everything_twice"])) == 2 * length
    assert len(build_dataset(scope["rare_classes_more"])) == length  # one class, in every image
    assert len(build_dataset(scope["train_by_name"])) == 3 * length
    assert len(build_dataset(scope["train"])) == 3 * length
    assert build_dataset(scope["mixture"]).dataset_sampling_weights == [0.75, 0.25]
