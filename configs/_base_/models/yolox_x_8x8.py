# YOLOX-x on the 80 classes of COCO, as a part of a video model.
model = dict(
    detector=dict(
        type="YOLOX",
        input_size=(640, 640),
        random_size_range=(15, 25),  # times 32 pixels
        random_size_interval=10,
        backbone=dict(type="CSPDarknet", deepen_factor=1.33, widen_factor=1.25),
        neck=dict(
            type="YOLOXPAFPN", in_channels=[320, 640, 1280], out_channels=320, num_csp_blocks=4
        ),
        bbox_head=dict(type="YOLOXHead", num_classes=80, in_channels=320, feat_channels=320),
        train_cfg=dict(assigner=dict(type="SimOTAAssigner", center_radius=2.5)),
        test_cfg=dict(score_thr=0.01, nms=dict(type="nms", iou_threshold=0.65)),
    )
)
