# Images of LVIS v0.5 and COCO 2017 for training, each paired with itself; TAO for testing.
_base_ = "./tao.py"
data_root = "data/tao/"
data = dict(
    train=dict(
        dataset=dict(
            _delete_=True,
            type="TaoDataset",
            classes=data_root + "annotations/tao_classes.txt",
            load_as_video=False,
            ann_file="data/lvis/annotations/lvisv0.5+coco_train.json",
            img_prefix="data/lvis/train/",
            pipeline={{_base_.train_pipeline}},  # noqa: F821
        )
    )
)
