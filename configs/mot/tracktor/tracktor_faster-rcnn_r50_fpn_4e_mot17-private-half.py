_base_ = [
    "../../_base_/models/tracktor_faster_rcnn_r50_fpn.py",
    "../../_base_/datasets/mot_challenge.py",
    "../../_base_/schedules/mot_4e.py",
]
