"""Draw the figures of the method pages: ``python docs/en/methods/figures/draw.py``.

The drawn files are part of the repository; a test draws them again and compares.
"""

from __future__ import annotations

from pathlib import Path

from svg import Figure

FOLDER = Path(__file__).parent


def _tracking(title: str, detections: str, match: str, table: str, update: str) -> Figure:
    """What trackers have in common that link the boxes of a detector."""
    fig = Figure(title)
    fig.box("frame", 0, 0, "in", "frame t")
    fig.box("detector", 1, 0, "net", "detector")
    fig.box("dets", 2, 0, "op", detections)
    fig.box("match", 3, 0, "op", match)
    fig.box("table", 3, 1, "mem", table)
    fig.box("update", 4, 1, "op", update)
    fig.box("out", 4, 2, "out", "boxes, labels, ids|of frame t")
    fig.arrow("frame", "detector")
    fig.arrow("detector", "dets")
    fig.arrow("dets", "match")
    fig.arrow("update", "table", later=True)
    fig.arrow("update", "out")
    return fig


def sort() -> Figure:
    """SORT."""
    fig = _tracking(
        "SORT: boxes of a frame are linked to the last boxes of tracks by overlap",
        "score above|obj_score_thr",
        "best total overlap,|weak pairs refused",
        "track table|last boxes, states",
        "update, start,|drop tracks",
    )
    fig.box("predict", 2, 1, "op", "KalmanFilter|predicts the states")
    fig.arrow("predict", "table")
    fig.arrow("table", "match", "boxes of|frame t - 1")
    fig.arrow("match", "update", via="hv")
    return fig


def deepsort() -> Figure:
    """DeepSORT."""
    fig = _tracking(
        "DeepSORT: confirmed tracks are found by appearance first, then all by overlap",
        "score above|obj_score_thr",
        "1. confirmed tracks|by appearance",
        "track table|states, embeddings",
        "update, start,|drop tracks",
    )
    fig.box("reid", 2, 1, "net", "ReID network|one batch of crops")
    fig.box("overlap", 4, 0, "op", "2. tracks just seen|by overlap")
    fig.arrow("dets", "reid", "crops")
    fig.arrow("reid", "match")
    fig.arrow("table", "match", "gate,|mean embedding")
    fig.arrow("match", "overlap")
    fig.arrow("overlap", "update")
    return fig


def bytetrack() -> Figure:
    """ByteTrack."""
    fig = Figure("ByteTrack: strong boxes are linked first, weak ones to the tracks left over")
    fig.box("frame", 0, 1, "in", "frame t")
    fig.box("detector", 1, 1, "net", "detector|YOLOX")
    fig.box("split", 2, 1, "op", "split by score")
    fig.box("first", 3, 0, "op", "1. strong boxes,|confirmed tracks")
    fig.box("second", 3, 1, "op", "2. strong boxes left,|tentative tracks")
    fig.box("third", 3, 2, "op", "3. weak boxes,|tracks just seen")
    fig.box("table", 4, 1, "mem", "track table|read by all rounds")
    fig.box("update", 4, 2, "op", "update, start,|drop tracks")
    fig.box("out", 4, 3, "out", "boxes, labels, ids|of frame t")
    fig.box("predict", 4, 0, "op", "KalmanFilter|predicts confirmed")
    fig.arrow("frame", "detector")
    fig.arrow("detector", "split")
    fig.arrow("split", "first", "> high", via="vh", at=0.25)
    fig.arrow("split", "second")
    fig.arrow("split", "third", "> low", via="vh", at=0.25)
    fig.arrow("predict", "table")
    fig.arrow("table", "second")
    fig.arrow("first", "second", "left over")
    fig.arrow("second", "third", "left over")
    fig.arrow("third", "update")
    fig.arrow("update", "table", later=True)
    fig.arrow("update", "out")
    return fig


def ocsort() -> Figure:
    """OC-SORT."""
    fig = _tracking(
        "OC-SORT: matching by overlap and direction, then by last observations; lost tracks are "
        "filtered again",
        "score above|obj_score_thr",
        "OCM: overlap and|direction",
        "track table|observations,|headings, states",
        "ORU: filter lost|tracks again; update,|start, drop",
    )
    fig.box("predict", 2, 1, "op", "KalmanFilter|predicts confirmed")
    fig.box("recover", 4, 0, "op", "OCR: overlap with|last observations")
    fig.arrow("predict", "table")
    fig.arrow("table", "match", "predicted boxes,|headings")
    fig.arrow("match", "recover")
    fig.arrow("recover", "update")
    return fig


def tracktor() -> Figure:
    """Tracktor."""
    fig = Figure("Tracktor: the second stage of the detector moves the boxes of the last frame")
    fig.box("frame", 0, 0, "in", "frame t")
    fig.box("detector", 1, 0, "net", "detector|features, detections")
    fig.box("move", 2, 0, "net", "its second stage|moves the boxes")
    fig.box("alive", 3, 0, "op", "living tracks:|score, then NMS")
    fig.box("out", 4, 0, "out", "boxes, labels, ids|of frame t")
    fig.box("camera", 1, 1, "op", "camera motion|(registration)")
    fig.box("table", 2, 1, "mem", "track table|boxes, embeddings")
    fig.box("fresh", 3, 1, "op", "detections of t that|overlap none of them")
    fig.box("reid", 4, 1, "net", "ReID: lost tracks|nearby, or new ids")
    fig.arrow("frame", "detector")
    fig.arrow("frame", "camera", via="vh")
    fig.arrow("detector", "move")
    fig.arrow("camera", "table")
    fig.arrow("table", "move", "boxes of|frame t - 1")
    fig.arrow("move", "alive")
    fig.arrow("alive", "out")
    fig.arrow("alive", "fresh")
    fig.arrow("fresh", "reid")
    fig.arrow("reid", "out")
    fig.arrow("reid", "table", "boxes and embeddings of frame t", via="under", later=True)
    return fig


def qdtrack() -> Figure:
    """QDTrack in a test."""
    fig = _tracking(
        "QDTrack in a test: embeddings of boxes are compared with tracks and backdrops",
        "remove duplicates|(overlap)",
        "bi-softmax,|best score first",
        "memory|tracks, backdrops",
        "update, start, drop,|new backdrops",
    )
    fig.box("embed", 2, 1, "net", "QuasiDenseTrackHead|embeds the boxes")
    fig.arrow("dets", "embed")
    fig.arrow("embed", "match")
    fig.arrow("table", "match", "embeddings")
    fig.arrow("match", "update", via="hv")
    return fig


def qdtrack_train() -> Figure:
    """QDTrack in training."""
    fig = Figure("QDTrack in training: all proposals around objects of two frames are compared")
    fig.box("key", 0, 0, "in", "key frame")
    fig.box("ref", 0, 1, "in", "reference frame|of the same video")
    fig.box("detector", 1, 0, "net", "detector|with its losses")
    fig.box("rpn", 1, 1, "net", "detector|proposals only")
    fig.box("pos", 2, 0, "op", "sampled boxes|on objects")
    fig.box("all", 2, 1, "op", "sampled boxes,|background too")
    fig.box("embed", 3, 0.5, "net", "QuasiDense-|EmbedHead")
    fig.box("track", 4, 0, "op", "dot products:|loss_track")
    fig.box("aux", 4, 1, "op", "cosines:|loss_track_aux")
    fig.arrow("key", "detector")
    fig.arrow("ref", "rpn")
    fig.arrow("detector", "pos")
    fig.arrow("rpn", "all")
    fig.arrow("pos", "embed")
    fig.arrow("all", "embed")
    fig.arrow("embed", "track")
    fig.arrow("embed", "aux")
    return fig


def siamese_rpn() -> Figure:
    """SiameseRPN++."""
    fig = Figure("SiameseRPN++: the template is correlated with the surroundings of the last box")
    fig.box("first", 0, 0, "in", "first frame|with the box")
    fig.box("frame", 0, 1, "in", "frame t")
    fig.box("template", 1, 0, "op", "template|127 x 127")
    fig.box("search", 1, 1, "op", "search image|255 x 255")
    fig.box("znet", 2, 0, "net", "backbone, neck|7 x 7, once")
    fig.box("xnet", 2, 1, "net", "backbone, neck|31 x 31")
    fig.box("corr", 3, 0.5, "net", "3 levels: depth-wise|correlation 25 x 25")
    fig.box("anchors", 4, 0.5, "op", "scores and boxes|of 5 x 625 anchors")
    fig.box("choose", 4, 2, "op", "penalty and window,|best anchor,|smooth its size")
    fig.box("out", 3, 2, "out", "box and score|of frame t")
    fig.box("last", 1, 2, "mem", "last box")
    fig.arrow("first", "template")
    fig.arrow("frame", "search")
    fig.arrow("template", "znet")
    fig.arrow("search", "xnet")
    fig.arrow("znet", "corr")
    fig.arrow("xnet", "corr")
    fig.arrow("corr", "anchors")
    fig.arrow("anchors", "choose")
    fig.arrow("choose", "out")
    fig.arrow("out", "last", later=True)
    fig.arrow("last", "search", "where to look")
    return fig


def stark() -> Figure:
    """STARK."""
    fig = Figure("STARK: a transformer relates two templates and the search region")
    fig.box("second", 1, 0, "mem", "second template|128 x 128")
    fig.box("first", 1, 1, "mem", "first template|128 x 128")
    fig.box("frame", 0, 2, "in", "frame t")
    fig.box("search", 1, 2, "op", "search region|320 x 320")
    fig.box("net", 2, 1, "net", "backbone, neck|features")
    fig.box("encoder", 3, 1, "net", "encoder over the|tokens of all three")
    fig.box("decoder", 4, 1, "net", "decoder|one query")
    fig.box("score", 4, 0, "net", "ScoreHead|(second stage)")
    fig.box("corner", 4, 2, "net", "CornerPredictorHead|two probability maps")
    fig.box("out", 3, 2, "out", "box and score|of frame t")
    fig.arrow("frame", "search")
    fig.arrow("second", "net")
    fig.arrow("first", "net")
    fig.arrow("search", "net")
    fig.arrow("net", "encoder")
    fig.arrow("encoder", "decoder")
    fig.arrow("decoder", "score")
    fig.arrow("decoder", "corner", "weights|the search tokens")
    fig.arrow("corner", "out")
    when = "every update_intervals frames, if the score is above 0.5"
    fig.arrow("score", "second", when, via="over", later=True)
    fig.arrow("out", "search", "last box", via="under", later=True)
    return fig


def mixformer() -> Figure:
    """MixFormer."""
    fig = Figure("MixFormer: the search region attends to the keys and values of templates")
    fig.box("online", 0, 0, "mem", "online templates|128 x 128")
    fig.box("first", 0, 1, "mem", "first template|128 x 128")
    fig.box("net0", 1, 0.5, "net", "CvT blocks|over templates")
    fig.box("known", 2, 0.5, "mem", "keys and values|of every block")
    fig.box("frame", 0, 2, "in", "frame t")
    fig.box("search", 1, 2, "op", "search region|320 x 320")
    fig.box("net1", 2, 2, "net", "the same blocks|mixed attention")
    fig.box("corner", 3, 2, "net", "CornerPredictorHead|two probability maps")
    fig.box("score", 3, 1, "net", "score token: box,|then first template")
    fig.box("out", 4, 2, "out", "box and score|of frame t")
    fig.arrow("first", "net0")
    fig.arrow("online", "net0")
    fig.arrow("net0", "known")
    fig.arrow("known", "net1", "attended to")
    fig.arrow("frame", "search")
    fig.arrow("search", "net1")
    fig.arrow("net1", "corner")
    fig.arrow("corner", "score", "box")
    fig.arrow("corner", "out")
    fig.arrow("score", "out")
    when = "every update_interval frames: the surest view"
    fig.arrow("out", "online", when, via="over", later=True)
    fig.arrow("out", "search", "last box", via="under", later=True)
    return fig


def dff() -> Figure:
    """DFF."""
    fig = Figure("DFF: features of key frames are moved to the frames in between along the flow")
    fig.box("key", 0, 0, "in", "key frame|every 10th")
    fig.box("backbone", 1, 0, "net", "backbone, neck")
    fig.box("feats", 2, 0, "mem", "features of the|last key frame")
    fig.box("frame", 0, 1, "in", "frame t|in between")
    fig.box("flow", 1, 1, "net", "FlowNetSimple|flow to the key frame")
    fig.box("warp", 2, 1, "op", "frames in between:|moved along the flow")
    fig.box("head", 3, 0.5, "net", "RPN and|second stage")
    fig.box("out", 4, 0.5, "out", "boxes of the frame")
    fig.arrow("key", "backbone")
    fig.arrow("backbone", "feats")
    fig.arrow("key", "flow")
    fig.arrow("frame", "flow")
    fig.arrow("flow", "warp")
    fig.arrow("feats", "warp")
    fig.arrow("feats", "head")
    fig.arrow("warp", "head")
    fig.arrow("head", "out")
    return fig


def fgfa() -> Figure:
    """FGFA."""
    fig = Figure("FGFA: features of the neighbours are moved to a frame and averaged with it")
    fig.box("refs", 0, 0, "in", "frames t - 15|to t + 15")
    fig.box("backbone", 1, 0, "net", "backbone, neck|once per frame")
    fig.box("ring", 2, 0, "mem", "window of features|and frames")
    fig.box("warp", 3, 0, "op", "move the features|to frame t")
    fig.box("mean", 4, 0, "net", "EmbedAggregator|cosine weights")
    fig.box("frame", 0, 1, "in", "frame t")
    fig.box("flow", 2, 1, "net", "FlowNetSimple|frame t to each other")
    fig.box("head", 4, 1, "net", "RPN and|second stage")
    fig.box("out", 3, 1, "out", "boxes of frame t")
    fig.arrow("refs", "backbone")
    fig.arrow("backbone", "ring")
    fig.arrow("ring", "warp")
    fig.arrow("ring", "flow", "frames")
    fig.arrow("frame", "flow")
    fig.arrow("flow", "warp", "flow", at=0.35)
    fig.arrow("warp", "mean")
    fig.arrow("mean", "head", "mean of all")
    fig.arrow("head", "out")
    return fig


def selsa() -> Figure:
    """SELSA."""
    fig = Figure("SELSA: proposals of a frame attend to proposals of frames of the whole video")
    fig.box("refs", 0, 0, "in", "14 frames of|the whole video")
    fig.box("rpn0", 1, 0, "net", "backbone, RPN")
    fig.box("rois0", 2, 0, "op", "features of their|proposals")
    fig.box("known", 3, 0, "mem", "keys and values|of all proposals")
    fig.box("frame", 0, 1, "in", "frame t")
    fig.box("rpn1", 1, 1, "net", "backbone, RPN")
    fig.box("rois1", 2, 1, "op", "features of its|proposals")
    fig.box("head", 3, 1, "net", "2 x linear layer|plus attention")
    fig.box("out", 4, 1, "out", "boxes of frame t")
    for i in "01":
        fig.arrow(f"rpn{i}", f"rois{i}")
    fig.arrow("refs", "rpn0")
    fig.arrow("frame", "rpn1")
    fig.arrow("rois0", "known")
    fig.arrow("known", "head", "attended to")
    fig.arrow("rois1", "head")
    fig.arrow("head", "out")
    return fig


def temporal_roi_align() -> Figure:
    """Temporal RoI Align."""
    fig = Figure("Temporal RoI Align: places of a region are merged with the most similar ones")
    fig.box("refs", 0, 0, "in", "14 frames of|the whole video")
    fig.box("net0", 1, 0, "net", "backbone, neck")
    fig.box("maps", 2, 0, "mem", "their feature maps")
    fig.box("similar", 3, 0, "op", "most similar places|of every frame")
    fig.box("attention", 4, 0, "net", "attention over|the frames")
    fig.box("frame", 0, 1, "in", "frame t")
    fig.box("net1", 1, 1, "net", "backbone, RPN")
    fig.box("rois", 2, 1, "op", "RoI Align|7 x 7 places")
    fig.box("head", 4, 1, "net", "SELSA head")
    fig.box("out", 4, 2, "out", "boxes of frame t")
    fig.arrow("refs", "net0")
    fig.arrow("net0", "maps")
    fig.arrow("maps", "similar")
    fig.arrow("similar", "attention")
    fig.arrow("frame", "net1")
    fig.arrow("net1", "rois")
    fig.arrow("rois", "similar", "ask", at=0.45)
    fig.arrow("rois", "attention", "region itself", at=0.35)
    fig.arrow("attention", "head", "7 x 7")
    fig.arrow("head", "out")
    return fig


def masktrack_rcnn() -> Figure:
    """MaskTrack R-CNN."""
    fig = Figure("MaskTrack R-CNN: a third branch compares boxes with remembered instances")
    fig.box("frame", 0, 0, "in", "frame t")
    fig.box("backbone", 1, 0, "net", "backbone, FPN")
    fig.box("mask", 2, 0, "net", "Mask R-CNN heads|boxes, masks")
    fig.box("match", 3, 0, "op", "best instance:|likeness, score,|overlap, class")
    fig.box("out", 4, 0, "out", "boxes, masks, ids|of frame t")
    fig.box("rois", 2, 1, "op", "RoI Align|7 x 7")
    fig.box("embed", 3, 1, "net", "RoIEmbedHead|dot products")
    fig.box("memory", 4, 1, "mem", "instances as last|seen")
    fig.arrow("frame", "backbone")
    fig.arrow("backbone", "mask")
    fig.arrow("mask", "match")
    fig.arrow("backbone", "rois", via="vh")
    fig.arrow("mask", "rois", "boxes")
    fig.arrow("rois", "embed")
    fig.arrow("memory", "embed")
    fig.arrow("embed", "match")
    fig.arrow("match", "out")
    fig.arrow("out", "memory", later=True)
    return fig


def reid() -> Figure:
    """ReID."""
    fig = Figure("ReID: an embedding that a classifier of identities and triplets teach")
    fig.box("crops", 0, 0.5, "in", "8 people,|4 crops each")
    fig.box("backbone", 1, 0.5, "net", "ResNet-50|and mean over places")
    fig.box("head", 2, 0.5, "net", "linear 1024,|linear 128")
    fig.box("embed", 3, 0.5, "out", "embedding|128 numbers")
    fig.box("triplet", 4, 0, "op", "hardest triplets:|triplet_loss")
    fig.box("classes", 4, 1, "net", "BatchNorm, classifier:|ce_loss")
    fig.arrow("crops", "backbone")
    fig.arrow("backbone", "head")
    fig.arrow("head", "embed")
    fig.arrow("embed", "triplet")
    fig.arrow("embed", "classes")
    return fig


FIGURES = (
    sort,
    deepsort,
    tracktor,
    bytetrack,
    ocsort,
    qdtrack,
    qdtrack_train,
    siamese_rpn,
    stark,
    mixformer,
    dff,
    fgfa,
    selsa,
    temporal_roi_align,
    masktrack_rcnn,
    reid,
)


def drawn() -> dict[str, str]:
    """Text of each file by its name."""
    return {f"{draw.__name__}.svg": draw().svg() for draw in FIGURES}


if __name__ == "__main__":
    for name, text in drawn().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
