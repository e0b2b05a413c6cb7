_base_ = [
    "../../_base_/models/mot_yolox_x_8x8.py",
    "../../_base_/datasets/crowdhuman_mot20.py",
    "../../_base_/schedules/yolox_80e_mot.py",
]
model = dict(
    type="ByteTrack",
    detector=dict(input_size=(896, 1600), random_size_range=(20, 36)),
    motion=dict(type="KalmanFilter"),
    tracker=dict(
        type="ByteTracker",
        obj_score_thrs=dict(high=0.6, low=0.1),
        init_track_thr=0.7,
        weight_iou_with_det_scores=False,
        match_iou_thrs=dict(high=0.3, low=0.5, tentative=0.3),
        num_frames_retain=30,
    ),
)
