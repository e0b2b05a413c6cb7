_base_ = ["./stark_st1_r50_500e_got10k.py"]

data_root = "data/"
data = dict(
    train=dict(
        dataset_sampling_weights=[1, 1, 1, 1],
        dataset_cfgs=[
            dict(
                type="GOT10kDataset",
                ann_file=data_root + "got10k/annotations/got10k_train_infos.txt",
                img_prefix=data_root + "got10k",
                pipeline={{_base_.train_pipeline}},
                split="train_vot",
                test_mode=False,
            ),
            dict(
                type="LaSOTDataset",
                ann_file=data_root + "lasot/annotations/lasot_train_infos.txt",
                img_prefix=data_root + "lasot/LaSOTBenchmark",
                pipeline={{_base_.train_pipeline}},
                split="train",
                test_mode=False,
            ),
            dict(
                type="TrackingNetDataset",
                ann_file=data_root + "trackingnet/annotations/trackingnet_train_infos.txt",
                img_prefix=data_root + "trackingnet",
                pipeline={{_base_.train_pipeline}},
                split="train",
                test_mode=False,
            ),
            dict(
                type="SOTCocoDataset",
                ann_file=data_root + "coco/annotations/instances_train2017.json",
                img_prefix=data_root + "coco/train2017",
                pipeline={{_base_.train_pipeline}},
                split="train",
                test_mode=False,
            ),
        ],
    ),
    test=dict(
        type="LaSOTDataset",
        ann_file=data_root + "lasot/annotations/lasot_test_infos.txt",
        img_prefix=data_root + "lasot/LaSOTBenchmark",
    ),
)
