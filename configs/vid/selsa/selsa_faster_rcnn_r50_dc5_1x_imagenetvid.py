_base_ = [
    "../../_base_/models/faster_rcnn_r50_dc5.py",
    "../../_base_/datasets/imagenet_vid_fgfa_style.py",
    "../../_base_/schedules/vid_7e.py",
]
model = dict(
    type="SELSA",
    detector=dict(
        roi_head=dict(
            type="SelsaRoIHead",
            bbox_head=dict(
                type="SelsaBBoxHead",
                num_shared_fcs=2,
                aggregator=dict(type="SelsaAggregator", in_channels=1024, num_attention_blocks=16),
            ),
        )
    ),
)
ref_img_sampler = dict(
    _delete_=True, num_ref_imgs=14, frame_range=[-7, 7], method="test_with_adaptive_stride"
)
data = dict(val=dict(ref_img_sampler=ref_img_sampler), test=dict(ref_img_sampler=ref_img_sampler))
del ref_img_sampler
