"""What clients may ask: fields in all their forms, and the message for each wrong one."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from mmtrack.apis.serving_request import Limits, RequestError, parse_request

VIDEO = b"\x00\x00\x00\x1cftypisom" + bytes(100)
MOV = b"\x00\x00\x00\x08wide" + bytes(10)
AVI = b"RIFF\x00\x00\x00\x00AVI LIST"
WEBM = b"\x1aE\xdf\xa3" + bytes(10)
CODE = base64.b64encode(VIDEO).decode()
BOX = "30.5,29,23.5,15"
CORNERS = [30.5, 29, 54, 44]


def parse(given, *, follows=False, headers=None, **limits):
    return parse_request(given, Limits(**limits), follows=follows, headers=headers)


@pytest.mark.parametrize(
    "given",
    [
        {"body": VIDEO},
        {"body": bytearray(VIDEO)},
        {"data": VIDEO},
        {"data": CODE},
        {"data": CODE.encode()},
        {"body": f"{CODE[:40]}\r\n{CODE[40:]}\n"},
        {"body": {"data": CODE}},
    ],
    ids=["body", "bytearray", "field", "base64", "base64 bytes", "base64 lines", "json"],
)
def test_forms_of_the_video(given):
    request = parse(given)
    assert request.video == VIDEO
    assert (request.output, request.score_thr, request.region) == ("mp4", 0.5, None)


@pytest.mark.parametrize("video", [AVI, WEBM, MOV], ids=["avi", "webm", "old mov"])
def test_other_containers(video):
    assert parse({"body": video}).video == video


@pytest.mark.parametrize(
    ("given", "headers"),
    [
        ({"data": VIDEO, "init_bbox": BOX, "output": "json"}, None),
        ({"data": VIDEO, "init_bbox": BOX.encode(), "output": b"json"}, None),
        ({"data": VIDEO, "init_bbox": f"[{BOX}]", "output": " json\n"}, None),
        ({"body": {"data": CODE, "init_bbox": [30.5, 29, 23.5, 15], "output": "json"}}, None),
        ({"body": VIDEO}, {"X-Mmtrack-Init-Bbox": BOX, "x-mmtrack-output": "json", "Host": "a"}),
        (
            {"data": VIDEO, "init_bbox": BOX},
            {"X-Mmtrack-Init-Bbox": "1", "X-Mmtrack-Output": "json"},
        ),
    ],
    ids=["text", "bytes", "brackets", "json", "headers", "field before header"],
)
def test_forms_of_the_options(given, headers):
    request = parse(given, follows=True, headers=headers)
    np.testing.assert_array_equal(request.region, CORNERS)
    assert request.output == "json"


@pytest.mark.parametrize("value", ["0", "1", 0.3, b"0.3"])
def test_score_threshold(value):
    assert parse({"data": VIDEO, "score_thr": value}).score_thr == float(value)


@pytest.mark.parametrize(
    ("given", "status", "message"),
    [
        ({}, 400, "there is no video"),
        ({"body": b""}, 400, "empty"),
        ({"body": VIDEO, "data": VIDEO}, 400, "two videos"),
        ({"body": {}}, 400, "there is no video"),
        ({"body": [1]}, 400, "not list"),
        ({"body": {"data": 7}}, 400, "not int"),
        ({"data": VIDEO, "init_box": BOX}, 400, "unknown field 'init_box'"),
        ({VIDEO.decode("latin-1"): b""}, 400, "application/octet-stream"),
        ({"data": VIDEO, "output": "avi"}, 400, "output must be mp4 or json, but is 'avi'"),
        ({"data": VIDEO, "output": b"\xff"}, 400, "output is not text"),
        ({"data": VIDEO, "init_bbox": BOX}, 400, "leave it out"),
        *(
            ({"data": VIDEO, "score_thr": value}, 400, "score_thr must be from 0 to 1")
            for value in ("high", "nan", "-0.1", "1.5", "", "inf", [0.5])
        ),
        ({"body": b"\x89PNG\r\n\x1a\n" + bytes(50)}, 422, "58 bytes that came are no video"),
        ({"body": b"#EXTM3U\nfile:///etc/passwd\n"}, 422, "no video"),
        ({"body": b"ffconcat version 1.0\nfile '/etc/passwd'\n"}, 422, "no video"),
        ({"body": b"#EXTM3U\nAVI \n#EXT-X-TARGETDURATION:9\n/etc/passwd\n"}, 422, "no video"),
        ({"body": b"<!--ftyp--><MPD><BaseURL>/etc/passwd</BaseURL></MPD>"}, 422, "no video"),
        ({"body": b"RIFF\x24\x00\x00\x00WAVEfmt "}, 422, "no video"),
        ({"body": b' {"data": "AAAA",}'}, 400, "looks like JSON.*application/json"),
        ({"data": base64.b64encode(b"no video")}, 422, "no video"),
        ({"data": "\ud800"}, 422, "no video"),
    ],
)
def test_wrong_requests(given, status, message):
    with pytest.raises(RequestError, match=message) as caught:
        parse(given)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ("1,2,3", "four numbers"),
        ("1,2,3,4,5,6,7,8", "four numbers"),
        ("a,b,c,d", "four numbers"),
        ("", "four numbers"),
        ({"x": 1}, "four numbers"),
        ("nan,2,3,4", "finite"),
        ("1,2,inf,4", "finite"),
        ("1,2,-3,4", "above zero"),
        ("1,2,3,0", "above zero"),
    ],
)
def test_wrong_boxes(box, message):
    with pytest.raises(RequestError, match=message) as caught:
        parse({"data": VIDEO, "init_bbox": box}, follows=True)
    assert caught.value.status == 400


def test_model_that_follows_needs_a_box_and_has_no_threshold():
    with pytest.raises(RequestError, match="init_bbox is missing"):
        parse({"data": VIDEO}, follows=True)
    with pytest.raises(RequestError, match="score_thr is given"):
        parse({"data": VIDEO, "init_bbox": BOX, "score_thr": "0.5"}, follows=True)


@pytest.mark.parametrize("code", [False, True], ids=["bytes", "base64"])
def test_size_of_the_video(code):
    video = VIDEO + bytes(2**20)
    sent = base64.b64encode(video) if code else video
    assert parse({"data": sent}, max_megabytes=1.1).video == video
    with pytest.raises(RequestError, match=r"has 1\.0 MB, the limit .* 1 MB") as caught:
        parse({"data": sent}, max_megabytes=1)
    assert caught.value.status == 413


def test_limits_of_a_file():
    assert Limits.from_dict({}) == Limits()
    assert Limits.from_dict(json.loads('{"max_frames": 7}')) == Limits(max_frames=7)
    with pytest.raises(ValueError, match="unknown limit max_frame; there are max_megabytes"):
        Limits.from_dict({"max_frame": 7})
    for value in (0, -1, "7", None, True, float("nan")):
        with pytest.raises(ValueError, match="max_frames must be a positive number"):
            Limits(max_frames=value)
