# SORT with the detector that bytetrack_yolox_tiny_synthetic-mot17.py trains.
_base_ = "./bytetrack_yolox_tiny_synthetic-mot17.py"
model = dict(
    type="DeepSORT",
    motion=dict(center_only=False),
    tracker=dict(
        _delete_=True, type="SortTracker", obj_score_thr=0.5, match_iou_thr=0.5, reid=None
    ),
)
