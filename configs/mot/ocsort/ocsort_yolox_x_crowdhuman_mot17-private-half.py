_base_ = [
    "../../_base_/models/mot_yolox_x_8x8.py",
    "../../_base_/datasets/crowdhuman_mot17.py",
    "../../_base_/schedules/yolox_80e_mot.py",
]
model = dict(
    type="OCSORT",
    motion=dict(type="KalmanFilter"),
    tracker=dict(
        type="OCSORTTracker",
        obj_score_thr=0.3,
        init_track_thr=0.7,
        weight_iou_with_det_scores=True,
        match_iou_thr=0.3,
        num_tentatives=3,
        vel_consist_weight=0.2,
        vel_delta_t=3,
        num_frames_retain=30,
    ),
)
