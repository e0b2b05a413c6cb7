"""Export the networks of a model to ONNX: detector, ReID model, branches of a SOT tracker."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # OpenMP reads it when torch is imported

import torch

from mmtrack.apis.cli import add_config_options, add_trust_argument, load_config, user_errors
from mmtrack.apis.inference import classes_of
from mmtrack.apis.testing import build_test_model
from mmtrack.utils.file_io import atomic_write


def parse_args() -> argparse.Namespace:
    """Read the command line; mmdet's names of the same options work too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", help="config file")
    # as in mmdet: the checkpoint may be a second argument without a name
    parser.add_argument("checkpoint_file", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("--checkpoint", help="weights of the whole model")
    parser.add_argument(
        "--out",
        "--output-file",
        default="model.onnx",
        help="file to write; where several parts are written, their names are added to it",
    )
    parser.add_argument(
        "--part",
        choices=["detector", "reid", "template", "search"],
        help="what to export; without it everything the model has",
    )
    parser.add_argument(
        "--shape",
        type=int,
        nargs="+",
        metavar="PIXELS",
        help="height and width of the input, or one number for both; as the config by default",
    )
    parser.add_argument(
        "--dynamic",
        "--dynamic-export",
        action="store_true",
        help="let the detector take images of any size that the config's padding allows",
    )
    parser.add_argument(
        "--verify", action="store_true", help="compare the file with the model on real frames"
    )
    parser.add_argument(
        "--input-img", help="frame to trace and compare on, in place of rendered ones"
    )
    parser.add_argument(
        "--opset", "--opset-version", type=int, default=18, help="version of ONNX's operators"
    )
    parser.add_argument(
        "--allow-random-weights", action="store_true", help="export a model without loaded weights"
    )
    add_config_options(parser)
    add_trust_argument(parser)
    # build_test_model reads these; ONNX Runtime folds batch norm and chooses layouts itself
    parser.set_defaults(fuse_conv_bn=False, channels_last=False, bf16=False, compile=False)
    args = parser.parse_args()
    args.checkpoint = args.checkpoint or args.checkpoint_file
    if args.shape is not None:
        if len(args.shape) > 2 or min(args.shape) < 1:
            parser.error("--shape takes height and width, or one number for both, above zero")
        args.shape = (args.shape[0], args.shape[-1])
    return args


def file_of(out: str, name: str, several: bool) -> Path:
    """Where a part is written."""
    path = Path(out)
    return path.with_name(f"{path.stem}_{name}{path.suffix or '.onnx'}") if several else path


def run(args: argparse.Namespace) -> None:
    """Export what was asked for, one part after the other."""
    # here, where an ImportError becomes a message: the packages it needs are optional
    from mmtrack.apis.export import Clip, build_onnx, make_part, part_names, verify_onnx

    cfg = load_config(args)
    model = build_test_model(cfg, args, None, torch.device("cpu"))
    names = [args.part] if args.part else part_names(model)
    metadata = {
        "config": os.path.basename(args.config),
        "model": type(model).__name__,
        "classes": list(model.CLASSES or classes_of(model, cfg) or []),
    }
    clip = Clip.of_image(args.input_img) if args.input_img else Clip.rendered()
    for name in names:
        alone = args.part is not None or len(names) == 1
        for_detector = name == "detector" or alone  # otherwise the options are not meant for it
        part = make_part(
            model,
            cfg,
            name,
            size=args.shape if for_detector else None,
            dynamic=args.dynamic and for_detector,
        )
        cases = part.cases(clip)
        content = build_onnx(part, cases[0], opset=args.opset, metadata={"part": name, **metadata})
        # compared before the file is written, so that a wrong one never lies about
        differences = verify_onnx(content, cases) if args.verify else []
        path = file_of(args.out, name, len(names) > 1)
        with atomic_write(path, "wb") as file:
            file.write(content)
        print(f"written: {path}")
        for output, absolute, relative in differences:
            print(f"  {output}: largest difference {absolute:.3g}, {relative:.3g} of its range")
        if args.verify and not differences:
            print(
                "  file and model both find nothing in these frames, so that no values were "
                "compared; --input-img FILE names another one"
            )


def main() -> None:
    """Export."""
    args = parse_args()
    with user_errors():
        run(args)


if __name__ == "__main__":
    main()
