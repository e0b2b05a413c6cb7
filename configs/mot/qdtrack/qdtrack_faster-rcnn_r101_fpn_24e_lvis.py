# Trained on images, as a start for TAO.
_base_ = [
    "../../_base_/models/qdtrack_faster_rcnn_r101_fpn_tao.py",
    "../../_base_/datasets/lvis_tao.py",
    "../../_base_/default_runtime.py",
]
optimizer_config = dict(_delete_=True, grad_clip=dict(max_norm=35, norm_type=2))
lr_config = dict(
    policy="step", step=[16, 22], warmup="linear", warmup_iters=1000, warmup_ratio=1.0 / 1000
)
total_epochs = 24
evaluation = dict(metric=["bbox"], start=16, interval=2)
work_dir = None
