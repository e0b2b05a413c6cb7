# Another name, that of MMTracking 1.x.
_base_ = "./qdtrack_faster-rcnn_r50_fpn_4e_crowdhuman_mot17-private-half.py"
