"""Official layouts that rendered scenes can be written in."""

from functools import partial

from .base import Layout, RenderOptions
from .crowdhuman import CrowdHumanOptions, count_crowdhuman, write_crowdhuman
from .ilsvrc import ILSVRCOptions, count_ilsvrc, write_ilsvrc
from .mot import (
    DanceTrackOptions,
    MOT17Options,
    MOTOptions,
    count_dancetrack,
    count_mot,
    write_dancetrack,
    write_mot,
)
from .reid import ReIDOptions, count_reid, write_reid
from .sot import SOTOptions, SOTTestOptions
from .sot_benchmarks import (
    GOT10kOptions,
    VOTOptions,
    count_got10k,
    count_sot,
    count_sot_test,
    write_got10k,
    write_lasot,
    write_otb100,
    write_trackingnet,
    write_uav123,
    write_vot,
)
from .sot_training import (
    COCOOptions,
    ImageNetVIDOptions,
    count_coco,
    count_imagenet_vid,
    write_coco,
    write_imagenet_vid,
)
from .tao import LVISOptions, TAOOptions, count_lvis, count_tao, write_lvis, write_tao
from .youtube_vis import YouTubeVISOptions, count_youtube_vis, write_youtube_vis

_VIDEOS = "train/ and test/ videos with img1/, seqinfo.ini, det/det.txt and gt/gt.txt"

_ALL = (
    Layout(
        "mot15",
        f"MOT15: {_VIDEOS} without classes.",
        MOTOptions(),
        partial(write_mot, "MOT15"),
        count_mot,
    ),
    Layout(
        "mot16",
        f"MOT16: {_VIDEOS} with classes and visibility.",
        MOTOptions(),
        partial(write_mot, "MOT16"),
        count_mot,
    ),
    Layout(
        "mot17",
        f"MOT17: {_VIDEOS} with classes and visibility; videos carry their detector's name.",
        MOT17Options(),
        partial(write_mot, "MOT17"),
        count_mot,
    ),
    Layout(
        "mot20",
        f"MOT20: crowded {_VIDEOS} with classes and visibility.",
        MOTOptions(people=24),
        partial(write_mot, "MOT20"),
        count_mot,
    ),
    Layout(
        "dancetrack",
        "DanceTrack: train/, val/ and test/ videos of dancers in the same costume.",
        DanceTrackOptions(),
        write_dancetrack,
        count_dancetrack,
    ),
    Layout(
        "crowdhuman",
        "CrowdHuman: pictures of crowds with full, visible and head boxes (.odgt).",
        CrowdHumanOptions(size=(640, 480)),
        write_crowdhuman,
        count_crowdhuman,
    ),
    Layout(
        "reid",
        "Crops of people and lists of them (imgs/, meta/), as mot2reid.py makes from MOT17.",
        ReIDOptions(),
        write_reid,
        count_reid,
    ),
    Layout(
        "lasot",
        "LaSOT: LaSOTBenchmark/<class>/<video> with boxes, occlusion and out-of-view flags.",
        SOTOptions(),
        write_lasot,
        count_sot,
    ),
    Layout(
        "got10k",
        "GOT-10k: train/, val/ and test/ videos with boxes, absence and cover labels.",
        GOT10kOptions(),
        write_got10k,
        count_got10k,
    ),
    Layout(
        "trackingnet",
        "TrackingNet: TRAIN_0, TRAIN_1 and TEST with frames/ and anno/.",
        SOTOptions(),
        write_trackingnet,
        count_sot,
    ),
    Layout(
        "otb100",
        "OTB100: data/<video> with img/ and groundtruth_rect.txt, and the list of videos.",
        SOTTestOptions(),
        write_otb100,
        count_sot_test,
    ),
    Layout(
        "uav123",
        "UAV123: data_seq/ and anno/, NaN boxes where nothing is seen, and the list of videos.",
        SOTTestOptions(),
        write_uav123,
        count_sot_test,
    ),
    Layout(
        "vot",
        "VOT: data/<video> with color/ and rotated boxes as polygons.",
        VOTOptions(),
        write_vot,
        count_sot_test,
    ),
    Layout(
        "coco",
        "COCO: pictures of people and cars with boxes and masks, annotations/instances_*.json.",
        COCOOptions(),
        write_coco,
        count_coco,
    ),
    Layout(
        "ilsvrc",
        "ImageNet VID and DET: Data/, Annotations/ and Lists/ of animals, often out of focus.",
        ILSVRCOptions(size=(240, 160)),
        write_ilsvrc,
        count_ilsvrc,
    ),
    Layout(
        "imagenet-vid",
        "ImageNet VID of people and cars: Data/VID and annotations/imagenet_vid_{train,val}.json.",
        ImageNetVIDOptions(),
        write_imagenet_vid,
        count_imagenet_vid,
    ),
    *(
        Layout(
            f"youtube-vis-{version}",
            f"YouTube-VIS {version}: train/, valid/ and test/ videos of people, vehicles and "
            "animals with masks.",
            YouTubeVISOptions(),
            partial(write_youtube_vis, version),
            count_youtube_vis,
        )
        for version in ("2019", "2021")
    ),
    Layout(
        "tao",
        "TAO: train/, val/ and test/ videos of many categories, each annotated for some of them.",
        TAOOptions(),
        write_tao,
        count_tao,
    ),
    Layout(
        "lvis",
        "LVIS v0.5, COCO 2017 of the same images, and the mapping to merge them.",
        LVISOptions(),
        write_lvis,
        count_lvis,
    ),
)
LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in _ALL}

__all__ = ["LAYOUTS", "Layout", "RenderOptions"]
