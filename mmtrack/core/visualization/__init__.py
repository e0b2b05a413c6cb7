"""Drawing of tracks and errors, and frame-by-frame reading and writing of videos."""

from .draw import LineStyle, Marks, draw_marks, present, style_for
from .palette import id_colors, id_palette
from .result_drawer import ResultDrawer
from .sheets import encode_gif, encode_jpeg, tile_images
from .tracks import imshow_mot_errors, imshow_tracks
from .video_io import VideoFileWriter, open_sink, open_source, read_image, sorted_frames
from .windows import DisplayError, select_box

__all__ = [
    "DisplayError",
    "LineStyle",
    "Marks",
    "ResultDrawer",
    "VideoFileWriter",
    "draw_marks",
    "encode_gif",
    "encode_jpeg",
    "id_colors",
    "id_palette",
    "imshow_mot_errors",
    "imshow_tracks",
    "open_sink",
    "open_source",
    "present",
    "read_image",
    "select_box",
    "sorted_frames",
    "style_for",
    "tile_images",
]
