"""eval_mot: layout, classes, ignored regions; the numbers by motmetrics and by hand."""

import numpy as np
import pytest

from mmtrack.core.evaluation import eval_mot, evaluate_mot_challenge

KEYS = ["IDF1", "MOTA", "MOTP", "FP", "FN", "IDSw", "Rcll", "Prcn", "MT", "PT", "ML", "FM"]
BOX = [0, 0, 10, 10]
FAR = [200, 200, 240, 240]


def image(*rows):
    """Results of one class in one image: rows of id and box."""
    return np.array([[*row, 0.9] for row in rows], np.float32).reshape(-1, 6)


def truth(*rows, ignore=(), **more):
    """Annotation of one image: rows of id, label and box."""
    rows = np.array(rows, float).reshape(-1, 6)
    return {
        "bboxes": rows[:, 2:].astype(np.float32),
        "labels": rows[:, 1].astype(int),
        "instance_ids": rows[:, 0].astype(int),
        "bboxes_ignore": np.array(ignore, np.float32).reshape(-1, 4),
        **more,
    }


def run(results, annotations, **options):
    return eval_mot(results, annotations, logger="silent", **options)


def lists_of(gt, res, frames):
    """The same boxes as per-image lists of one class."""
    corners = [np.c_[t.boxes[:, :2], t.boxes[:, :2] + t.boxes[:, 2:]] for t in (gt, res)]
    rows = np.c_[res.ids, corners[1], res.scores]
    video, anns = [], []
    for t in range(1, frames + 1):
        at = gt.frames == t
        video.append([rows[res.frames == t]])
        anns.append(
            {
                "bboxes": corners[0][at],
                "labels": np.zeros(at.sum(), int),
                "instance_ids": gt.ids[at],
            }
        )
    return video, anns


def test_scores_are_those_of_motmetrics(scene):
    pairs = [scene(seed) for seed in range(3)]
    results, annotations = zip(*(lists_of(*p, 25) for p in pairs), strict=True)
    found = run(list(results), list(annotations), classes=["person"])
    names = list(map(str, range(3)))
    judge = evaluate_mot_challenge(
        dict(zip(names, [p[0] for p in pairs], strict=True)),
        dict(zip(names, [p[1] for p in pairs], strict=True)),
        benchmark="MOT15",
        metrics=("CLEAR", "Identity"),
        backend="reference",
    )["OVERALL"]
    want = {**judge, "IDSw": judge["IDs"], "MOTP": 1 - judge["MOTP"]}
    for key in KEYS:
        assert found[key] == round(want[key], 3), key
    line = " ".join(str(found[key]) for key in KEYS)
    assert found["track_OVERALL_copypaste"] == line
    assert found["track_AVERAGE_copypaste"] == line
    assert list(found)[: len(KEYS)] == KEYS


def test_classes_are_matched_apart_and_averaged():
    # class 0: found in both frames; class 1: found in one of two frames and once wrongly
    annotations = [[truth((1, 0, *BOX), (2, 1, *FAR)), truth((1, 0, *BOX), (2, 1, *FAR))]]
    results = [
        [
            [image((5, *BOX)), image((7, *FAR))],
            [image((5, *BOX)), image((8, *BOX))],
        ]
    ]
    found = run(results, annotations, classes=["car", "person"])
    assert (found["FP"], found["FN"], found["IDSw"]) == (1, 1, 0)
    assert found["MOTA"] == 0.5
    average = dict(zip(KEYS, map(float, found["track_AVERAGE_copypaste"].split()), strict=True))
    assert average["MOTA"] == 0.5  # (1 + 0) / 2
    assert average["IDF1"] == 0.75  # (1 + 1/2) / 2
    assert average["FP"] == 1
    assert average["Rcll"] == 0.75


def test_a_class_that_never_occurs_does_not_lower_the_average():
    annotations = [[truth((1, 0, *BOX))]]
    found = run([[[image((5, *BOX)), image()]]], annotations, classes=["car", "person"])
    assert found["track_AVERAGE_copypaste"] == found["track_OVERALL_copypaste"]


class TestIgnoredRegions:
    def scores(self, *rows, label=0, ignore=(FAR,), **options):
        found = [[image(), image()]]
        found[0][label] = image(*rows)
        annotation = truth((1, 0, *BOX), ignore=ignore, labels_ignore=np.zeros(len(ignore), int))
        base = [image((1, *BOX)), image()]
        second = truth((1, 0, *BOX))
        return run([[found[0], base]], [[annotation, second]], classes=["a", "b"], **options)

    def test_results_inside_do_not_count(self):
        assert self.scores((1, *BOX), (9, 210, 210, 230, 230))["FP"] == 0

    def test_results_outside_count(self):
        assert self.scores((1, *BOX), (9, 300, 300, 330, 330))["FP"] == 1

    @pytest.mark.parametrize(("share", "false"), [(0.45, 1), (0.55, 0)])
    def test_the_share_inside_decides(self, share, false):
        x = 240 - 20 * share
        assert self.scores((1, *BOX), (9, x, 210, x + 20, 230))["FP"] == false

    def test_two_regions_do_not_add_up(self):
        halves = ([200, 200, 220, 240], [220, 200, 240, 240])
        row = (9, 211, 210, 231, 230)  # 45 % in the first, 55 % in the second
        assert self.scores((1, *BOX), row, ignore=halves)["FP"] == 0
        assert self.scores((1, *BOX), row, ignore=halves, ignore_iof_thr=0.6)["FP"] == 1

    def test_a_match_counts_although_it_lies_inside(self):
        scores = self.scores((1, *BOX), ignore=([-5, -5, 20, 20],))
        assert (scores["FN"], scores["FP"]) == (0, 0)

    def test_regions_concern_all_classes_unless_told_otherwise(self):
        row = (9, 210, 210, 230, 230)
        assert self.scores(row, label=1)["FP"] == 0
        assert self.scores(row, label=1, ignore_by_classes=True)["FP"] == 1

    def test_regions_by_class_need_their_labels(self):
        annotation = truth((1, 0, *BOX), ignore=[FAR])
        with pytest.raises(ValueError, match="ignore_by_classes needs `labels_ignore`"):
            run([[[image((1, *BOX))]]], [[annotation]], ignore_by_classes=True)


@pytest.mark.parametrize(
    ("results", "annotations", "message"),
    [
        ([], [[truth()]], "results have 0 videos and annotations 1"),
        ([[[image()]]], [[truth(), truth()]], "video 0: results have 1 images and annotations 2"),
        ([[[image()], [image(), image()]]], [[truth()] * 2], r"results of \[1, 2\] classes, where"),
        (
            [[[image((3, *BOX), (3, *FAR))]]],
            [[truth((1, 0, *BOX))]],
            "results of sequence video 0 class 0: frame 1 contains id 3 more than once",
        ),
        (
            [[[image((3, *BOX))]]],
            [[truth((1, 0, *BOX), (1, 0, *FAR))]],
            "ground truth of sequence video 0 class 0: frame 1 contains id 1 more than once",
        ),
        ([[[image((3, 0, 0, np.nan, 9))]]], [[truth((1, 0, *BOX))]], "id 3 has the box .*nan"),
        ([[[image((np.nan, *BOX))]]], [[truth((1, 0, *BOX))]], "track id that is not finite"),
        ([[[image((3, *FAR))]]], [[truth((1, 0, *BOX))]], "results overlap no ground truth at all"),
        (
            [[[image(), image((3, *BOX))]]],
            [[truth((1, 0, *BOX))]],
            r"across classes: ground truth has boxes of \['0'\], results of \['1'\]",
        ),
        ([[[image((3, *BOX))]]], [[{"bboxes": []}]], r"image 1: no \['instance_ids', 'labels'\]"),
        (
            [[[image()], [image()]]],
            [[truth(), truth((1, 2, *BOX))]],
            "video 0, image 2: label 2, while results have 1 classes",
        ),
    ],
    ids=[
        "videos", "images", "classes", "doubled", "doubled-gt", "nan", "nan-id", "apart",
        "mixed-classes", "no-ids", "unknown-label",
    ],
)  # fmt: skip
def test_bad_input_is_named(results, annotations, message):
    with pytest.raises(ValueError, match=message):
        run(results, annotations)


def test_frames_and_videos_without_boxes_are_normal():
    annotations = [[truth((1, 0, *BOX)), truth()], [truth()]]
    found = run([[[image((1, *BOX))], [image()]], [[image()]]], annotations)
    assert (found["MOTA"], found["FP"], found["FN"]) == (1, 0, 0)


def test_arguments_of_the_reference_are_accepted(capsys):
    results, annotations = [[[image((1, *BOX))]]], [[truth((1, 0, *BOX))]]
    plain = eval_mot(results, annotations, None, ["person"], 0.5, 0.5, False, 4)
    assert "OVERALL" in capsys.readouterr().out
    assert eval_mot(results, annotations, logger="silent", classes=["person"], nproc=1) == plain
    assert capsys.readouterr().out == ""
