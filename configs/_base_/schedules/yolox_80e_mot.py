# 80 epochs of YOLOX on 8 GPUs with 4 images each, in half precision; the last 10 without mosaic.
_base_ = "../default_runtime.py"
total_epochs = 80
num_last_epochs = 10
interval = 5
optimizer = dict(
    lr=0.001 / 8 * 4,
    weight_decay=5e-4,
    nesterov=True,
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
)
fp16 = dict(loss_scale=dict(init_scale=512.0))
lr_config = dict(
    policy="YOLOX",
    warmup="exp",
    by_epoch=False,
    warmup_by_epoch=True,
    warmup_ratio=1,
    warmup_iters=1,
    num_last_epochs=num_last_epochs,
    min_lr_ratio=0.05,
)
custom_hooks = [
    dict(type="YOLOXModeSwitchHook", num_last_epochs=num_last_epochs, priority=48),
    dict(type="SyncNormHook", num_last_epochs=num_last_epochs, interval=interval, priority=48),
    dict(type="ExpMomentumEMAHook", resume_from=None, momentum=0.0001, priority=49),
]
evaluation = dict(metric=["bbox", "track"], interval=1)
search_metrics = ["MOTA", "IDF1", "FN", "FP", "IDs", "MT", "ML"]
