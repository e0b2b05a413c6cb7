# STARK (first stage) with a small ResNet and transformer, trained from nothing on rendered scenes
# in minutes on two CPU cores. The data are those of siamese_rpn_r50_synthetic-lasot.py, whose head
# has the commands that make them; then
#   python tools/train.py configs/quickstart/stark_st1_r18_synthetic-lasot.py --seed 0 \
#       --work-dir work_dirs/quickstart/stark_st1_r18_synthetic-lasot
#   python tools/test.py configs/quickstart/stark_st1_r18_synthetic-lasot.py --eval track \
#       --checkpoint work_dirs/quickstart/stark_st1_r18_synthetic-lasot/latest.pth
#   python tools/analysis/sot/still_box_baseline.py \
#       configs/quickstart/stark_st1_r18_synthetic-lasot.py
_base_ = ["../sot/stark/stark_st1_r50_500e_got10k.py"]
template_size = 48
search_size = 96
embed_dims = 64
model = dict(
    backbone=dict(
        depth=18,
        base_channels=32,
        num_stages=2,
        strides=(1, 2),
        dilations=(1, 1),
        out_indices=[1],
        frozen_stages=-1,
        norm_eval=False,
        norm_cfg=dict(requires_grad=True),
        init_cfg=None,
    ),
    neck=dict(in_channels=[64], out_channels=embed_dims),
    head=dict(
        transformer=dict(
            encoder=dict(
                num_layers=2,
                transformerlayers=dict(
                    attn_cfgs=[
                        dict(
                            type="MultiheadAttention",
                            embed_dims=embed_dims,
                            num_heads=4,
                            attn_drop=0.0,
                            dropout_layer=dict(type="Dropout", drop_prob=0.0),
                        )
                    ],
                    ffn_cfgs=dict(feedforward_channels=128, embed_dims=embed_dims, ffn_drop=0.0),
                ),
            ),
            decoder=dict(
                num_layers=1,
                transformerlayers=dict(
                    attn_cfgs=dict(
                        embed_dims=embed_dims,
                        num_heads=4,
                        attn_drop=0.0,
                        dropout_layer=dict(drop_prob=0.0),
                    ),
                    ffn_cfgs=dict(feedforward_channels=128, embed_dims=embed_dims, ffn_drop=0.0),
                ),
            ),
        ),
        positional_encoding=dict(num_feats=embed_dims // 2),
        bbox_head=dict(inplanes=embed_dims, channel=embed_dims, feat_size=12, stride=8),
    ),
    test_cfg=dict(
        search_factor=3.0,
        search_size=search_size,
        template_factor=2.0,
        template_size=template_size,
        update_intervals=[200],
    ),
)
crop_size_factor = [2, 2, 3]
train_pipeline = [
    dict(
        type="TridentSampling",
        num_search_frames=1,
        num_template_frames=2,
        max_frame_range=[200],
        min_num_frames=10,
    ),
    dict(type="LoadMultiImagesFromFile", to_float32=True),
    dict(type="SeqLoadAnnotations", with_bbox=True, with_label=False),
    dict(type="SeqRandomFlip", share_params=True, flip_ratio=0.5, direction="horizontal"),
    dict(
        type="SeqBboxJitter",
        center_jitter_factor=[0, 0, 1.5],
        scale_jitter_factor=[0, 0, 0.2],
        crop_size_factor=crop_size_factor,
    ),
    dict(
        type="SeqCropLikeStark",
        crop_size_factor=crop_size_factor,
        output_size=[template_size, template_size, search_size],
    ),
    dict(type="SeqBrightnessAug", jitter_range=0.2),
    dict(
        type="SeqNormalize",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        to_rgb=True,
    ),
    dict(type="CheckPadMaskValidity", stride=8),
    dict(type="VideoCollect", keys=["img", "gt_bboxes", "padding_mask"], meta_keys="valid"),
    dict(type="ConcatSameTypeFrames", num_key_frames=2),
    dict(type="SeqDefaultFormatBundle", ref_prefix="search"),
]
data_root = "data/synthetic/sot/"
held_out = dict(
    type="LaSOTDataset",
    ann_file=data_root + "lasot/annotations/lasot_test_infos.txt",
    img_prefix=data_root + "lasot/LaSOTBenchmark",
    split="test",
    only_eval_visible=True,
)
data = dict(
    samples_per_gpu=16,
    workers_per_gpu=1,
    samples_per_epoch=16000,
    train=dict(
        dataset_sampling_weights=[0.85, 0.15],
        dataset_cfgs=[
            dict(
                type="SOTImageNetVIDDataset",
                ann_file=data_root + "vid/annotations/imagenet_vid_train.json",
                img_prefix=data_root + "vid/Data/VID",
                pipeline=train_pipeline,
                split="train",
                bbox_min_size=10,
            ),
            dict(
                type="LaSOTDataset",
                ann_file=data_root + "lasot/annotations/lasot_train_infos.txt",
                img_prefix=data_root + "lasot/LaSOTBenchmark",
                pipeline=train_pipeline,
                split="train",
                bbox_min_size=10,
            ),
        ],
    ),
    val=held_out,
    test=held_out,
)
optimizer = dict(_delete_=True, type="AdamW", lr=1e-3, weight_decay=1e-4)
optimizer_config = dict(grad_clip=dict(max_norm=1.0))
lr_config = dict(
    _delete_=True,
    policy="CosineAnnealing",
    by_epoch=False,
    min_lr_ratio=0.02,
    warmup="linear",
    warmup_iters=100,
    warmup_ratio=0.1,
)
total_epochs = 1
evaluation = dict(start=1, interval=1)
checkpoint_config = dict(interval=1)
log_config = dict(interval=50)
work_dir = None
