# A slim Faster R-CNN for small rendered frames, as fast to train as two CPU cores need it.
_base_ = "./faster_rcnn_r50_dc5.py"
model = dict(
    detector=dict(
        backbone=dict(depth=18, base_channels=16, frozen_stages=-1, norm_eval=False, init_cfg=None),
        neck=dict(in_channels=[128], out_channels=64),
        rpn_head=dict(
            in_channels=64,
            feat_channels=64,
            anchor_generator=dict(scales=[2, 3, 5], ratios=[0.7]),  # animals, wider than tall
        ),
        roi_head=dict(
            bbox_roi_extractor=dict(out_channels=64),
            bbox_head=dict(in_channels=64, fc_out_channels=128, num_classes=5),
        ),
        train_cfg=dict(
            rpn_proposal=dict(nms_pre=300, max_per_img=100), rcnn=dict(sampler=dict(num=64))
        ),
        test_cfg=dict(rpn=dict(nms_pre=200, max_per_img=50), rcnn=dict(score_thr=0.01)),
    )
)
