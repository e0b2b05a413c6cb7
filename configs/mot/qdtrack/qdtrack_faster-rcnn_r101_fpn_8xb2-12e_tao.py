# Another name, that of MMTracking 1.x.
_base_ = "./qdtrack_faster-rcnn_r101_fpn_12e_tao.py"
