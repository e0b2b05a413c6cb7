import importlib
import subprocess
import sys

import pytest

from mmtrack.compat.import_hooks import when_imported


@pytest.fixture
def fresh_module(tmp_path, monkeypatch):
    (tmp_path / "compat_probe.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "compat_probe"
    sys.modules.pop("compat_probe", None)


def test_patch_runs_after_the_import_and_once(fresh_module):
    seen = []

    def patch(module):
        seen.append(module.value)
        module.value += 1

    when_imported(fresh_module, patch)
    when_imported(fresh_module, patch)
    assert seen == []
    module = importlib.import_module(fresh_module)
    assert seen == [1]
    assert module.value == 2
    assert module.__spec__.loader is module.__loader__
    assert module.__spec__.loader.get_source(fresh_module) == "value = 1\n"
    when_imported(fresh_module, patch)
    assert module.value == 2


def test_patch_runs_at_once_for_an_imported_module(fresh_module):
    module = importlib.import_module(fresh_module)
    when_imported(fresh_module, lambda module: setattr(module, "value", 5))
    assert module.value == 5


def test_missing_modules_are_still_missing():
    when_imported("compat_probe_that_is_not_there", lambda module: None)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("compat_probe_that_is_not_there")


ORDERS = {
    "mmtrack first": "import mmtrack\nimport mmcv.ops, mmcv.runner",
    "mmcv first": "import mmcv, mmcv.runner, mmcv.cnn\nimport mmtrack\nimport mmcv.ops",
}
CHECK = """
import sys
from mmcv import ops, runner
from mmcv.fileio import file_client
from mmcv.parallel import MMDistributedDataParallel, _functions
from mmcv.runner import checkpoint
from mmcv.utils import registry
names = [
    checkpoint.load_url, checkpoint.load_state_dict, checkpoint.torch.load,
    runner.BaseRunner.resume, runner.IterBasedRunner.resume, _functions._get_stream,
    file_client.HardDiskBackend.put, MMDistributedDataParallel.train_step,
]
print([name for name in names if not name.__module__.startswith("mmtrack.compat")])
try:
    runner.RUNNERS.build(dict(type="EpochBasedRuner"))
except KeyError as error:
    print("did you mean EpochBasedRunner" in str(error))
mmtrack.compat.install()
print(checkpoint.load_checkpoint.__globals__["__name__"])
"""


@pytest.mark.parametrize("order", ORDERS)
def test_patches_apply_in_any_order_of_imports(order):
    command = [sys.executable, "-W", "ignore", "-c", ORDERS[order] + CHECK]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "True", "mmtrack.compat.state_dict"]


def test_import_is_silent_and_imports_nothing_heavy():
    code = "import mmtrack, sys; print([m for m in ('mmcv', 'mmdet', 'cv2') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert done.stderr == ""


def test_mmcv_does_not_announce_its_next_version():
    code = "import mmtrack, mmcv.runner"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "MMCV will release" not in done.stderr
