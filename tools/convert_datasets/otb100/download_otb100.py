"""Download the archives of OTB100, one for each video; those that are there are kept.

Example:
    python tools/convert_datasets/otb100/download_otb100.py -o data/otb100/zips -p 8
"""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mmtrack.datasets.converters import progress_bar, readable_errors
from mmtrack.datasets.converters.sot_benchmarks import listed_videos
from mmtrack.utils.download import DownloadError, download

SERVER = "http://cvlab.hanyang.ac.kr/tracker_benchmark/seq"
INFOS = Path(__file__).with_name("otb100_infos.txt")


def names_of_archives() -> list[str]:
    """Names of the videos; one with two objects has one archive."""
    return sorted({row["video_path"].split("/")[1] for row in listed_videos(INFOS)})


def main() -> None:
    """Download with several connections."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--out", required=True, help="folder for the archives")
    parser.add_argument("-p", type=int, default=1, metavar="N", help="downloads at a time")
    parser.add_argument("--server", default=SERVER, help="address of the folder of archives")
    args = parser.parse_args()
    paths = {name: Path(args.out) / f"{name}.zip" for name in names_of_archives()}
    missing = [name for name, path in paths.items() if not path.is_file()]
    step, failed = progress_bar(len(missing), "archives"), []
    with ThreadPoolExecutor(max(args.p, 1)) as pool:
        urls = {name: f"{args.server.rstrip('/')}/{name}.zip" for name in missing}
        jobs = [pool.submit(download, urls[name], paths[name]) for name in missing]
        for job in jobs:
            try:
                job.result()
            except DownloadError as error:
                failed.append(str(error))
            step()
    if failed:
        raise DownloadError("\n".join([f"{len(failed)} archives are missing:", *failed]))
    print(f"{args.out}: {len(paths)} archives")


if __name__ == "__main__":
    with readable_errors():
        main()
