# FGFA on rendered videos: begins with the trained Faster R-CNN of single frames, whose file says
# how to make the data and train it. No trained flow network is at hand: a small one starts with
# flow zero, so that features are averaged in place, and learns with the detector to move them.
#   python tools/train.py configs/quickstart/fgfa_faster_rcnn_r18_synthetic-vid.py --seed 0 \
#       --work-dir work_dirs/quickstart/fgfa_faster_rcnn_r18_synthetic-vid
#   python tools/test.py configs/quickstart/fgfa_faster_rcnn_r18_synthetic-vid.py --eval bbox \
#       --checkpoint work_dirs/quickstart/fgfa_faster_rcnn_r18_synthetic-vid/latest.pth
#   python demo/demo_vid.py configs/quickstart/fgfa_faster_rcnn_r18_synthetic-vid.py \
#       --checkpoint work_dirs/quickstart/fgfa_faster_rcnn_r18_synthetic-vid/latest.pth \
#       --input data/synthetic/ILSVRC/Data/VID/val/ILSVRC2015_val_00000000 --device cpu \
#       --score-thr 0.5 --thickness 1 --fps 15 --num-left-ref-imgs 4 \
#       --output work_dirs/quickstart/fgfa.mp4
_base_ = [
    "../_base_/models/faster_rcnn_r18_dc5.py",
    "../_base_/datasets/synthetic_vid.py",
    "../_base_/default_runtime.py",
]
model = dict(
    type="FGFA",
    frozen_modules=["detector.backbone"],
    detector=dict(
        init_cfg=dict(
            type="Pretrained",
            checkpoint="work_dirs/quickstart/faster_rcnn_r18_synthetic-vid/latest.pth",
        ),
    ),
    motion=dict(
        type="FlowNetSimple",
        img_scale_factor=0.25,  # its finest level is then as large as the features
        out_indices=(2, 3, 4),
        init_cfg=dict(
            type="Kaiming",
            layer=["Conv2d", "ConvTranspose2d"],
            a=0.1,
            nonlinearity="leaky_relu",
            override=dict(type="Constant", name="predict_flow", val=0),
        ),
    ),
    aggregator=dict(type="EmbedAggregator", num_convs=1, channels=64, kernel_size=3),
)
classes = ("cattle", "horse", "lion", "tiger", "zebra")
data_root = "data/synthetic/ILSVRC/"
ref_img_sampler = dict(
    _delete_=True, num_ref_imgs=14, frame_range=[-7, 7], stride=1, method="test_with_fix_stride"
)
data = dict(
    samples_per_gpu=4,
    train=[
        dict(
            type="ImagenetVIDDataset",
            classes=classes,
            ann_file=data_root + "annotations/imagenet_vid_train.json",
            img_prefix=data_root + "Data/VID",
            ref_img_sampler=dict(num_ref_imgs=2, frame_range=3, method="uniform"),
            pipeline={{_base_.train_pipeline}},
        ),
        # single images: the references are copies
        dict(
            type="ImagenetVIDDataset",
            classes=classes,
            load_as_video=False,
            ann_file=data_root + "annotations/imagenet_det_30plus1cls.json",
            img_prefix=data_root + "Data/DET",
            ref_img_sampler=dict(num_ref_imgs=2, frame_range=0, method="uniform"),
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
    paramwise_cfg=dict(custom_keys=dict(motion=dict(lr_mult=0.5))),
)
optimizer_config = dict(_delete_=True, grad_clip=dict(max_norm=10, norm_type=2))
lr_config = dict(
    policy="CosineAnnealing",
    by_epoch=False,
    min_lr_ratio=0.05,
    warmup="linear",
    warmup_iters=30,
    warmup_ratio=0.1,
)
total_epochs = 1
checkpoint_config = dict(interval=1, max_keep_ckpts=2)
evaluation = dict(metric=["bbox"], interval=1)
log_config = dict(interval=40)
