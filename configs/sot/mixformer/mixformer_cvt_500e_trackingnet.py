_base_ = ["./mixformer_cvt_500e_got10k.py"]

model = dict(test_cfg=dict(search_factor=4.5, online_size=[1], max_score_decay=[1.0]))

data_root = "data/"
data = dict(
    test=dict(
        type="TrackingNetDataset",
        ann_file=data_root + "trackingnet/annotations/trackingnet_test_infos.txt",
        img_prefix=data_root + "trackingnet",
    )
)
