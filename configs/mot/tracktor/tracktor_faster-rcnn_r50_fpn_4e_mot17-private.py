_base_ = "./tracktor_faster-rcnn_r50_fpn_4e_mot17-private-half.py"
# Trained on all of train; results on the test set are for the server of the benchmark
model = dict(
    detector=dict(
        init_cfg=dict(
            checkpoint="https://download.openmmlab.com/mmtracking/mot/faster_rcnn/"
            "faster-rcnn_r50_fpn_4e_mot17-ffa52ae7.pth"
        ),
    ),
)
test_set = "test"
data_root = "data/MOT17/"
data = dict(
    train=dict(
        ann_file=data_root + "annotations/train_cocoformat.json",
        img_prefix=data_root + "train",
    ),
    val=dict(
        ann_file=data_root + "annotations/train_cocoformat.json",
        img_prefix=data_root + "train",
    ),
    test=dict(
        ann_file=data_root + "annotations/test_cocoformat.json",
        img_prefix=data_root + "test",
    ),
)
