"""ONNX files on ONNX Runtime, against the models they were made of, on rendered frames."""

from __future__ import annotations

import copy

import numpy as np
import onnx
import pytest
import torch

from mmtrack.apis.export import (
    Case,
    OnnxModel,
    VerificationError,
    build_onnx,
    make_part,
    part_names,
    verify_onnx,
)

TIGHT = {"rtol": 1e-5, "atol": 1e-4}


@pytest.mark.slow
def test_yolox(yolox, clip):
    detector, cfg = yolox
    part = make_part(detector, cfg, "detector")
    cases = part.cases(clip)
    assert len(cases[0].expected["dets"]) > 20
    assert len(set(cases[0].expected["labels"].tolist())) > 1
    content = build_onnx(part, cases[0], metadata={"part": "detector", "classes": ["a", "b", "c"]})
    differences = verify_onnx(content, cases, **TIGHT)
    assert [d.output for d in differences] == ["boxes", "scores", "labels"]
    model = OnnxModel(content)
    assert model.inputs == ("image",)
    assert model.metadata["classes"] == ["a", "b", "c"]
    assert model.metadata["size"] == [64, 96]
    assert model.metadata["pad_value"] == [114.0, 114.0, 114.0]
    nothing = model.run({"image": np.zeros((1, 3, 64, 96), np.float32)})
    assert nothing["dets"].shape[1] == 5


@pytest.mark.slow
@pytest.mark.parametrize("opset", [18, 20])
def test_yolox_of_any_size(yolox, clip, opset):
    part = make_part(*yolox, "detector", dynamic=True)
    cases = part.cases(clip)
    assert [case.inputs["image"].shape[2:] for case in cases] == [(64, 96), (64, 64)]
    content = build_onnx(part, cases[0], opset=opset)
    verify_onnx(content, cases, **TIGHT)
    assert onnx.load_from_string(content).opset_import[0].version == opset
    larger = torch.rand(1, 3, 128, 64) * 255
    with torch.no_grad():
        dets, labels = part.graph(larger)
    verify_onnx(content, [Case({"image": larger}, {"dets": dets, "labels": labels})], **TIGHT)


def test_two_stages(two_stage, clip):
    part = make_part(*two_stage, "detector")
    cases = part.cases(clip)
    assert len(cases[0].expected["dets"])
    content = build_onnx(part, cases[0])
    verify_onnx(content, cases, **TIGHT)
    model = OnnxModel(content)
    assert model.inputs == ("image", "img_shape")
    # boxes end where the picture ends, also where another frame has more padding
    image = cases[0].inputs["image"].numpy()
    cut = model.run({"image": image, "img_shape": np.array([30, 50], np.float32)})["dets"]
    assert len(cut)
    assert cut[:, :4].min() >= 0
    assert cut[:, 2].max() <= 50
    assert cut[:, 3].max() <= 30


@pytest.mark.slow
def test_two_stages_of_any_size(two_stage, clip):
    part = make_part(*two_stage, "detector", dynamic=True)
    cases = part.cases(clip)
    verify_onnx(build_onnx(part, cases[0]), cases, **TIGHT)


@pytest.mark.slow
def test_no_proposals(two_stage, clip):
    """A frame in which the first stage finds nothing."""
    detector = copy.deepcopy(two_stage[0])
    detector.rpn_head.test_cfg.min_bbox_size = 1000
    part = make_part(detector, two_stage[1], "detector")
    cases = part.cases(clip)
    assert not len(cases[0].expected["dets"])
    verify_onnx(build_onnx(part, cases[0]), cases)


def test_reid_takes_any_number_of_crops(reid, clip):
    part = make_part(*reid, "reid")
    assert part.metadata["size"] == (64, 32)
    cases = part.cases(clip)
    content = build_onnx(part, cases[0])
    verify_onnx(content, cases, **TIGHT)
    model = OnnxModel(content)
    crops = np.random.default_rng(0).normal(size=(7, 3, 64, 32)).astype(np.float32)
    with torch.no_grad():
        expected = reid[0].simple_test(torch.from_numpy(crops)).numpy()
    np.testing.assert_allclose(model.run({"crops": crops})["embeds"], expected, atol=1e-6)


def test_siamrpn_follows_an_object(siamrpn, clip):
    model, cfg = siamrpn
    assert part_names(model) == ("template", "search")
    template, search = (make_part(model, cfg, name) for name in ("template", "search"))
    start, frames = template.cases(clip), search.cases(clip)
    assert len(frames) == len(clip.frames) - 1
    boxes = [case.expected["bbox"] for case in frames]
    assert not torch.allclose(boxes[0], boxes[1])
    content = build_onnx(template, start[0])
    verify_onnx(content, start)
    kernels = OnnxModel(content).run({"template": start[0].inputs["template"].numpy()})
    content = build_onnx(search, frames[0])
    verify_onnx(content, frames)
    # the two files together
    inputs = {name: value.numpy() for name, value in frames[0].inputs.items()}
    found = OnnxModel(content).run({**inputs, **kernels})
    np.testing.assert_allclose(found["bbox"], boxes[0], rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(found["score"], frames[0].expected["score"], atol=1e-5)


@pytest.mark.slow
def test_stark_follows_an_object(stark, clip):
    model, cfg = stark
    template, search = (make_part(model, cfg, name) for name in ("template", "search"))
    assert search.metadata["templates"] == 2
    start, frames = template.cases(clip), search.cases(clip)
    assert frames[0].inputs["template_feats"].shape[0] == 2
    verify_onnx(build_onnx(template, start[0]), start, **TIGHT)
    content = build_onnx(search, frames[0])
    differences = verify_onnx(content, frames, **TIGHT)
    assert {d.output for d in differences} == {"bbox", "score"}
    # padding is not looked at: the mask reaches the transformer
    inputs = {name: value.numpy() for name, value in frames[0].inputs.items()}
    session = OnnxModel(content)
    masked = np.ones_like(inputs["search_mask"])
    masked[..., :48, :48] = False
    assert np.abs(session.run({**inputs, "search_mask": masked})["bbox"]
                  - session.run(inputs)["bbox"]).max() > 1e-3  # fmt: skip


@pytest.mark.slow
def test_mixformer_follows_an_object(mixformer, clip):
    model, cfg = mixformer
    template, search = (make_part(model, cfg, name) for name in ("template", "search"))
    assert search.metadata["online_size"] == [2]
    start, frames = template.cases(clip), search.cases(clip)
    # two templates and three, in one file
    assert [len(case.inputs["templates"]) for case in start] == [2, 3]
    places = [case.inputs["keys_0"].shape[2] for case in frames]
    assert places == [2 * 16, 3 * 16]
    content = build_onnx(template, start[0])
    verify_onnx(content, start, **TIGHT)
    known = OnnxModel(content).run({"templates": start[1].inputs["templates"].numpy()})
    content = build_onnx(search, frames[0])
    differences = verify_onnx(content, frames, **TIGHT)
    assert {d.output for d in differences} == {"bbox", "score"}
    # the two files together
    found = OnnxModel(content).run({"search": frames[1].inputs["search"].numpy(), **known})
    np.testing.assert_allclose(found["bbox"], frames[1].expected["bbox"], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(found["score"], frames[1].expected["score"], atol=1e-5)


def wrong(part):
    """The same part with another weight."""
    other = copy.deepcopy(part.graph)
    with torch.no_grad():
        next(other.parameters()).add_(0.05)
    return copy.copy(part).__class__(**{**vars(part), "graph": other})


def test_other_weights_are_noticed(reid, clip):
    part = make_part(*reid, "reid")
    cases = part.cases(clip)
    content = build_onnx(wrong(part), cases[0])
    with pytest.raises(VerificationError, match="embeds of call 0 differs from the model by"):
        verify_onnx(content, cases)


WANTED = [[0.0, 0, 10, 10, 0.9], [5.0, 5, 9, 9, 0.9]]


class TestComparison:
    """Detections are compared in any order, but as many and of the same classes."""

    class Fixed:
        def __init__(self, outputs):
            self.outputs = outputs

        def run(self, inputs):
            return self.outputs

    def compare(self, monkeypatch, dets, labels, wanted=WANTED):
        expected = {"dets": torch.tensor(wanted), "labels": torch.tensor([0, 1])}
        outputs = {"dets": np.array(dets, np.float32), "labels": np.array(labels)}
        fixed = self.Fixed(outputs)
        monkeypatch.setattr("mmtrack.apis.export.verify.OnnxModel", lambda model: fixed)
        return verify_onnx(b"", [Case({}, expected)])

    def test_order_does_not_matter(self, monkeypatch):
        swapped = [[5, 5, 9, 9, 0.9], [0, 0, 10, 10, 0.9]]
        assert all(d.absolute == 0 for d in self.compare(monkeypatch, swapped, [1, 0]))

    def test_values_without_dimensions(self, monkeypatch):
        for got, absolute in ((0.5, 0.0), (0.50002, 2e-5)):
            fixed = self.Fixed({"score": np.float32(got)})
            monkeypatch.setattr("mmtrack.apis.export.verify.OnnxModel", lambda model, f=fixed: f)
            (found,) = verify_onnx(b"", [Case({}, {"score": torch.tensor(0.5)})])
            assert found.absolute == pytest.approx(absolute, abs=1e-7)

    def test_infinities_of_both_are_no_difference(self, monkeypatch):
        boxes = [[0, 0, np.inf, 10, 0.9], [5, 5, 9, 9, 0.9]]
        assert all(d.absolute == 0 for d in self.compare(monkeypatch, boxes, [0, 1], boxes))
        with pytest.raises(VerificationError, match="differs from the model by inf"):
            self.compare(monkeypatch, boxes, [0, 1])
        with pytest.raises(VerificationError, match="itself gives values that are not finite"):
            self.compare(monkeypatch, WANTED, [0, 1], boxes)

    def test_classes_count_and_boxes_matter(self, monkeypatch):
        boxes = [[0, 0, 10, 10, 0.9], [5, 5, 9, 9, 0.9]]
        with pytest.raises(VerificationError, match="labels of call 0 differs"):
            self.compare(monkeypatch, boxes, [0, 0])
        with pytest.raises(VerificationError, match="finds 1 boxes, the model 2"):
            self.compare(monkeypatch, boxes[:1], [0])
        with pytest.raises(VerificationError, match="boxes of call 0 differs from the model by 1 "):
            self.compare(monkeypatch, [[0, 0, 10, 11, 0.9], boxes[1]], [0, 1])
        with pytest.raises(VerificationError, match="boxes of call 0 differs"):
            self.compare(monkeypatch, [[0, 0, 10, float("nan"), 0.9], boxes[1]], [0, 1])

    def test_scores_count_beside_large_coordinates(self, monkeypatch):
        wanted = [[0.0, 0, 1900, 1000, 0.9], [5.0, 5, 900, 900, 0.8]]
        got = [wanted[0], [5, 5, 900, 900, 0.7]]
        with pytest.raises(
            VerificationError, match="scores of call 0 differs from the model by 0.1"
        ):
            self.compare(monkeypatch, got, [0, 1], wanted)

    def test_labels_must_be_equal(self, monkeypatch):
        fixed = self.Fixed({"labels": np.array([0, 1202])})
        monkeypatch.setattr("mmtrack.apis.export.verify.OnnxModel", lambda model: fixed)
        with pytest.raises(VerificationError, match="differs from the model by 1 .*allowed is 0"):
            verify_onnx(b"", [Case({}, {"labels": torch.tensor([0, 1203])})])


class TestRefusals:
    def test_parts(self, yolox, reid, siamrpn):
        assert part_names(yolox[0]) == ("detector",)
        assert part_names(reid[0]) == ("reid",)
        with pytest.raises(ValueError, match="YOLOX has no part 'reid' to export; it has detector"):
            make_part(*yolox, "reid")
        with pytest.raises(ValueError, match="Linear has no part that can be exported"):
            part_names(torch.nn.Linear(1, 1))
        with pytest.raises(ValueError, match="set by model.test_cfg"):
            make_part(*siamrpn, "search", size=(64, 64))
        with pytest.raises(ValueError, match="only the size of a detector"):
            make_part(*reid, "reid", dynamic=True)

    def test_opset(self, reid, clip):
        part = make_part(*reid, "reid")
        for opset in (11, 1000):
            with pytest.raises(ValueError, match=f"opset {opset}: the exporter writes 18 to"):
                build_onnx(part, part.cases(clip)[0], opset=opset)

    def test_missing_file(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"model .*none\.onnx does not exist"):
            OnnxModel(tmp_path / "none.onnx")

    def test_file_that_is_no_model(self, tmp_path):
        (tmp_path / "bad.onnx").write_bytes(b"no model")
        with pytest.raises(ValueError, match=r"bad\.onnx is no model that ONNX Runtime can run: "):
            OnnxModel(tmp_path / "bad.onnx")

    def test_inputs_of_another_size(self, reid, clip):
        part = make_part(*reid, "reid")
        (case, _) = part.cases(clip)
        content = build_onnx(part, case)
        other = Case({"crops": case.inputs["crops"][..., 1:]}, case.expected)
        with pytest.raises(VerificationError, match="onnxruntime cannot run call 0 of the file"):
            verify_onnx(content, [other])
