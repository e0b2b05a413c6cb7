"""Who serves mmcv's operators, and what happens to those that nobody serves."""

import ast
import importlib
import sys
from pathlib import Path

import mmcv
import pytest
import torch

from mmtrack.compat import op_backend
from mmtrack.compat import ops as compat_ops


def extension_names():
    """Every entry point that mmcv.ops asks of its extension, read from its source."""
    names = set()
    for path in Path(mmcv.__path__[0], "ops").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "load_ext":
                names.update(ast.literal_eval(node.args[1]))
    return names


def test_every_served_operator_exists_in_mmcv():
    assert set(compat_ops.served_operators()) <= extension_names()
    for name in compat_ops.served_operators():
        module = next(m for m, names in compat_ops._SERVED.items() if name in names)
        assert callable(getattr(importlib.import_module(f"mmtrack.compat.ops.{module}"), name))


def test_unserved_operator_names_itself_and_the_remedy_when_called(compiled_ops):
    if compiled_ops:
        pytest.skip("compiled operators are all there")
    from mmcv import ops

    boxes = torch.tensor([[5.0, 5.0, 4.0, 4.0, 0.1]])
    with pytest.raises(NotImplementedError, match=r"'box_iou_rotated'.*mmcv-full"):
        ops.box_iou_rotated(boxes, boxes)


def test_every_mmcv_ops_module_imports():
    for path in Path(mmcv.__path__[0], "ops").glob("*.py"):
        importlib.import_module(f"mmcv.ops.{path.stem}")


def test_compiled_extension_is_preferred(tmp_path, monkeypatch, compiled_ops):
    """A file mmcv/_ext.py stands for the compiled library: it is found first."""
    if compiled_ops:
        assert op_backend() == "mmcv-full (compiled)"
        assert "mmtrack" not in sys.modules["mmcv._ext"].__file__
        return
    assert op_backend() == "torchvision"
    (tmp_path / "_ext.py").write_text("origin = 'compiled'\n")
    monkeypatch.setattr(mmcv, "__path__", [*mmcv.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "mmcv._ext", raising=False)
    importlib.invalidate_caches()
    assert op_backend() == "mmcv-full (compiled)"
    assert importlib.import_module("mmcv._ext").origin == "compiled"
    sys.modules.pop("mmcv._ext")


def test_mmcv_counts_deformable_layers_for_learning_rates():
    """mmcv's optimizer constructor treats DCN offsets apart only where the operators exist."""
    from mmcv.ops import DeformConv2dPack
    from mmcv.runner import build_optimizer

    model = torch.nn.Sequential(DeformConv2dPack(2, 2, 3), torch.nn.Conv2d(2, 2, 1))
    cfg = dict(type="SGD", lr=1.0, paramwise_cfg=dict(dcn_offset_lr_mult=0.1))
    rates = sorted(group["lr"] for group in build_optimizer(model, cfg).param_groups)
    assert rates[:2] == [pytest.approx(0.1)] * 2
    assert rates[2:] == [1.0] * 3


def test_mmcv_environment_report_works():
    from mmcv.utils import collect_env

    report = collect_env()
    assert report["MMCV"] == mmcv.__version__
    assert "MMCV Compiler" in report
