# First stage of a training: everything but the score. Data, optimizer and length are those of
# STARK, as in section 4.1 of the paper, which begins with weights of CvT-21 for ImageNet; those of
# a published MixFormer do as well, as load_from.
_base_ = ["../stark/stark_st1_r50_500e_got10k.py"]

model = dict(
    _delete_=True,
    type="MixFormer",
    backbone=dict(type="ConvVisionTransformer"),
    head=dict(
        type="MixFormerHead",
        bbox_head=dict(
            type="CornerPredictorHead", inplanes=384, channel=384, feat_size=20, stride=16
        ),
        loss_bbox=dict(type="L1Loss", loss_weight=5.0),
        loss_iou=dict(type="GIoULoss", loss_weight=2.0),
    ),
    test_cfg=dict(
        search_factor=4.55,
        search_size=320,
        template_factor=2.0,
        template_size=128,
        update_interval=[25],
        online_size=[2],
        max_score_decay=[0.98],
    ),
)
