# QDTrack on Faster R-CNN for the 482 classes of TAO, which keeps detections of any score.
_base_ = "./qdtrack_faster_rcnn_r50_fpn.py"
model = dict(
    detector=dict(
        backbone=dict(
            depth=101,
            norm_cfg=dict(requires_grad=True),
            style="pytorch",
            init_cfg=dict(checkpoint="torchvision://resnet101"),
        ),
        rpn_head=dict(bbox_coder=dict(clip_border=True)),
        roi_head=dict(bbox_head=dict(num_classes=482, bbox_coder=dict(clip_border=True))),
        test_cfg=dict(rcnn=dict(score_thr=0.0001, max_per_img=300)),
        init_cfg=None,
    ),
    track_head=dict(train_cfg=dict(assigner=dict(neg_iou_thr=0.3))),
    tracker=dict(
        _delete_=True,
        type="QuasiDenseTAOTracker",
        init_score_thr=0.0001,
        obj_score_thr=0.0001,
        match_score_thr=0.5,
        memo_frames=10,
        memo_momentum=0.8,
        momentum_obj_score=0.5,
        obj_score_diff_thr=1.0,
        distractor_nms_thr=0.3,
        distractor_score_thr=0.5,
        match_metric="bisoftmax",
        match_with_cosine=True,
    ),
)
