# Second stage of a training: the score alone. The data are those of STARK's second stage, where
# half of the search regions do not show the target.
_base_ = ["../stark/stark_st2_r50_50e_got10k.py"]

model = dict(
    _delete_=True,
    type="MixFormer",
    backbone=dict(type="ConvVisionTransformer"),
    frozen_modules=["backbone"],
    head=dict(
        type="MixFormerHead",
        bbox_head=dict(
            type="CornerPredictorHead", inplanes=384, channel=384, feat_size=20, stride=16
        ),
        score_head=dict(type="MixFormerScoreDecoder"),
        loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=True),
        frozen_modules=["bbox_head"],
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

lr_config = dict(step=[30])
total_epochs = 40
evaluation = dict(start=40)

# The last checkpoint of the first stage, for example with
# --cfg-options load_from=work_dirs/mixformer_st1/epoch_500.pth
load_from = None
