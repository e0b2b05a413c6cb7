# Model and schedule without data: a parent of configs.
_base_ = ["../../_base_/models/qdtrack_faster_rcnn_r50_fpn.py", "../../_base_/default_runtime.py"]
optimizer_config = dict(_delete_=True, grad_clip=dict(max_norm=35, norm_type=2))
lr_config = dict(policy="step", step=[3])
total_epochs = 4
evaluation = dict(metric=["bbox", "track"], interval=1)
