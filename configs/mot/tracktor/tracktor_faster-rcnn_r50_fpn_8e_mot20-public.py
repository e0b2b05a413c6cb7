_base_ = "./tracktor_faster-rcnn_r50_fpn_8e_mot20-private-half.py"
# Trained on all of train; results on the test set are for the server of the benchmark. As
# published, detections are named, but without LoadDetections in the pipeline nobody reads them.
model = dict(
    detector=dict(
        init_cfg=dict(
            checkpoint="https://download.openmmlab.com/mmtracking/mot/faster_rcnn/"
            "faster-rcnn_r50_fpn_8e_mot20_20210804_162232-7fde5e8d.pth"
        ),
    ),
)
test_set = "test"
data_root = "data/MOT20/"
data = dict(
    train=dict(
        ann_file=data_root + "annotations/train_cocoformat.json",
        img_prefix=data_root + "train",
    ),
    val=dict(
        ann_file=data_root + "annotations/train_cocoformat.json",
        img_prefix=data_root + "train",
        detection_file=data_root + "annotations/train_detections.pkl",
    ),
    test=dict(
        ann_file=data_root + "annotations/test_cocoformat.json",
        img_prefix=data_root + "test",
        detection_file=data_root + "annotations/test_detections.pkl",
    ),
)
