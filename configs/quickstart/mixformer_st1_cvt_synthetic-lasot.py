# MixFormer (first stage) with a small backbone of two stages, trained from nothing on rendered
# scenes in minutes on two CPU cores. Data, crops and pipeline are those of
# stark_st1_r18_synthetic-lasot.py, whose head says how to make the data; then
#   python tools/train.py configs/quickstart/mixformer_st1_cvt_synthetic-lasot.py --seed 0 \
#       --work-dir work_dirs/quickstart/mixformer_st1_cvt_synthetic-lasot
#   python tools/test.py configs/quickstart/mixformer_st1_cvt_synthetic-lasot.py --eval track \
#       --checkpoint work_dirs/quickstart/mixformer_st1_cvt_synthetic-lasot/latest.pth
_base_ = ["./stark_st1_r18_synthetic-lasot.py"]
model = dict(
    _delete_=True,
    type="MixFormer",
    backbone=dict(
        type="ConvVisionTransformer",
        num_stages=2,
        patch_size=[7, 3],
        patch_stride=[4, 2],
        patch_padding=[2, 1],
        dim_embed=[32, 64],
        num_heads=[1, 2],
        depth=[1, 3],
        mlp_channel_ratio=[2, 2],
        attn_drop_rate=[0.0, 0.0],
        drop_rate=[0.0, 0.0],
        path_drop_probs=[0.0, 0.0],
        qkv_bias=[True, True],
        qkv_proj_method=["dw_bn", "dw_bn"],
        kernel_qkv=[3, 3],
        padding_kv=[1, 1],
        stride_kv=[2, 2],
        padding_q=[1, 1],
        stride_q=[1, 1],
        norm_cfg=dict(type="BN", requires_grad=True),  # there are no statistics to keep
    ),
    head=dict(
        type="MixFormerHead",
        bbox_head=dict(type="CornerPredictorHead", inplanes=64, channel=64, feat_size=12, stride=8),
    ),
    test_cfg=dict(
        search_factor=3.0,
        search_size=96,
        template_factor=2.0,
        template_size=48,
        update_interval=[25],
        online_size=[2],
        max_score_decay=[0.98],
    ),
)
data = dict(samples_per_epoch=9600)
total_epochs = 2
