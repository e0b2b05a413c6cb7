_base_ = "./qdtrack_faster-rcnn_r50_fpn_4e_mot17-private-half.py"
dataset_type = "DanceTrackDataset"
data_root = "data/dancetrack/"
data = dict(
    train=dict(
        type=dataset_type,
        ann_file=data_root + "annotations/train_cocoformat.json",
        img_prefix=data_root + "train",
    ),
    val=dict(
        type=dataset_type,
        ann_file=data_root + "annotations/val_cocoformat.json",
        img_prefix=data_root + "val",
    ),
    test=dict(
        type=dataset_type,
        ann_file=data_root + "annotations/val_cocoformat.json",
        img_prefix=data_root + "val",
    ),
)
