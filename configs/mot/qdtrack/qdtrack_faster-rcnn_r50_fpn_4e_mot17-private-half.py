_base_ = [
    "./qdtrack_faster-rcnn_r50_fpn_4e_base.py",
    "../../_base_/datasets/mot_challenge_caffe.py",
]
