_base_ = [
    "../../_base_/models/faster_rcnn_r50_dc5.py",
    "../../_base_/datasets/imagenet_vid_fgfa_style.py",
    "../../_base_/schedules/vid_7e.py",
]
model = dict(
    type="FGFA",
    motion=dict(
        type="FlowNetSimple",
        img_scale_factor=0.5,
        init_cfg=dict(
            type="Pretrained",
            checkpoint="https://download.openmmlab.com/mmtracking/pretrained_weights/flownet_simple.pth",
        ),
    ),
    aggregator=dict(type="EmbedAggregator", num_convs=1, channels=512, kernel_size=3),
)
