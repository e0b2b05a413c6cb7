_base_ = "./selsa_faster_rcnn_r50_dc5_1x_imagenetvid.py"
fp16 = dict(loss_scale=512.0)
