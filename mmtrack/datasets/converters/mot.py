"""Sequences in the MOTChallenge layout and their conversion to CocoVID."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mmtrack.core.evaluation.mot_table import MOTTable
from mmtrack.datasets.parsers.mot_txt import SEQINFO_KEYS, SeqInfo, read_mot_txt, read_seqinfo
from mmtrack.utils.file_io import atomic_write, leads_out, natural_key
from mmtrack.utils.reading import read_text

from .coco_vid import CocoVidWriter, IdCounter
from .images import list_images

PEDESTRIAN = 1  # the only one of MOTChallenge's 13 classes that is evaluated
MOT_CATEGORIES = ("pedestrian",)
_PICKLE_PROTOCOL = 4  # fixed, so that the bytes do not depend on the Python version


@dataclass(frozen=True)
class MOTSequence:
    """One sequence, or a part of its frames.

    Attributes:
        folder: Folder with seqinfo.ini.
        info: What seqinfo.ini says.
        images: Names of the images, in order.
        frames: Their frame numbers as in gt.txt.
    """

    folder: Path
    info: SeqInfo
    images: tuple[str, ...]
    frames: tuple[int, ...]

    @classmethod
    def open(cls, folder: str | os.PathLike) -> MOTSequence:
        """Read the description and the list of images.

        Raises:
            FileNotFoundError: seqinfo.ini or the images are missing.
            ValueError: the description is incomplete, disagrees with the images, or an image
                is not named by its frame number.
        """
        folder = Path(folder)
        info = read_seqinfo(folder / "seqinfo.ini", required=SEQINFO_KEYS[:-1])
        if leads_out(info.im_dir):
            raise ValueError(f"{folder / 'seqinfo.ini'}: imDir {info.im_dir!r} leads elsewhere")
        names = list_images(folder / info.im_dir)
        if len(names) != info.length:
            raise ValueError(
                f"{folder / 'seqinfo.ini'}: seqLength is {info.length}, but "
                f"{folder / info.im_dir} holds {len(names)} images"
            )
        for name in names:
            if not Path(name).stem.isdecimal():
                raise ValueError(f"{folder / info.im_dir / name} is not named by a frame number")
        return cls(folder, info, tuple(names), tuple(int(Path(name).stem) for name in names))

    @property
    def name(self) -> str:
        """Name of its folder, which file names and results refer to."""
        return self.folder.name

    def file_name(self, index: int) -> str:
        """Path of an image relative to the folder of all sequences."""
        return f"{self.name}/{self.info.im_dir}/{self.images[index]}"

    def part(self, rows: slice) -> MOTSequence:
        """The same sequence with some of its frames."""
        return replace(self, images=self.images[rows], frames=self.frames[rows])

    def halves(self) -> tuple[MOTSequence, MOTSequence]:
        """First and second half; the first has the frame in the middle."""
        split = len(self.images) // 2 + 1
        return self.part(slice(split)), self.part(slice(split, None))

    def ground_truth(self) -> MOTTable | None:
        """Rows of gt.txt in these frames; None where there is none, as in test sets.

        Files of ten columns (MOT15) know neither classes nor visibility: everything is a fully
        visible pedestrian.
        """
        path = self.folder / "gt" / "gt.txt"
        if not path.is_file():
            return None
        table = read_mot_txt(path, drop_empty=True)
        if "MOT15" in str(self.folder.absolute()) or np.all(table.classes < 0):
            ones = np.ones(len(table))
            table = MOTTable.from_columns(table.frames, table.ids, table.boxes, ones, ones, ones)
        return self._in_frames(table)

    def detections(self) -> MOTTable:
        """Rows of det.txt in these frames.

        Raises:
            FileNotFoundError: there is no det.txt.
        """
        return self._in_frames(read_mot_txt(self.folder / "det" / "det.txt", drop_empty=True))

    def _in_frames(self, table: MOTTable) -> MOTTable:
        return table[np.isin(table.frames, self.frames)]

    def write_ground_truth(self, subset: str) -> None:
        """Copy the rows of gt.txt in these frames, unchanged, to ``gt/gt_<subset>.txt``."""
        wanted = set(self.frames)
        text = read_text(self.folder / "gt" / "gt.txt")
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        kept = [line for line in lines if int(float(line.split(",", 1)[0])) in wanted]
        with atomic_write(self.folder / "gt" / f"gt_{subset}.txt") as file:
            file.writelines(line + "\n" for line in kept)


def find_sequences(folder: str | os.PathLike) -> list[MOTSequence]:
    """All sequences of a split, by name.

    Raises:
        FileNotFoundError: there is no such folder, or no sequence in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}")
    names = [
        entry.name
        for entry in folder.iterdir()
        if entry.is_dir() and not entry.name.startswith(".")
    ]
    if not names:
        raise FileNotFoundError(f"{folder} holds no sequences (folders with seqinfo.ini)")
    return [MOTSequence.open(folder / name) for name in sorted(names, key=natural_key)]


def convert_mot_subset(
    sequences: Iterable[MOTSequence], counter: IdCounter | None = None
) -> CocoVidWriter:
    """Make a CocoVID file of sequences.

    Pedestrians are kept, also those marked not to be evaluated; other classes are left out.
    Instance ids count from 1 over all sequences.

    Args:
        sequences: The videos.
        counter: Source of the ids, shared by the subsets of a data set.
    """
    writer = CocoVidWriter(MOT_CATEGORIES, counter or IdCounter())
    instances: dict[tuple[str, int], int] = {}
    for sequence in sequences:
        image_ids = _add_frames(writer, sequence)
        truth = sequence.ground_truth()
        if truth is not None:
            _add_boxes(
                writer, sequence.name, truth[truth.classes == PEDESTRIAN], image_ids, instances
            )
    writer.extra["num_instances"] = len(instances)
    return writer


def _add_frames(writer: CocoVidWriter, sequence: MOTSequence) -> dict[int, int]:
    """Add a video and its images; image id of each frame number."""
    info = sequence.info
    size = {"width": info.width, "height": info.height}
    video_id = writer.add_video(sequence.name, fps=info.frame_rate, **size)
    return {
        frame: writer.add_image(
            sequence.file_name(index),
            **size,
            video_id=video_id,
            frame_id=index,
            mot_frame_id=frame,
        )
        for index, frame in enumerate(sequence.frames)
    }


def _add_boxes(
    writer: CocoVidWriter,
    name: str,
    truth: MOTTable,
    image_ids: dict[int, int],
    instances: dict[tuple[str, int], int],
) -> None:
    """Add the boxes of a sequence, frame by frame, and number new instances."""
    columns = (truth.frames, truth.ids, truth.boxes, truth.scores, truth.classes, truth.visibility)
    for frame, track, bbox, conf, mot_class, visibility in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        instance_id = instances.setdefault((name, track), len(instances) + 1)
        writer.add_annotation(
            image_ids[frame],
            1,
            bbox,
            visibility=visibility,
            instance_id=instance_id,
            mot_instance_id=track,
            mot_conf=conf,
            mot_class_id=mot_class,
        )


def public_detections(sequences: Iterable[MOTSequence]) -> dict[str, dict[str, list]]:
    """Public detections by image: ``{'det_bboxes': {file name: [(n, 5) float32]}}``.

    Rows are x1, y1, x2, y2, score; images without detections have none.
    """
    found = {}
    for sequence in sequences:
        table = sequence.detections()
        corners = table.boxes.copy()
        corners[:, 2:] += corners[:, :2]
        rows = np.concatenate((corners, table.scores[:, None]), 1).astype(np.float32)
        # Rows are sorted by frame, so each frame is a range of them.
        begins = np.searchsorted(table.frames, sequence.frames, "left")
        ends = np.searchsorted(table.frames, sequence.frames, "right")
        for index, (begin, end) in enumerate(zip(begins, ends, strict=True)):
            found[sequence.file_name(index)] = [rows[begin:end].copy()]
    return {"det_bboxes": found}


def write_detections(path: str | os.PathLike, detections: dict) -> None:
    """Write public detections in the pickle layout that ``detection_file`` reads."""
    with atomic_write(path, "wb") as file:
        pickle.dump(detections, file, protocol=_PICKLE_PROTOCOL)
