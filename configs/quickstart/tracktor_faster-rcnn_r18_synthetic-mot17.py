# Tracktor: the detector that faster-rcnn_r18_synthetic-mot17.py trains and the ReID model that
# reid_resnet18_synthetic-mot17.py trains; both say how to make their data. The weights are named
# below, so that no --checkpoint is needed:
#   python tools/test.py configs/quickstart/tracktor_faster-rcnn_r18_synthetic-mot17.py \
#       --eval bbox track
#   python demo/demo_mot_vis.py configs/quickstart/tracktor_faster-rcnn_r18_synthetic-mot17.py \
#       --input data/synthetic/MOT17/test/MOT17-03-FRCNN/img1 --output tracked.mp4
_base_ = "./faster-rcnn_r18_synthetic-mot17.py"
USE_MMDET = False
work_dirs = "work_dirs/quickstart/"
model = dict(
    type="Tracktor",
    detector=dict(
        init_cfg=dict(
            type="Pretrained",
            checkpoint=work_dirs + "faster-rcnn_r18_synthetic-mot17/latest.pth",
        )
    ),
    reid=dict(
        type="BaseReID",
        backbone=dict(
            type="ResNet",
            depth=18,
            base_channels=16,
            num_stages=4,
            out_indices=(3,),
            style="pytorch",
        ),
        neck=dict(type="GlobalAveragePooling", kernel_size=(4, 2), stride=1),
        head=dict(
            type="LinearReIDHead",
            num_fcs=1,
            in_channels=128,
            fc_channels=128,
            out_channels=64,
            num_classes=256,
            loss=dict(type="CrossEntropyLoss", loss_weight=1.0),
            loss_pairwise=dict(type="TripletLoss", margin=0.3, loss_weight=1.0),
            norm_cfg=dict(type="BN1d"),
            act_cfg=dict(type="ReLU"),
        ),
        init_cfg=dict(
            type="Pretrained", checkpoint=work_dirs + "reid_resnet18_synthetic-mot17/latest.pth"
        ),
    ),
    # The camera is measured in small frames; the boxes lie in the large ones.
    motion=dict(type="CameraMotionCompensation", num_iters=50, stop_eps=1e-4),
    tracker=dict(
        type="TracktorTracker",
        # Found by tools/analysis/mot/mot_param_search.py.
        obj_score_thr=0.7,
        regression=dict(
            obj_score_thr=0.5, nms=dict(type="nms", iou_threshold=0.6), match_iou_thr=0.3
        ),
        reid=dict(
            num_samples=10,
            img_scale=(128, 64),
            img_norm_cfg=None,
            match_score_thr=1.5,
            match_iou_thr=0.2,
        ),
        num_frames_retain=30,
        rescale_camera_motion=True,
    ),
)
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(
        type="MultiScaleFlipAug",
        img_scale=(320, 192),
        flip=False,
        transforms=[
            dict(type="Resize", keep_ratio=True),
            dict(type="RandomFlip"),
            dict(
                type="Normalize",
                mean=[123.675, 116.28, 103.53],
                std=[58.395, 57.12, 57.375],
                to_rgb=True,
            ),
            dict(type="Pad", size_divisor=32),
            dict(type="ImageToTensor", keys=["img"]),
            dict(type="VideoCollect", keys=["img"]),
        ],
    ),
]
data_root = "data/synthetic/MOT17/"
held_out = dict(
    _delete_=True,
    type="MOTChallengeDataset",
    ann_file=data_root + "annotations/test_cocoformat.json",
    img_prefix=data_root + "test",
    ref_img_sampler=None,
    pipeline=test_pipeline,
)
data = dict(val=held_out, test=held_out)
evaluation = dict(metric=["bbox", "track"])
del work_dirs
