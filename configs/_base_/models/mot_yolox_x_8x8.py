# YOLOX-x for one class of MOTChallenge, with images of 800 x 1440, starting from COCO.
_base_ = "./yolox_x_8x8.py"
model = dict(
    detector=dict(
        input_size=(800, 1440),
        random_size_range=(18, 32),
        bbox_head=dict(num_classes=1),
        test_cfg=dict(nms=dict(iou_threshold=0.7)),
        init_cfg=dict(
            type="Pretrained",
            checkpoint="https://download.openmmlab.com/mmdetection/v2.0/yolox/"
            "yolox_x_8x8_300e_coco/yolox_x_8x8_300e_coco_20211126_140254-1ef88d67.pth",
        ),
    )
)
