# Boxes and masks of LVIS v1, for detectors; images with rare classes are shown more often.
_base_ = "./coco_instance.py"
dataset_type = "LVISV1Dataset"
data_root = "data/lvis_v1/"
validation = dict(
    type=dataset_type,
    ann_file=data_root + "annotations/lvis_v1_val.json",
    img_prefix=data_root,  # file names begin with the folder
)
data = dict(
    train=dict(
        _delete_=True,
        type="ClassBalancedDataset",
        oversample_thr=1e-3,
        dataset=dict(
            type=dataset_type,
            ann_file=data_root + "annotations/lvis_v1_train.json",
            img_prefix=data_root,
            pipeline={{_base_.train_pipeline}},  # noqa: F821
        ),
    ),
    val=validation,
    test=validation,
)
del validation
