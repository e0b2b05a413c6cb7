_base_ = "./masktrack_rcnn_r50_fpn_12e_youtubevis2019.py"
model = dict(
    detector=dict(
        backbone=dict(depth=101, init_cfg=dict(checkpoint="torchvision://resnet101")),
        init_cfg=dict(
            checkpoint="https://download.openmmlab.com/mmdetection/v2.0/mask_rcnn/"
            "mask_rcnn_r101_fpn_1x_coco/mask_rcnn_r101_fpn_1x_coco_20200204-1efe0ed5.pth",
        ),
    )
)
