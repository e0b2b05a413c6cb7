# A slim Mask R-CNN for small rendered frames, as fast to train as two CPU cores need it. Seven
# classes: those of YouTube-VIS that the scenes show.
_base_ = "./mask_rcnn_r50_fpn.py"
strides = [4, 8, 16, 32]
roi_extractor = dict(roi_layer=dict(sampling_ratio=1), out_channels=48, featmap_strides=strides)
model = dict(
    detector=dict(
        backbone=dict(depth=18, base_channels=16, frozen_stages=-1, norm_eval=False, init_cfg=None),
        neck=dict(in_channels=[16, 32, 64, 128], out_channels=48, num_outs=4),
        rpn_head=dict(
            in_channels=48,
            feat_channels=48,
            anchor_generator=dict(strides=strides, scales=[6]),
        ),
        roi_head=dict(
            bbox_roi_extractor=roi_extractor,
            bbox_head=dict(in_channels=48, fc_out_channels=128, num_classes=7),
            mask_roi_extractor=roi_extractor,
            mask_head=dict(num_convs=2, in_channels=48, conv_out_channels=32, num_classes=7),
        ),
        train_cfg=dict(
            rpn_proposal=dict(nms_pre=200, max_per_img=100), rcnn=dict(sampler=dict(num=48))
        ),
        test_cfg=dict(
            rpn=dict(nms_pre=100, max_per_img=50), rcnn=dict(score_thr=0.01, max_per_img=20)
        ),
    )
)
del strides, roi_extractor
