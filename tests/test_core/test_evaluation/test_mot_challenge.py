"""MOTChallenge scores, against the evaluation kits with their own preprocessing."""

import motmetrics
import numpy as np
import pandas as pd
import pytest

from mmtrack.core.evaluation import MOTTable, evaluate_mot_challenge, format_score_table

KINDS = {
    "distractors": {"distractors": (7, 2, 8, 12), "objects": 9},
    "vehicles": {"distractors": (6, 6, 3, 9), "objects": 9},
    "dense": {"distractors": (7, 12, 1, 6), "objects": 12, "spread": 20, "noise": 12.0},
}


@pytest.fixture
def sequences(scene):
    """Ground truth and results by name: ``sequences(kind, count)``."""

    def make(kind, count=3, **more):
        made = {f"S-{i}": scene(i, **KINDS[kind], **more) for i in range(count)}
        return {n: p[0] for n, p in made.items()}, {n: p[1] for n, p in made.items()}

    return make


def assert_same(found, want, rtol=1e-10):
    assert found.keys() == want.keys()
    for name, row in want.items():
        assert found[name].keys() == row.keys()
        np.testing.assert_allclose(
            [found[name][key] for key in row],
            list(row.values()),
            rtol=rtol,
            err_msg=f"{name}: {list(row)}",
        )


@pytest.mark.parametrize("benchmark", ["MOT15", "MOT17", "MOT20", "DanceTrack"])
@pytest.mark.parametrize("kind", KINDS)
def test_fast_equals_reference(sequences, kind, benchmark):
    gts, results = sequences(kind)
    fast = evaluate_mot_challenge(gts, results, benchmark=benchmark)
    assert_same(
        fast, evaluate_mot_challenge(gts, results, benchmark=benchmark, backend="reference")
    )
    assert list(fast) == [*gts, "OVERALL"]


def data_frame(table):
    """A table as motmetrics reads it from a file."""
    columns = ["X", "Y", "Width", "Height", "Confidence", "ClassId", "Visibility"]
    values = np.c_[table.boxes, table.scores, table.classes, table.visibility]
    index = pd.MultiIndex.from_arrays([table.frames, table.ids], names=["FrameId", "Id"])
    frame = pd.DataFrame(values, columns=columns, index=index)
    return frame.sort_index(level=0, kind="stable", sort_remaining=False)


@pytest.mark.parametrize("kind", KINDS)
def test_removal_of_distractors_is_that_of_motmetrics(sequences, kind, tmp_path, monkeypatch):
    monkeypatch.setattr(np, "asfarray", lambda a: np.asarray(a, float), raising=False)
    gts, results = sequences(kind)
    (tmp_path / "seqinfo.ini").write_text("[Sequence]\nseqLength=25\n")
    events = [
        motmetrics.utils.CLEAR_MOT_M(
            data_frame(gts[name]), data_frame(results[name]), str(tmp_path / "seqinfo.ini")
        )[0]
        for name in gts
    ]
    table = motmetrics.metrics.create().compute_many(
        events,
        names=list(gts),
        metrics=motmetrics.metrics.motchallenge_metrics,
        generate_overall=True,
    )
    want = table.rename(columns=motmetrics.io.motchallenge_metric_names).to_dict("index")
    assert_same(evaluate_mot_challenge(gts, results, metrics=("Identity", "CLEAR")), want)


def test_results_on_distractors_do_not_count(table):
    person, static = (0, 0, 10, 10), (50, 50, 10, 10)
    gt = table((1, 1, *person), (1, 2, *static), scores=[1, 0], classes=[1, 7])
    res = table((1, 1, *person), (1, 2, *static))
    scores = {
        benchmark: evaluate_mot_challenge({"a": gt}, {"a": res}, benchmark=benchmark)["OVERALL"]
        for benchmark in ("MOT15", "MOT17")
    }
    assert (scores["MOT17"]["FP"], scores["MOT17"]["MOTA"], scores["MOT17"]["HOTA"]) == (0, 1, 1)
    assert (scores["MOT15"]["FP"], scores["MOT15"]["GT"]) == (1, 1)


def test_vehicles_are_distractors_of_mot20_for_hota_only(table):
    person, vehicle = (0, 0, 10, 10), (50, 50, 10, 10)
    gt = table((1, 1, *person), (1, 2, *vehicle), scores=[1, 0], classes=[1, 6])
    res = table((1, 1, *person), (1, 2, *vehicle))
    mot17, mot20 = (
        evaluate_mot_challenge({"a": gt}, {"a": res}, benchmark=b)["OVERALL"]
        for b in ("MOT17", "MOT20")
    )
    assert mot20["HOTA"] == pytest.approx(1)
    assert mot17["HOTA"] < 1
    assert mot17["FP"] == mot20["FP"] == 1


def read_rows(path):
    return np.loadtxt(path, delimiter=",", ndmin=2)


@pytest.fixture
def campus(shared):
    """Ground truth and detections of TUD-Campus, detections numbered within each frame."""
    folder = shared / "data/MOT15/train/TUD-Campus"
    gt, det = read_rows(folder / "gt/gt.txt"), read_rows(folder / "det/det.txt")
    det = det[np.argsort(det[:, 0], kind="stable")]
    starts = np.searchsorted(det[:, 0], det[:, 0])
    numbers = np.arange(len(det)) - starts
    return (
        MOTTable.from_columns(gt[:, 0], gt[:, 1], gt[:, 2:6], gt[:, 6], gt[:, 7]),
        MOTTable.from_columns(det[:, 0], numbers, det[:, 2:6], det[:, 6]),
    )


def test_real_ground_truth_against_itself_is_perfect(campus):
    gt, _ = campus
    for backend in ("fast", "reference"):
        scores = evaluate_mot_challenge({"a": gt}, {"a": gt}, benchmark="MOT15", backend=backend)
        overall = scores["OVERALL"]
        ratios = [overall[k] for k in ("MOTA", "IDF1", "IDP", "IDR", "Rcll", "Prcn", "HOTA")]
        np.testing.assert_allclose(ratios, 1)
        assert [overall[k] for k in ("FP", "FN", "IDs", "FM", "MOTP")] == [0, 0, 0, 0, 0]
        assert overall["GT"] == overall["MT"] == 8


def test_real_detections_score_as_in_the_kits(campus):
    gt, det = campus
    found, want = (
        evaluate_mot_challenge({"a": gt}, {"a": det}, benchmark="MOT15", backend=backend)
        for backend in ("fast", "reference")
    )
    assert_same(found, want)
    assert 0.5 < found["OVERALL"]["Rcll"] < 1
    assert found["OVERALL"]["IDs"] > 0


def test_metrics_and_threshold_are_chosen(sequences):
    gts, results = sequences("distractors", 1)
    assert "IDF1" not in evaluate_mot_challenge(gts, results, metrics=["HOTA"])["OVERALL"]
    assert "HOTA" not in evaluate_mot_challenge(gts, results, metrics=["CLEAR"])["OVERALL"]
    loose, strict = (
        evaluate_mot_challenge(gts, results, iou_thr=thr)["OVERALL"] for thr in (0.3, 0.8)
    )
    assert loose["FN"] < strict["FN"]
    assert loose["HOTA"] == strict["HOTA"]


def test_overall_motp_stays_defined_where_one_sequence_has_no_match(sequences, empty_table):
    gts, results = sequences("distractors", 2)
    results["S-1"] = empty_table
    scores = evaluate_mot_challenge(gts, results)
    assert np.isnan(scores["S-1"]["MOTP"])
    assert scores["OVERALL"]["MOTP"] == pytest.approx(scores["S-0"]["MOTP"])


def test_nothing_found_scores_zero(sequences, empty_table):
    gts, _ = sequences("distractors", 1)
    overall = evaluate_mot_challenge(gts, {"S-0": empty_table})["OVERALL"]
    assert (overall["MOTA"], overall["IDF1"], overall["HOTA"], overall["Rcll"]) == (0, 0, 0, 0)


def test_sequences_without_ground_truth_are_left_aside(sequences):
    gts, results = sequences("distractors", 1)
    want = evaluate_mot_challenge(gts, results)
    assert evaluate_mot_challenge(gts, {"other": results["S-0"], **results}) == want


def test_input_is_not_modified(sequences):
    gts, results = sequences("dense", 1)
    before = [np.copy(t.boxes) for t in (gts["S-0"], results["S-0"])]
    evaluate_mot_challenge(gts, results)
    for table, boxes in zip((gts["S-0"], results["S-0"]), before, strict=True):
        np.testing.assert_array_equal(table.boxes, boxes)


class TestErrors:
    def moved(self, table, frames=0, x=0, **columns):
        return MOTTable.from_columns(
            table.frames + frames, table.ids, table.boxes + [x, 0, 0, 0], **columns
        )

    def test_no_common_frames(self, sequences):
        gts, results = sequences("distractors", 1)
        results = {"S-0": self.moved(results["S-0"], frames=500)}
        with pytest.raises(
            ValueError, match="no frame number in common.*frames 1 to 25.*frames 50"
        ):
            evaluate_mot_challenge(gts, results)

    def test_no_common_place(self, sequences):
        gts, results = sequences("distractors", 1)
        results = {"S-0": self.moved(results["S-0"], x=1e5)}
        with pytest.raises(ValueError, match=r"overlap no ground truth.*class names and ids.*box"):
            evaluate_mot_challenge(gts, results)

    def test_ground_truth_that_is_never_counted(self, sequences):
        gts, results = sequences("distractors", 1)
        marked = self.moved(
            gts["S-0"], scores=np.zeros(len(gts["S-0"])), classes=gts["S-0"].classes
        )
        with pytest.raises(ValueError, match="every row has confidence 0 or another class"):
            evaluate_mot_challenge({"S-0": marked}, results)

    def test_ground_truth_without_classes(self, sequences):
        gts, results = sequences("distractors", 1)
        with pytest.raises(ValueError, match="has class -1, which MOT17 does not have.*MOT15"):
            evaluate_mot_challenge({"S-0": self.moved(gts["S-0"])}, results)

    def test_results_of_other_classes(self, sequences):
        gts, results = sequences("distractors", 1)
        cars = self.moved(results["S-0"], classes=np.full(len(results["S-0"]), 3))
        with pytest.raises(ValueError, match="results of sequence S-0 contain class 3"):
            evaluate_mot_challenge(gts, {"S-0": cars})

    def test_missing_sequence(self, sequences):
        gts, results = sequences("distractors", 2)
        with pytest.raises(ValueError, match=r"no results for the sequences \['S-1'\]"):
            evaluate_mot_challenge(gts, {"S-0": results["S-0"]})

    def test_frame_beyond_the_sequence(self, sequences):
        gts, results = sequences("distractors", 1)
        with pytest.raises(ValueError, match="ground truth of sequence S-0: frames 1 to 25 do not"):
            evaluate_mot_challenge(gts, results, seq_lengths={"S-0": 20})

    def test_no_sequences(self):
        with pytest.raises(ValueError, match="no ground truth to evaluate with"):
            evaluate_mot_challenge({}, {})

    @pytest.mark.parametrize(
        ("option", "message"),
        [
            ({"metrics": ["MOTA"]}, "unknown metric 'MOTA'; known are CLEAR"),
            ({"backend": "slow"}, "unknown backend 'slow'; known are fast, reference"),
        ],
        ids=["metric", "backend"],
    )
    def test_unknown_choice(self, sequences, option, message):
        gts, results = sequences("distractors", 1)
        with pytest.raises(ValueError, match=message):
            evaluate_mot_challenge(gts, results, **option)


def test_score_table_aligns_ratios_counts_and_gaps():
    text = format_score_table(
        {"a": {"MOTA": 0.5, "MOTP": 0.0801, "IDs": 3}, "OVERALL": {"MOTA": float("nan"), "IDs": 12}}
    )
    assert text.splitlines() == [
        "         MOTA   MOTP  IDs",
        "a        50.0  0.080    3",
        "OVERALL     -      -   12",
    ]
    assert "MOTP" not in format_score_table({"a": {"MOTA": 1.0, "MOTP": 1.0}}, keys=["MOTA"])
    details = {"a": {"HOTA": 1.0, "OWTA": 1.0}}
    assert "OWTA" not in format_score_table(details)
    assert "OWTA" in format_score_table(details, keys=["OWTA"])
