# Pairs of frames of MOT17, and images of CrowdHuman paired with themselves.
_base_ = "./qdtrack_faster-rcnn_r50_fpn_4e_mot17-private-half.py"
mot_cfg = dict(
    type="MOTChallengeDataset",
    classes=("pedestrian",),
    visibility_thr=-1,
    ann_file="data/MOT17/annotations/half-train_cocoformat.json",
    img_prefix="data/MOT17/train",
    ref_img_sampler=dict(num_ref_imgs=1, frame_range=10, method="uniform"),
    pipeline={{_base_.train_pipeline}},  # noqa: F821
)
crowdhuman_cfg = dict(
    type="CocoVideoDataset",
    load_as_video=False,
    classes=("pedestrian",),
    ann_file="data/crowdhuman/annotations/crowdhuman_train.json",
    img_prefix="data/crowdhuman/train",
    pipeline={{_base_.train_pipeline}},  # noqa: F821
)
data = dict(
    train=dict(
        _delete_=True,
        type="ConcatDataset",
        datasets=[mot_cfg, crowdhuman_cfg],
        separate_eval=False,
    )
)
