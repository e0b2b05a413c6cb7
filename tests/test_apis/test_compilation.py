"""--compile: which parts are compiled, when, and with what results."""

from __future__ import annotations

import json

import cv2
import mmcv
import numpy as np
import pytest
import tiny_mixformer
import tiny_sot
import tiny_video_detectors
import torch

from mmtrack.apis import inference_mot, init_model
from mmtrack.apis.compilation import compile_parts, require_compiler
from mmtrack.apis.environment import prepare_for_inference
from mmtrack.models import build_model


@pytest.fixture(autouse=True)
def fresh_compiler():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.fixture
def graphs():
    """Graphs that reached the back end; it runs them as they are."""
    return []


@pytest.fixture
def backend(graphs):
    def collect(graph, inputs):
        graphs.append(graph)
        return graph.forward

    return collect


def model_of(tiny):
    return init_model(str(tiny / "tracker.py"), str(tiny / "tracker.pth"), device="cpu")


def frames(tiny, count=3):
    paths = sorted((tiny / "data" / "test" / "video_1").glob("*.png"))[:count]
    return [cv2.imread(str(path)) for path in paths]


def track(model, images):
    return [inference_mot(model, image, i)["track_bboxes"][0] for i, image in enumerate(images)]


class Backbone(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        return (self.conv(x).relu(),)


class Head(Backbone):
    def forward(self, x):  # of its own: the compiler keeps graphs by the code they come from
        return (self.conv(x).sigmoid(),)


class Detector(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone, self.bbox_head, self.tracker = Backbone(), Head(), Head()

    def forward(self, x):
        features = self.backbone(x)[0]
        scores = self.bbox_head.forward(features)[0]  # as mmdet calls its heads
        return self.tracker(scores)[0]


def test_networks_are_compiled_once_per_size(graphs, backend):
    torch.manual_seed(0)
    model = Detector().eval()
    keys = list(model.state_dict())
    image, tall = torch.randn(1, 3, 8, 12), torch.randn(1, 3, 12, 8)
    with torch.no_grad():
        expected, expected_tall = model(image), model(tall)
        assert compile_parts(model, backend=backend) == ["backbone", "bbox_head"]
        for _ in range(2):
            torch.testing.assert_close(model(image), expected)
        assert len(graphs) == 2, "each part once"
        torch.testing.assert_close(model(tall), expected_tall)
        assert len(graphs) == 4, "each part for another size"
    assert list(model.state_dict()) == keys


def test_outer_part_includes_inner_ones(backend):
    model = torch.nn.Module()
    model.head = torch.nn.Module()
    model.head.bbox_head = torch.nn.Linear(2, 2)
    assert compile_parts(model, backend=backend) == ["head"]


@pytest.mark.slow
def test_networks_with_other_methods_than_forward(graphs, backend):
    """Frames of MixFormer run the search region alone, and templates when they change."""
    model = tiny_mixformer.build()
    make = torch.Generator().manual_seed(0)
    templates = torch.randn(3, 3, 32, 32, generator=make)
    search = torch.randn(1, 3, 64, 64, generator=make)

    def frame(online):
        model.set_online(templates[:1], online)
        return model.head(*model.backbone.forward_test(search))

    with torch.no_grad():
        expected, grown = frame(templates[1:2]), frame(templates[1:])
        assert compile_parts(model, backend=backend) == ["backbone", "head"]
        for _ in range(2):
            torch.testing.assert_close(frame(templates[1:2]), expected)
        assert len(graphs) == 3, "templates, search region and head, each once"
        torch.testing.assert_close(frame(templates[1:]), grown)
        assert len(graphs) == 5, "once more for any number of templates"
        frame(templates[[1, 2, 1, 2]])
        assert len(graphs) == 5


def test_missing_compiler_is_named(monkeypatch):
    from torch._inductor import config

    monkeypatch.setattr(config.cpp, "cxx", ("no-such-compiler",))
    monkeypatch.setattr(config, "force_disable_caches", True)
    with pytest.raises(OSError, match="torch.compile does not work here .*apt install g\\+\\+"):
        require_compiler(torch.device("cpu"))


@pytest.mark.slow
def test_compiled_tracker_gives_the_same_tracks(tiny):
    images, device = frames(tiny), torch.device("cpu")
    expected = track(prepare_for_inference(model_of(tiny), device), images)
    assert sum(map(len, expected)) > 0
    model = prepare_for_inference(model_of(tiny), device, compiled=True)
    for got, wanted in zip(track(model, images), expected, strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-3)


@pytest.mark.slow
def test_compiled_bfloat16_answers_in_the_same_places(tiny):
    """Rounding exchanges boxes of almost equal score, so they are compared by place."""

    def boxes(**options):
        options.update(bf16=True, channels_last=True)
        model = prepare_for_inference(model_of(tiny), torch.device("cpu"), **options)
        found = inference_mot(model, frames(tiny, 1)[0], 0)["det_bboxes"][0][:, :4]
        return found[np.lexsort(found.round().T)]

    plain = boxes()
    assert len(plain) > 5
    np.testing.assert_allclose(boxes(compiled=True), plain, atol=0.5)


def follow(model, images):
    """Boxes of a target that is given in the first image."""
    given = [torch.tensor([[20.0, 15.0, 60.0, 50.0]])]
    metas = [{"frame_id": i, "img_shape": image.shape[2:]} for i, image in enumerate(images)]
    with torch.no_grad():
        found = [model.simple_test(x, [m], given) for x, m in zip(images, metas, strict=True)]
    return np.concatenate([frame["track_bboxes"] for frame in found])


def detect(model, images):
    """Boxes of a video detector."""
    norm = {"mean": np.zeros(3, np.float32), "std": np.ones(3, np.float32), "to_rgb": True}
    size = {"img_shape": (64, 96, 3), "scale_factor": np.ones(4, np.float32)}
    metas = [{"frame_id": i, "img_norm_cfg": norm, **size} for i in range(len(images))]
    with torch.no_grad():
        found = [model.simple_test(x, [m]) for x, m in zip(images, metas, strict=True)]
    return np.concatenate([boxes for frame in found for boxes in frame["det_bboxes"]])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["SiamRPN", "DFF"])
def test_other_models_are_compiled_once(kind, graphs, backend):
    """Nothing that changes from frame to frame, such as its number, is compiled in."""
    torch.manual_seed(0)
    images = [255 * torch.rand(1, 3, 64, 96) for _ in range(4)]
    if kind == "SiamRPN":
        model, run = build_model(mmcv.Config.fromstring(tiny_sot.CONFIG, ".py").model), follow
        model.backbone.conv1.weight.data.mul_(0.02)
    else:
        model, run = tiny_video_detectors.dff(), detect
    model.eval()
    expected = run(model, images)
    names = compile_parts(model, backend=backend)
    assert {name.rsplit(".", 1)[-1] for name in names} >= {"backbone", "neck"}
    np.testing.assert_allclose(run(model, images), expected, rtol=1e-4, atol=1e-4)
    count = len(graphs)
    run(model, images)
    assert len(graphs) == count >= len(names)


@pytest.mark.slow
def test_test_script_compiles(tiny, run_script, tmp_path):
    scores = []
    for name, options in (("plain", []), ("compiled", ["--compile"])):
        run_script(
            "tools/test.py",
            tiny / "tracker.py",
            "--checkpoint",
            tiny / "tracker.pth",
            "--device",
            "cpu",
            "--eval",
            "track",
            "--work-dir",
            tmp_path / name,
            *options,
            cwd=tiny,
            timeout=1500,
        )
        (path,) = (tmp_path / name).glob("eval_*.log.json")
        scores.append(json.loads(path.read_text())["metric"])
    assert scores[0] == scores[1]


def test_test_script_names_the_missing_compiler(tiny, run_script):
    done = run_script(
        "tools/test.py",
        tiny / "tracker.py",
        "--checkpoint",
        tiny / "tracker.pth",
        "--device",
        "cpu",
        "--eval",
        "track",
        "--compile",
        check=False,
        cwd=tiny,
        env={"CXX": "no-such-compiler", "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"},
    )
    assert done.returncode == 1
    assert "--compile: torch.compile does not work here" in done.stderr
    assert "apt install g++" in done.stderr
    assert "Traceback" not in done.stderr
