# DeepSORT: the detector that bytetrack_yolox_tiny_synthetic-mot17.py trains and the ReID model that
# reid_resnet18_synthetic-mot17.py trains; needs no --checkpoint once both are there.
_base_ = "./sort_yolox_tiny_synthetic-mot17.py"
work_dirs = "work_dirs/quickstart/"
model = dict(
    detector=dict(
        init_cfg=dict(
            _delete_=True,
            type="Pretrained",
            checkpoint=work_dirs + "bytetrack_yolox_tiny_synthetic-mot17/latest.pth",
            prefix="detector.",
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
    tracker=dict(
        reid=dict(
            _delete_=True,
            num_samples=10,
            img_scale=(128, 64),
            # YOLOX sees plain pixels, the ReID model was trained on normalised ones.
            img_norm_cfg=dict(
                mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True
            ),
            match_score_thr=1.0,
        ),
        num_tentatives=2,
        num_frames_retain=30,
    ),
)
del work_dirs
