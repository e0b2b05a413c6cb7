# Trains the track head beside the frozen detector of qdtrack_faster-rcnn_r101_fpn_24e_lvis.py:
# name its checkpoint with --cfg-options load_from=FILE.
_base_ = [
    "../../_base_/models/qdtrack_faster_rcnn_r101_fpn_tao.py",
    "../../_base_/datasets/tao.py",
    "../../_base_/default_runtime.py",
]
model = dict(freeze_detector=True)
optimizer = dict(lr=0.002)
optimizer_config = dict(_delete_=True, grad_clip=dict(max_norm=35, norm_type=2))
lr_config = dict(
    policy="step", step=[8, 11], warmup="linear", warmup_iters=1000, warmup_ratio=1.0 / 1000
)
total_epochs = 12
evaluation = dict(metric=["track"], start=1, interval=1)
work_dir = None
