# 4 epochs of SGD, and what MOT configs evaluate and search for.
_base_ = "../default_runtime.py"
lr_config = dict(policy="step", warmup="linear", warmup_iters=100, warmup_ratio=1.0 / 100, step=[3])
total_epochs = 4
evaluation = dict(metric=["bbox", "track"], interval=1)
search_metrics = ["MOTA", "IDF1", "FN", "FP", "IDs", "MT", "ML"]
