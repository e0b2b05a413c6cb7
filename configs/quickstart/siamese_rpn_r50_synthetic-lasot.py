# SiameseRPN++ with a slim ResNet, trained from nothing on rendered scenes in minutes on two CPU
# cores:
#   python tools/synthesize.py lasot --out data/synthetic/sot/lasot --videos 6 --test-videos 4 \
#       --frames 60
#   python tools/synthesize.py imagenet-vid --out data/synthetic/sot/vid --videos 48 \
#       --val-videos 1 --frames 24
#   python tools/convert_datasets/lasot/gen_lasot_infos.py \
#       -i data/synthetic/sot/lasot/LaSOTBenchmark -o data/synthetic/sot/lasot/annotations
#   python tools/train.py configs/quickstart/siamese_rpn_r50_synthetic-lasot.py --seed 0 \
#       --work-dir work_dirs/quickstart/siamese_rpn_r50_synthetic-lasot
#   python tools/test.py configs/quickstart/siamese_rpn_r50_synthetic-lasot.py --eval track \
#       --checkpoint work_dirs/quickstart/siamese_rpn_r50_synthetic-lasot/latest.pth
#   python tools/analysis/sot/still_box_baseline.py \
#       configs/quickstart/siamese_rpn_r50_synthetic-lasot.py
_base_ = ["../sot/siamese_rpn/siamese_rpn_r50_20e_lasot.py"]
# Half the sides of the published crops and less context, so that the object is as large as possible
# in them; the anchors fit it.
crop_size = 223
exemplar_size = 63
search_size = 127
context_amount = 0.3
model = dict(
    backbone=dict(
        base_channels=16,
        num_stages=2,
        out_indices=(1,),
        strides=(1, 2),
        dilations=(1, 1),
        frozen_stages=-1,
        norm_eval=False,
        init_cfg=None,
    ),
    neck=dict(in_channels=[128], out_channels=64),
    head=dict(anchor_generator=dict(scales=[5]), in_channels=[64], weighted_sum=False),
    train_cfg=dict(
        rpn=dict(
            # Anchors beside the object are background too: a short training learns its place.
            assigner=dict(neg_iou_thr=0.5),
            exemplar_size=exemplar_size,
            search_size=search_size,
        )
    ),
    test_cfg=dict(
        exemplar_size=exemplar_size,
        search_size=search_size,
        context_amount=context_amount,
        rpn=dict(penalty_k=0.05, window_influence=0.05, lr=0.38),
    ),
)
train_pipeline = [
    dict(type="PairSampling", frame_range=100, pos_prob=0.9, filter_template_img=False),
    dict(type="LoadMultiImagesFromFile", to_float32=True),
    dict(type="SeqLoadAnnotations", with_bbox=True, with_label=False),
    dict(
        type="SeqCropLikeSiamFC",
        context_amount=context_amount,
        exemplar_size=exemplar_size,
        crop_size=crop_size,
    ),
    dict(
        type="SeqShiftScaleAug",
        target_size=[exemplar_size, search_size],
        shift=[2, 16],
        scale=[0.05, 0.15],
    ),
    dict(type="VideoCollect", keys=["img", "gt_bboxes", "is_positive_pairs"]),
    dict(type="ConcatSameTypeFrames"),
    dict(type="SeqDefaultFormatBundle", ref_prefix="search"),
]
data_root = "data/synthetic/sot/"
held_out = dict(
    ann_file=data_root + "lasot/annotations/lasot_test_infos.txt",
    img_prefix=data_root + "lasot/LaSOTBenchmark",
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
optimizer = dict(_delete_=True, type="AdamW", lr=3e-3, weight_decay=0.01)
# Nothing is pre-trained, so the backbone learns from the start.
optimizer_config = dict(backbone_start_train_epoch=0, backbone_train_layers=[])
lr_config = dict(
    _delete_=True,
    policy="CosineAnnealing",
    by_epoch=False,
    min_lr_ratio=0.02,
    warmup="linear",
    warmup_iters=50,
    warmup_ratio=0.1,
)
total_epochs = 1
evaluation = dict(start=1, interval=1)
log_config = dict(interval=50)
work_dir = None
