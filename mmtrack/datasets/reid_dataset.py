"""Crops of persons for re-identification: lists of images and identities."""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence

import mmcv
import numpy as np
import torch
from mmdet.datasets.builder import DATASETS
from torch.utils.data import Dataset

from mmtrack.core.evaluation import eval_reid
from mmtrack.utils.reading import decode_text

from .pipelines import build_pipeline

_DIGITS = 18  # of a label, so that it fits 64 bits
METRICS = ("mAP", "CMC")


class ImageListDataset(Dataset):
    """Images with one label each, listed in a text file.

    Args:
        pipeline: Steps that each sample goes through.
        data_prefix: Folder of the images.
        ann_file: The list, one ``<image> <label>`` a line.
        classes: Names of the labels, where they have any.
        test_mode: Whether the data set is used for testing.
        file_client_args: Where `ann_file` is read from, see `mmcv.FileClient`.
    """

    CLASSES = None

    def __init__(
        self,
        pipeline: Sequence[dict],
        data_prefix: str,
        ann_file: str,
        classes: Sequence[str] | None = None,
        test_mode: bool = False,
        file_client_args: dict | None = None,
    ):
        super().__init__()
        self.data_prefix = data_prefix
        self.ann_file = ann_file
        self.test_mode = test_mode
        self.file_client_args = file_client_args or {"backend": "disk"}
        if classes is not None:
            self.CLASSES = tuple(classes)
        self.pipeline = build_pipeline(pipeline)
        self.data_infos = self.load_annotations()
        # samplers group images by aspect ratio; crops are all of one size
        self.flag = np.zeros(len(self.data_infos), np.uint8)

    def load_annotations(self) -> list[dict]:
        """Read the list.

        Returns:
            One dict per image: ``img_prefix``, ``img_info`` with the ``filename``, and
            ``gt_label``, int64 without dimensions.

        Raises:
            FileNotFoundError: There is no such list.
            ValueError: The list is empty, or a line is not ``<image> <label>``; it is named.
        """
        try:
            data = mmcv.FileClient(**self.file_client_args).get(self.ann_file)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"list of images {self.ann_file} does not exist; tools/convert_datasets/mot/"
                "mot2reid.py writes such lists"
            ) from error
        infos = []
        lines = decode_text(bytes(data), self.ann_file).split("\n")
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            name, _, label = line.strip().rpartition(" ")
            if not name or not label.isdecimal() or len(label) > _DIGITS:
                raise ValueError(
                    f"{self.ann_file}, line {number}: {line!r:.200}, expected "
                    "'<image> <label>' with a label counted from 0"
                )
            infos.append(
                {
                    "img_prefix": self.data_prefix,
                    "img_info": {"filename": name.strip()},
                    "gt_label": np.array(int(label), np.int64),
                }
            )
        if not infos:
            raise ValueError(f"list of images {self.ann_file} is empty")
        return infos

    def get_gt_labels(self) -> np.ndarray:
        """Labels of all images, ``(N,)`` int64."""
        return np.array([info["gt_label"] for info in self.data_infos])

    def prepare_data(self, idx: int) -> dict:
        """Put one image through the pipeline."""
        return self.pipeline(copy.deepcopy(self.data_infos[idx]))

    def __len__(self) -> int:
        return len(self.data_infos)

    def __getitem__(self, idx: int) -> dict:
        return self.prepare_data(idx)


@DATASETS.register_module()
class ReIDDataset(ImageListDataset):
    """Crops of persons with their identities.

    Args:
        pipeline: Steps that each sample goes through.
        triplet_sampler: Arguments of `triplet_sampling`, to train on groups of images of several
            identities; None for single images.
        *args: Further arguments are those of `ImageListDataset`: data_prefix, ann_file, classes,
            test_mode, file_client_args.
        **kwargs: As `args`.
    """

    def __init__(
        self, pipeline: Sequence[dict], triplet_sampler: dict | None = None, *args, **kwargs
    ):
        super().__init__(pipeline, *args, **kwargs)
        self.triplet_sampler = triplet_sampler
        # Identities may be any numbers, for example those left in after a selection.
        labels = self.get_gt_labels()
        self.pids = np.unique(labels)
        self.index_of_pid = {int(pid): np.flatnonzero(labels == pid) for pid in self.pids}
        wanted = (triplet_sampler or {}).get("num_ids", 1)
        if len(self.pids) < wanted:
            raise ValueError(
                f"{self.ann_file} has {len(self.pids)} identities, triplet_sampler wants "
                f"num_ids={wanted} different ones in a sample"
            )

    def triplet_sampling(
        self, pos_pid: np.ndarray | int, num_ids: int = 8, ins_per_id: int = 4
    ) -> list[dict]:
        """Draw images of the anchor's identity and of other identities.

        Args:
            pos_pid: Identity of the anchor.
            num_ids: How many identities.
            ins_per_id: How many images of each; drawn with replacement.

        Returns:
            Infos of ``num_ids * ins_per_id`` images, grouped by identity, the anchor's first.

        Reference: Hermans et al., "In Defense of the Triplet Loss for Person Re-Identification",
        2017, section 2 (batches of P identities with K images).
        """
        pos_pid = int(pos_pid)
        others = self.pids[self.pids != pos_pid]
        pids = [pos_pid, *np.random.choice(others, num_ids - 1, replace=False)]
        picked = [np.random.choice(self.index_of_pid[int(pid)], ins_per_id) for pid in pids]
        return [copy.deepcopy(self.data_infos[i]) for i in np.concatenate(picked)]

    def prepare_data(self, idx: int) -> dict:
        """Put one image, or the group of images for which it is the anchor, through the steps."""
        if self.triplet_sampler is None or self.test_mode:
            return super().prepare_data(idx)
        pid = self.data_infos[idx]["gt_label"]
        return self.pipeline(self.triplet_sampling(pid, **self.triplet_sampler))

    def evaluate(
        self,
        results: list,
        metric: str | Sequence[str] = "mAP",
        metric_options: dict | None = None,
        logger: logging.Logger | str | None = None,
    ) -> dict[str, float]:
        """Let every image search the others for its identity.

        Args:
            results: Embedding of every image in order, ``(D,)`` or ``(1, D)`` each.
            metric: ``'mAP'``, ``'CMC'`` or both.
            metric_options: ``rank_list`` (1, 5, 10, 20) and ``max_rank`` (20) of CMC.
            logger: Not used; scores are returned.

        Returns:
            ``mAP`` and ``R1``, ``R5``, ... within [0, 1], rounded to 3 digits.

        Raises:
            ValueError: Unknown metric or option, or the count of embeddings differs from that of
                the images.
        """
        metrics = [metric] if isinstance(metric, str) else list(metric)
        options = dict(metric_options or {})
        unknown = [m for m in metrics if m not in METRICS]
        unknown += [o for o in options if o not in ("rank_list", "max_rank")]
        if unknown:
            raise ValueError(
                f"ReIDDataset.evaluate does not know {unknown[0]!r}: metrics are "
                f"{', '.join(METRICS)}, options are rank_list and max_rank"
            )
        if len(results) != len(self):
            raise ValueError(f"{len(results)} embeddings for {len(self)} images of {self.ann_file}")
        embeds = torch.stack([torch.as_tensor(r).reshape(-1) for r in results])
        scores = eval_reid(
            embeds.float().cpu().numpy(), self.get_gt_labels(), metrics=metrics, **options
        )
        return {key: round(value, 3) for key, value in scores.items()}
