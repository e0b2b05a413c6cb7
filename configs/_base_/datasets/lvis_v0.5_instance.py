# Boxes and masks of LVIS v0.5, for detectors; images with rare classes are shown more often.
_base_ = "./coco_instance.py"
dataset_type = "LVISV05Dataset"
data_root = "data/lvis_v0.5/"
validation = dict(
    type=dataset_type,
    ann_file=data_root + "annotations/lvis_v0.5_val.json",
    img_prefix=data_root + "val2017/",
)
data = dict(
    train=dict(
        _delete_=True,
        type="ClassBalancedDataset",
        oversample_thr=1e-3,
        dataset=dict(
            type=dataset_type,
            ann_file=data_root + "annotations/lvis_v0.5_train.json",
            img_prefix=data_root + "train2017/",
            pipeline={{_base_.train_pipeline}},  # noqa: F821
        ),
    ),
    val=validation,
    test=validation,
)
del validation
