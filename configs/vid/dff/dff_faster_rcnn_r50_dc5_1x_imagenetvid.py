_base_ = [
    "../../_base_/models/faster_rcnn_r50_dc5.py",
    "../../_base_/datasets/imagenet_vid_dff_style.py",
    "../../_base_/schedules/vid_7e.py",
]
model = dict(
    type="DFF",
    detector=dict(
        train_cfg=dict(rpn_proposal=dict(max_per_img=1000), rcnn=dict(sampler=dict(num=512)))
    ),
    motion=dict(
        type="FlowNetSimple",
        img_scale_factor=0.5,
        init_cfg=dict(
            type="Pretrained",
            checkpoint="https://download.openmmlab.com/mmtracking/pretrained_weights/flownet_simple.pth",
        ),
    ),
    train_cfg=None,
    test_cfg=dict(key_frame_interval=10),
)
