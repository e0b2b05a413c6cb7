# Cascade R-CNN with ResNet-50 and FPN on the 80 classes of COCO, as a part of a video model: three
# heads, each trained on what the one before found, with a higher overlap and finer offsets.
_base_ = "./faster_rcnn_r50_fpn.py"
smooth_l1 = dict(type="SmoothL1Loss", beta=1.0, loss_weight=1.0)
model = dict(
    detector=dict(
        type="CascadeRCNN",
        roi_head=dict(
            type="CascadeRoIHead",
            num_stages=3,
            stage_loss_weights=[1, 0.5, 0.25],
            bbox_head=[
                dict(
                    type="Shared2FCBBoxHead",
                    in_channels=256,
                    fc_out_channels=1024,
                    roi_feat_size=7,
                    num_classes=80,
                    bbox_coder=dict(
                        type="DeltaXYWHBBoxCoder",
                        target_means=[0.0, 0.0, 0.0, 0.0],
                        target_stds=target_stds,
                    ),
                    reg_class_agnostic=True,
                    loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=False, loss_weight=1.0),
                    loss_bbox=smooth_l1,
                )
                for target_stds in (
                    [0.1, 0.1, 0.2, 0.2],
                    [0.05, 0.05, 0.1, 0.1],
                    [0.033, 0.033, 0.067, 0.067],
                )
            ],
        ),
        train_cfg=dict(
            rpn=dict(allowed_border=0),
            rpn_proposal=dict(max_per_img=2000),
            rcnn=[
                dict(
                    assigner=dict(
                        type="MaxIoUAssigner",
                        pos_iou_thr=overlap,
                        neg_iou_thr=overlap,
                        min_pos_iou=overlap,
                        match_low_quality=False,
                        ignore_iof_thr=-1,
                    ),
                    sampler=dict(
                        type="RandomSampler",
                        num=512,
                        pos_fraction=0.25,
                        neg_pos_ub=-1,
                        add_gt_as_proposals=True,
                    ),
                    pos_weight=-1,
                    debug=False,
                )
                for overlap in (0.5, 0.6, 0.7)
            ],
        ),
    )
)
del smooth_l1
