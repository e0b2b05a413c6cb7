_base_ = "./tracktor_faster-rcnn_r50_fpn_4e_mot17-public-half.py"
# A search space for tools/analysis/mot/mot_param_search.py: every list is tried value by value.
model = dict(
    tracker=dict(
        obj_score_thr=[0.4, 0.5, 0.6],
        regression=dict(obj_score_thr=[0.4, 0.5, 0.6], match_iou_thr=[0.3, 0.5]),
    )
)
