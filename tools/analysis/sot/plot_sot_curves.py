r"""Draw success and precision plots of several trackers on a data set in one figure.

Example:
    python tools/analysis/sot/plot_sot_curves.py configs/sot/stark/stark_st1_r50_500e_lasot.py \
        --results STARK=stark.json SiamRPN++=siamrpn.json --out lasot.png

Results are json files of ``tools/test.py --out``, or folders or zip archives of <video>.txt.
"""

from __future__ import annotations

import argparse

from mmtrack.apis.cli import add_config_options, load_config, user_errors
from mmtrack.core.evaluation import format_score_table
from mmtrack.core.evaluation.sot import OPECurves, ope_curves, plot_ope_curves
from mmtrack.datasets import build_dataset
from mmtrack.datasets.base_sot_dataset import BaseSOTDataset
from mmtrack.datasets.sot_results import read_sot_results


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="config whose data.test is the data set")
    parser.add_argument(
        "--results", nargs="+", required=True, metavar="NAME=PATH", help="results of each tracker"
    )
    parser.add_argument("--out", required=True, help="picture to write: .png, .pdf or .svg")
    parser.add_argument("--title", help="heading of the figure")
    add_config_options(parser)
    return parser.parse_args()


def named_paths(pairs: list[str]) -> dict[str, str]:
    """Paths by name of the tracker.

    Raises:
        ValueError: a pair has no name or path, or a name comes twice.
    """
    paths: dict[str, str] = {}
    for pair in pairs:
        name, equals, path = pair.partition("=")
        if not (name and equals and path):
            raise ValueError(f"--results {pair}: expected NAME=PATH, for example STARK=stark.json")
        if name in paths:
            raise ValueError(f"--results has two trackers called {name}")
        paths[name] = path
    return paths


def read_truth(cfg: dict) -> tuple[BaseSOTDataset, list, list | None]:
    """The data set, boxes of each video, and visibility where only visible frames count."""
    if cfg.get("data", {}).get("test") is None:
        raise ValueError("the config has no data.test")
    dataset = build_dataset(cfg.data.test, {"test_mode": True})
    if not isinstance(dataset, BaseSOTDataset):
        raise ValueError(f"{type(dataset).__name__} is no data set of single object tracking")
    infos = [dataset.get_ann_infos_from_video(i) for i in range(len(dataset.data_infos))]
    if infos[0]["bboxes"].shape[1] != 4:
        raise ValueError(f"{type(dataset).__name__} has polygons; these plots are for boxes")
    visible = [info["visible"] for info in infos] if dataset.only_eval_visible else None
    return dataset, [info["bboxes"] for info in infos], visible


def main() -> None:
    """Read, evaluate, draw, print."""
    args = parse_args()
    with user_errors():
        paths = named_paths(args.results)
        dataset, truth, visible = read_truth(load_config(args))
        curves: dict[str, OPECurves] = {}
        for name, path in paths.items():
            curves[name] = ope_curves(read_sot_results(path, dataset), truth, visible)
        plot_ope_curves(curves, args.out, args.title)
        rows = {
            name: {key: value / 100 for key, value in curve.scores().items()}
            for name, curve in curves.items()
        }
    print(format_score_table(rows))
    print(f"{args.out}: {len(curves)} trackers on {len(truth)} videos")


if __name__ == "__main__":
    main()
