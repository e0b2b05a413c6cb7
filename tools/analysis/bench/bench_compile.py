"""Speed of a network in PyTorch, compiled, in bfloat16, and as an ONNX file, in one run.

All variants take turns, frame by frame, so that other load on the machine hits them alike. The
weights may be random: the time of a network does not depend on them.
"""

from __future__ import annotations

import argparse
import copy
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # OpenMP reads it when torch is imported
os.environ.setdefault("OMP_NUM_THREADS", "1")

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from mmtrack.apis.cli import add_config_options, add_trust_argument, load_config, user_errors
from mmtrack.apis.environment import prepare_for_inference
from mmtrack.apis.testing import build_test_model

VARIANTS = {
    "pytorch": {},
    "channels-last": {"channels_last": True},
    "bf16": {"bf16": True},
    "bf16+channels-last": {"bf16": True, "channels_last": True},
    "compile": {"compiled": True},
    "compile+bf16+channels-last": {"compiled": True, "bf16": True, "channels_last": True},
}
ONNX = "onnx"


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", help="config file")
    parser.add_argument("--checkpoint", help="weights; speed can be measured without them")
    parser.add_argument("--part", help="what to run, as in export_onnx.py; all by default")
    parser.add_argument("--shape", type=int, nargs=2, help="height and width of a detector's input")
    parser.add_argument("--frames", type=int, default=15, help="frames of each variant")
    parser.add_argument(
        "--variants", nargs="+", choices=[*VARIANTS, ONNX], default=[*VARIANTS, ONNX]
    )
    add_config_options(parser)
    add_trust_argument(parser)
    parser.set_defaults(
        fuse_conv_bn=False,
        channels_last=False,
        bf16=False,
        compile=False,
        allow_random_weights=True,
    )
    return parser.parse_args()


def torch_runner(
    model: nn.Module, make: Callable, inputs: tuple[torch.Tensor, ...], options: dict[str, bool]
) -> Callable[[], list[np.ndarray]]:
    """Run a part of a copy of the model that is prepared with some options."""
    model = prepare_for_inference(copy.deepcopy(model), torch.device("cpu"), **options)
    graph = make(model).graph.eval()
    if options.get("channels_last"):
        layout = torch.channels_last
        inputs = tuple(x.to(memory_format=layout) if x.dim() == 4 else x for x in inputs)

    def run() -> list[np.ndarray]:
        with torch.no_grad():
            found = graph(*inputs)
        found = found if isinstance(found, tuple) else (found,)
        return [value.float().numpy() for value in found]

    return run


def measure(runners: dict[str, Callable], frames: int) -> dict[str, tuple[float, float]]:
    """Per variant the seconds of the first frame by the clock, and the median of the others.

    The median is of processor time: all variants use one thread.
    """
    first = {}
    for name, run in runners.items():
        start = time.perf_counter()
        run()
        first[name] = time.perf_counter() - start
    times: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(frames):
        for name, run in runners.items():
            start = time.process_time()
            run()
            times[name].append(time.process_time() - start)
    return {name: (first[name], float(np.median(times[name]))) for name in runners}


def largest_difference(found: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """Over all outputs; nan where shapes differ, or a detector without weights finds nothing."""
    if [a.shape for a in found] != [b.shape for b in expected]:
        return float("nan")
    gaps = [np.abs(a - b).max() for a, b in zip(found, expected, strict=True) if a.size]
    return max(gaps, default=float("nan"))


def bench(model: nn.Module, make: Callable, args: argparse.Namespace) -> None:
    """Measure one part and print a table."""
    from mmtrack.apis.export import Clip, OnnxModel, build_onnx

    part = make(model)
    case = part.cases(Clip.rendered())[0]
    inputs = tuple(case.inputs.values())
    runners: dict[str, Callable] = {
        name: torch_runner(model, make, inputs, VARIANTS[name])
        for name in args.variants
        if name != ONNX
    }
    if ONNX in args.variants:
        session = OnnxModel(build_onnx(part, case), threads=1)
        arrays = {name: value.numpy() for name, value in case.inputs.items()}
        runners[ONNX] = lambda: list(session.run(arrays).values())
    shape = "x".join(map(str, inputs[0].shape))
    print(f"\n{type(model).__name__}, {part.name}, input {shape}, {args.frames} frames")
    print("| Variant | ms | Ratio | First frame, s | Largest difference |")
    print("| --- | ---: | ---: | ---: | ---: |")
    results = measure(runners, args.frames)
    base_name = next(iter(runners))
    expected = runners[base_name]()
    for name, (first, seconds) in results.items():
        gap = largest_difference(runners[name](), expected)
        print(
            f"| {name} | {1000 * seconds:.1f} | {results[base_name][1] / seconds:.2f} | "
            f"{first:.1f} | {gap:.2g} |"
        )


def main() -> None:
    """Measure."""
    args = parse_args()
    with user_errors():
        from mmtrack.apis.export import make_part, part_names

        torch.set_num_threads(1)
        torch.manual_seed(0)
        cfg = load_config(args)
        model = build_test_model(cfg, args, None, torch.device("cpu"))
        for name in [args.part] if args.part else part_names(model):
            size = tuple(args.shape) if args.shape and name == "detector" else None
            bench(model, lambda m, name=name, size=size: make_part(m, cfg, name, size=size), args)


if __name__ == "__main__":
    main()
