_base_ = ["./mixformer_cvt_500e_got10k.py"]

# Long videos change slowly, so templates are changed rarely.
model = dict(test_cfg=dict(update_interval=[200], max_score_decay=[1.0]))

data_root = "data/"
data = dict(
    test=dict(
        type="LaSOTDataset",
        ann_file=data_root + "lasot/annotations/lasot_test_infos.txt",
        img_prefix=data_root + "lasot/LaSOTBenchmark",
    )
)
