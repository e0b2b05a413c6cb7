"""Processes that start from Python's server, as all do from Python 3.14 on."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import multiprocessing


def main():  # the server imports this file, so all else is imported here
    import mmtrack
    import numpy as np
    from mmdet.core import eval_map

    multiprocessing.set_start_method("forkserver", force=True)
    boxes = np.array([[0, 0, 10, 10, 0.9]], np.float32)
    truth = {"bboxes": boxes[:, :4], "labels": np.array([0])}
    mean_ap, _ = eval_map([[boxes]] * 2, [truth] * 2, logger="silent")
    print("mAP", mean_ap)


if __name__ == "__main__":
    main()
"""


def test_map_is_summed_up_by_processes_of_the_server(root, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    env = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py")],
        env=env, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.stdout.endswith("mAP 1.0\n"), done.stderr
