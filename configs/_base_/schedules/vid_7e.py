# 7 epochs of SGD over ImageNet VID and DET, evaluated at the end.
_base_ = "../default_runtime.py"
optimizer = dict(lr=0.01)
optimizer_config = dict(_delete_=True, grad_clip=dict(max_norm=35, norm_type=2))
lr_config = dict(
    policy="step", warmup="linear", warmup_iters=500, warmup_ratio=1.0 / 3, step=[2, 5]
)
total_epochs = 7
evaluation = dict(metric=["bbox"], interval=7)
