"""Detectors of mmdet train and infer on the installed torch, NumPy and OpenCV."""

from pathlib import Path

import mmdet
import numpy as np
import pytest
import torch
from mmcv import Config
from mmdet.core import BitmapMasks
from mmdet.models import build_detector

SIZE = 96
QUICK = ["faster_rcnn/faster_rcnn_r50_fpn_1x_coco.py", "yolox/yolox_tiny_8x8_300e_coco.py"]
# Each uses further operators: masks, DCN v1 and v2, their RoI pooling, CARAFE, masked
# convolution, deformable attention, switchable convolution, point sampling.
SLOW = [
    "mask_rcnn/mask_rcnn_r50_fpn_1x_coco.py",
    "dcn/faster_rcnn_r50_fpn_dconv_c3-c5_1x_coco.py",
    "dcn/faster_rcnn_r50_fpn_dpool_1x_coco.py",
    "vfnet/vfnet_r50_fpn_mdconv_c3-c5_mstrain_2x_coco.py",
    "centernet/centernet_resnet18_dcnv2_140e_coco.py",
    "carafe/faster_rcnn_r50_fpn_carafe_1x_coco.py",
    "guided_anchoring/ga_faster_r50_fpn_1x_coco.py",
    "deformable_detr/deformable_detr_r50_16x2_50e_coco.py",
    "detectors/cascade_rcnn_r50_sac_1x_coco.py",
    "point_rend/point_rend_r50_caffe_fpn_mstrain_1x_coco.py",
    "libra_rcnn/libra_faster_rcnn_r50_fpn_1x_coco.py",
]
CASES = [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)]


def without_downloads(cfg):
    """The same configuration without weights from the network."""
    if isinstance(cfg, list):
        return [without_downloads(item) for item in cfg]
    if not isinstance(cfg, dict):
        return cfg
    if cfg.get("type") == "Pretrained":
        return None
    return {key: without_downloads(value) for key, value in cfg.items() if key != "pretrained"}


def build(name):
    folder = Path(mmdet.__path__[0], ".mim", "configs")
    if not folder.exists():
        pytest.skip("this installation of mmdet has no configurations")
    cfg = Config.fromfile(folder / name)
    torch.manual_seed(0)
    model = build_detector(
        Config(dict(model=without_downloads(cfg._cfg_dict.to_dict()["model"]))).model
    )
    model.init_weights()
    return model


def inputs(device, masks):
    generator = torch.Generator().manual_seed(0)
    shape = (SIZE, SIZE, 3)
    meta = dict(
        img_shape=shape,
        ori_shape=shape,
        pad_shape=shape,
        batch_input_shape=shape[:2],
        scale_factor=np.ones(4, np.float32),
        border=np.array([0, SIZE, 0, SIZE]),
        flip=False,
        filename="noise",
        ori_filename="noise",
    )
    boxes = torch.tensor([[10.0, 10, 60, 60], [30, 40, 90, 92]], device=device)
    data = dict(
        img=torch.rand(2, 3, SIZE, SIZE, generator=generator).to(device),
        img_metas=[meta, meta],
        gt_bboxes=[boxes, boxes],
        gt_labels=[torch.tensor([0, 1], device=device)] * 2,
    )
    if masks:
        data["gt_masks"] = [BitmapMasks(np.ones((2, SIZE, SIZE), np.uint8), SIZE, SIZE)] * 2
    return data


@pytest.mark.parametrize("name", CASES)
def test_train_and_infer(name, device):
    model = build(name).to(device).train()
    data = inputs(device, masks="mask" in name or "point_rend" in name)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    outputs = model.train_step(data, optimizer)
    optimizer.zero_grad()
    outputs["loss"].backward()
    optimizer.step()
    assert outputs["loss"].isfinite()
    pairs = zip(before, model.parameters(), strict=True)
    assert any(not torch.equal(old, new) for old, new in pairs)
    model.eval()
    with torch.no_grad():
        (result,) = model(
            return_loss=False,
            rescale=True,
            img=[data["img"][:1]],
            img_metas=[data["img_metas"][:1]],
        )
    boxes = result[0] if isinstance(result, tuple) else result
    assert len(boxes) == len(getattr(model, "CLASSES", None) or [0] * 80)
    assert all(per_class.shape[1] == 5 for per_class in boxes)


@pytest.mark.gpu
@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_cuda_agrees_with_cpu(name, dtype):
    """Feature maps and, in full precision, detections of the same weights and image."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    model = build(name).eval()
    data = inputs("cpu", masks=False)
    metas = [data["img_metas"][:1]]
    with torch.no_grad():
        features = model.extract_feat(data["img"][:1])
        expected = model(return_loss=False, rescale=True, img=[data["img"][:1]], img_metas=metas)
        model.cuda()
        image = data["img"][:1].cuda()
        with torch.autocast("cuda", dtype, enabled=dtype != torch.float32):
            ours = model.extract_feat(image)
            result = model(return_loss=False, rescale=True, img=[image], img_metas=metas)
    tolerance = 1e-3 if dtype == torch.float32 else 0.1
    for first, second in zip(features, ours, strict=True):
        scale = first.abs().max().item()
        torch.testing.assert_close(
            second.float().cpu() / scale, first / scale, rtol=0, atol=tolerance
        )
    assert len(result[0]) == len(expected[0])
    if dtype == torch.float32:
        for first, second in zip(expected[0], result[0], strict=True):
            assert abs(len(first) - len(second)) <= 2
