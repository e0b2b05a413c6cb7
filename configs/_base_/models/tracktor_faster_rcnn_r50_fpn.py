# Tracktor: the second stage of Faster R-CNN moves the boxes, ReID finds the lost again.
_base_ = "./deepsort_faster_rcnn_r50_fpn.py"
model = dict(
    type="Tracktor",
    reid=dict(
        init_cfg=dict(
            checkpoint="https://download.openmmlab.com/mmtracking/mot/reid/"
            "reid_r50_6e_mot17-4bf6b63d.pth"
        )
    ),
    motion=dict(
        _delete_=True,  # DeepSORT has a Kalman filter here
        type="CameraMotionCompensation",
        warp_mode="cv2.MOTION_EUCLIDEAN",
        num_iters=100,
        stop_eps=0.00001,
    ),
    tracker=dict(
        _delete_=True,
        type="TracktorTracker",
        obj_score_thr=0.5,
        regression=dict(
            obj_score_thr=0.5, nms=dict(type="nms", iou_threshold=0.6), match_iou_thr=0.3
        ),
        reid=dict(
            num_samples=10,
            img_scale=(256, 128),
            img_norm_cfg=None,
            match_score_thr=2.0,
            match_iou_thr=0.2,
        ),
        momentums=None,
        num_frames_retain=10,
    ),
)
