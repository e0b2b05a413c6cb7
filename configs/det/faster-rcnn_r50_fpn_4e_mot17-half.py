USE_MMDET = True
_base_ = [
    "../_base_/models/mot_faster_rcnn_r50_fpn.py",
    "../_base_/datasets/mot_challenge_det.py",
    "../_base_/default_runtime.py",
]
model = dict(
    detector=dict(
        init_cfg=dict(
            type="Pretrained",
            checkpoint="http://download.openmmlab.com/mmdetection/v2.0/faster_rcnn/"
            "faster_rcnn_r50_fpn_2x_coco/"
            "faster_rcnn_r50_fpn_2x_coco_bbox_mAP-0.384_20200504_210434-a5d8aa15.pth",
        )
    )
)
lr_config = dict(policy="step", warmup="linear", warmup_iters=100, warmup_ratio=1.0 / 100, step=[3])
total_epochs = 4
