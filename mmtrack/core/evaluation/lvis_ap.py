"""Average precision of boxes in the protocol of LVIS, by the ``lvis`` package.

An image is annotated for some categories only, as in TAO (see ``tao.py``).

Reference: Gupta, Dollar and Girshick, "LVIS: A Dataset for Large Vocabulary Instance Segmentation",
    CVPR 2019, section 2.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

AP_NAMES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "APr", "APc", "APf")
_IMAGE_KEYS = ("neg_category_ids", "not_exhaustive_category_ids")


def require_lvis() -> None:
    """Raise an error where the optional package is missing.

    Raises:
        ImportError: it is; the message says how to get it.
    """
    if importlib.util.find_spec("lvis") is None:
        raise ImportError(
            "box scores of TAO and LVIS need the package lvis: pip install --no-deps lvis"
        )


def lvis_average_precision(
    ground_truth: dict[str, list[dict]], detections: list[dict], cat_ids: Sequence[int]
) -> dict[str, float]:
    """Evaluate boxes.

    Args:
        ground_truth: ``images`` (with ``neg_category_ids``, ``not_exhaustive_category_ids``),
            ``annotations`` and ``categories`` (with ``frequency``: ``'r'``, ``'c'`` or ``'f'``).
            The dicts are written to: hand in copies.
        detections: Dicts of ``image_id``, ``category_id``, ``bbox`` (x, y, width, height) and
            ``score``. They are written to.
        cat_ids: Categories to evaluate.

    Returns:
        ``AP``, ``AP50``, ``AP75``; ``APs``, ``APm``, ``APl`` by area; ``APr``, ``APc``, ``APf`` of
        rare, common and frequent categories. -1 where nothing of the kind is annotated.

    Raises:
        ImportError: lvis is not installed.
        ValueError: images or categories lack a key; the message names it.
    """
    require_lvis()
    from lvis import LVIS, LVISEval, LVISResults

    class Content(LVIS):
        """Annotations from memory instead of a file."""

        def _load_json(self, content: dict) -> dict:
            return content

    class Detections(LVISResults):
        """Detections, of which there may be none."""

        def __init__(self, target: LVIS, rows: list[dict]):
            if rows:
                super().__init__(target, rows)
            else:
                LVIS.__init__(self, {**target.dataset, "annotations": []})

        def _load_json(self, content: dict) -> dict:
            return content

    _check(ground_truth)
    target = Content(ground_truth)
    evaluation = LVISEval(target, Detections(target, detections), "bbox")
    evaluation.params.cat_ids = sorted(cat_ids)
    evaluation.run()
    found = evaluation.get_results()
    return {name: float(found[name]) for name in AP_NAMES}


def _check(ground_truth: dict[str, list[dict]]) -> None:
    for kind, keys in (("images", _IMAGE_KEYS), ("categories", ("frequency",))):
        for entry in ground_truth[kind]:
            missing = [key for key in keys if key not in entry]
            if missing:
                raise ValueError(
                    f"{kind}: the one with id {entry['id']} has no {missing[0]!r}, which the LVIS "
                    "protocol needs; take the official json of LVIS, or convert that of TAO again "
                    "with tools/convert_datasets/tao/tao2coco.py"
                )
