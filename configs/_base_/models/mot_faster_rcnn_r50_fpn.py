# Faster R-CNN for one class of MOTChallenge, where boxes continue outside the image.
_base_ = "./faster_rcnn_r50_fpn.py"
model = dict(
    detector=dict(
        rpn_head=dict(bbox_coder=dict(clip_border=False)),
        roi_head=dict(bbox_head=dict(num_classes=1, bbox_coder=dict(clip_border=False))),
    )
)
