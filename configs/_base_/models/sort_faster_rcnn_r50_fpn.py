# SORT: Faster R-CNN, a Kalman filter and overlap.
_base_ = "./mot_faster_rcnn_r50_fpn.py"
model = dict(
    type="DeepSORT",
    detector=dict(
        init_cfg=dict(
            type="Pretrained",
            checkpoint="https://download.openmmlab.com/mmtracking/mot/faster_rcnn/"
            "faster-rcnn_r50_fpn_4e_mot17-half-64ee2ed4.pth",
        )
    ),
    motion=dict(type="KalmanFilter", center_only=False),
    tracker=dict(type="SortTracker", obj_score_thr=0.5, match_iou_thr=0.5, reid=None),
)
