# SELSA on rendered videos: begins with the trained Faster R-CNN of single frames, whose file says
# how to make the data and train it, and learns in minutes to compare proposals of other frames.
#   python tools/train.py configs/quickstart/selsa_faster_rcnn_r18_synthetic-vid.py --seed 0 \
#       --work-dir work_dirs/quickstart/selsa_faster_rcnn_r18_synthetic-vid
#   python tools/test.py configs/quickstart/selsa_faster_rcnn_r18_synthetic-vid.py --eval bbox \
#       --checkpoint work_dirs/quickstart/selsa_faster_rcnn_r18_synthetic-vid/latest.pth
#   python demo/demo_vid.py configs/quickstart/selsa_faster_rcnn_r18_synthetic-vid.py \
#       --checkpoint work_dirs/quickstart/selsa_faster_rcnn_r18_synthetic-vid/latest.pth \
#       --input data/synthetic/ILSVRC/Data/VID/val/ILSVRC2015_val_00000000 --device cpu \
#       --score-thr 0.5 --thickness 1 --fps 15 --output work_dirs/quickstart/selsa.mp4
_base_ = [
    "../_base_/models/faster_rcnn_r18_dc5.py",
    "../_base_/datasets/synthetic_vid.py",
    "../_base_/default_runtime.py",
]
model = dict(
    type="SELSA",
    # what a frame shows is known already; the second stage learns to look at other frames
    frozen_modules=["detector.backbone", "detector.neck", "detector.rpn_head"],
    detector=dict(
        roi_head=dict(
            type="SelsaRoIHead",
            bbox_head=dict(
                type="SelsaBBoxHead",
                num_shared_fcs=2,
                aggregator=dict(type="SelsaAggregator", in_channels=128, num_attention_blocks=8),
            ),
        ),
        init_cfg=dict(
            type="Pretrained",
            checkpoint="work_dirs/quickstart/faster_rcnn_r18_synthetic-vid/latest.pth",
        ),
    ),
)
classes = ("cattle", "horse", "lion", "tiger", "zebra")
data_root = "data/synthetic/ILSVRC/"
ref_img_sampler = dict(
    _delete_=True, num_ref_imgs=14, frame_range=[-7, 7], method="test_with_adaptive_stride"
)
data = dict(
    samples_per_gpu=1,
    train=[
        dict(
            type="ImagenetVIDDataset",
            classes=classes,
            ann_file=data_root + "annotations/imagenet_vid_train.json",
            img_prefix=data_root + "Data/VID",
            ref_img_sampler=dict(num_ref_imgs=4, frame_range=24, method="uniform"),
            pipeline={{_base_.train_pipeline}},
        ),
        # single images: the references are copies
        dict(
            type="ImagenetVIDDataset",
            classes=classes,
            load_as_video=False,
            ann_file=data_root + "annotations/imagenet_det_30plus1cls.json",
            img_prefix=data_root + "Data/DET",
            ref_img_sampler=dict(num_ref_imgs=4, frame_range=0, method="uniform"),
            pipeline={{_base_.train_pipeline}},
        ),
    ],
    val=dict(ref_img_sampler=ref_img_sampler),
    test=dict(ref_img_sampler=ref_img_sampler),
)
del ref_img_sampler
optimizer = dict(
    _delete_=True,
    type="AdamW",
    lr=3e-4,
    weight_decay=0.02,
    paramwise_cfg=dict(custom_keys=dict(aggregator=dict(lr_mult=3))),
)
optimizer_config = dict(_delete_=True, grad_clip=dict(max_norm=10, norm_type=2))
lr_config = dict(
    policy="CosineAnnealing",
    by_epoch=False,
    min_lr_ratio=0.05,
    warmup="linear",
    warmup_iters=100,
    warmup_ratio=0.1,
)
total_epochs = 1
checkpoint_config = dict(interval=1, max_keep_ckpts=2)
evaluation = dict(metric=["bbox"], interval=1)
log_config = dict(interval=200)
