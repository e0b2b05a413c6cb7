# Mask R-CNN with ResNet-50 and FPN on the 80 classes of COCO, as a part of a video model.
_base_ = "./faster_rcnn_r50_fpn.py"
l1_loss = dict(_delete_=True, type="L1Loss", loss_weight=1.0)
model = dict(
    detector=dict(
        type="MaskRCNN",
        rpn_head=dict(loss_bbox=l1_loss),
        roi_head=dict(
            bbox_head=dict(loss_bbox=l1_loss),
            mask_roi_extractor=dict(
                type="SingleRoIExtractor",
                roi_layer=dict(type="RoIAlign", output_size=14, sampling_ratio=0),
                out_channels=256,
                featmap_strides=[4, 8, 16, 32],
            ),
            mask_head=dict(
                type="FCNMaskHead",
                num_convs=4,
                in_channels=256,
                conv_out_channels=256,
                num_classes=80,
                loss_mask=dict(type="CrossEntropyLoss", use_mask=True, loss_weight=1.0),
            ),
        ),
        train_cfg=dict(rcnn=dict(assigner=dict(match_low_quality=True), mask_size=28)),
        test_cfg=dict(rcnn=dict(mask_thr_binary=0.5)),
    )
)
del l1_loss
