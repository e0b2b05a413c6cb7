"""ReID retrieval scores, against a loop over queries."""

import numpy as np
import pytest

from mmtrack.core.evaluation import eval_reid, reid_metrics


def loop_over_queries(embeds, labels, ranks):
    precisions, first_hits = [], []
    for i in range(len(labels)):
        others = sorted(
            (float(((embeds[i] - embeds[j]) ** 2).sum()), j) for j in range(len(labels)) if j != i
        )
        hits = [rank for rank, (_, j) in enumerate(others, 1) if labels[j] == labels[i]]
        if hits:
            precisions.append(np.mean([(k + 1) / rank for k, rank in enumerate(hits)]))
            first_hits.append(hits[0])
    cmc = {f"R{r}": np.mean(np.array(first_hits) <= r) for r in ranks}
    return {"mAP": np.mean(precisions), **cmc}


def problem(seed, ids=7, each=4, single=0, spread=0.7):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.r_[np.repeat(np.arange(ids), each), ids + np.arange(single)])
    centres = rng.normal(0, 1, (labels.max() + 1, 8))
    return centres[labels] + spread * rng.normal(size=(len(labels), 8)), labels


@pytest.mark.parametrize("single", [0, 5], ids=["pairs", "with-lone-images"])
@pytest.mark.parametrize("seed", range(4))
def test_equals_a_loop(seed, single):
    embeds, labels = problem(seed, single=single)
    found = eval_reid(embeds, labels)
    assert found == pytest.approx(loop_over_queries(embeds, labels, (1, 5, 10, 20)))


def test_batches_do_not_change_the_scores(monkeypatch):
    embeds, labels = problem(0)
    want = eval_reid(embeds, labels)
    monkeypatch.setattr(reid_metrics, "BATCH_CELLS", 50)
    assert eval_reid(embeds, labels) == pytest.approx(want)


def test_ranks_beyond_the_number_of_images():
    embeds, labels = problem(1, ids=2, each=2)
    found = eval_reid(embeds, labels, rank_list=(1, 20))
    assert found["R20"] == 1


def test_ranks_and_metrics_are_chosen():
    embeds, labels = problem(2)
    assert list(eval_reid(embeds, labels, metrics=["mAP"])) == ["mAP"]
    assert list(eval_reid(embeds, labels, metrics=["CMC"], rank_list=[3], max_rank=3)) == ["R3"]


def test_well_separated_identities_are_perfect():
    embeds, labels = problem(3, spread=1e-3)
    assert set(eval_reid(embeds, labels).values()) == {1.0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metrics": ["AP"]}, "unknown metric 'AP'"),
        ({"labels": np.arange(28)}, "no identity has two images"),
        ({"labels": np.arange(3)}, "there are 3 labels"),
        ({"embeds": np.full((28, 8), np.nan)}, "embedding of image 0 is not finite"),
        ({"rank_list": [30]}, r"rank_list \[30\] must lie within 1 and max_rank 20"),
    ],
    ids=["metric", "all-different", "lengths", "nan", "rank"],
)
def test_bad_input_is_named(change, message):
    embeds, labels = problem(0)
    with pytest.raises(ValueError, match=message):
        eval_reid(**{"embeds": embeds, "labels": labels, **change})
