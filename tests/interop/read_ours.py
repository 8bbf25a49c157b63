"""Reads what limoe wrote with other programs: shards by Python's tarfile and GNU tar, pictures by Pillow.

    python3 tests/interop/read_ours.py DATA_SET      a folder `limoe data` made; needs Pillow and GNU tar

Run by hand. Every shard of every split is read; prints what it saw, ends with status 1 at the first difference.
"""
import io
import json
import pathlib
import subprocess
import sys
import tarfile

from PIL import Image


def members_by_gnu_tar(shard):
    listed = subprocess.run(["tar", "-tf", shard], check=True, capture_output=True, text=True)
    return listed.stdout.splitlines(), listed.stderr


def check_shard(shard, size, classes):
    with tarfile.open(shard, errorlevel=2) as tar:
        members = tar.getmembers()
        names, complaints = members_by_gnu_tar(shard)
        assert complaints == "", complaints
        assert names == [member.name for member in members], "GNU tar and tarfile list other members"
        samples = {}
        for member in members:
            assert member.isreg() and member.mtime == 0 and member.uid == 0, member.name
            key, ending = member.name.split(".", 1)
            samples.setdefault(key, {})[ending] = tar.extractfile(member).read()
    for key, sample in samples.items():
        image = Image.open(io.BytesIO(sample["png"]))
        image.load()
        assert image.mode == "RGB" and image.size == (size, size), (key, image.mode, image.size)
        assert sample["txt"].decode("utf-8").strip(), key
        if "json" in sample:
            json.loads(sample["json"])
        if "cls" in sample:
            assert 0 <= int(sample["cls"]) < classes, key
    return len(samples)


def main(folder):
    description = json.loads((folder / "dataset.json").read_text())
    names = folder / "classnames.txt"
    classes = len(names.read_text().splitlines()) if names.exists() else 0
    for split, count in description["splits"].items():
        shards = sorted((folder / split).glob("*.tar"), key=lambda path: int(path.stem))
        assert len(shards) == int((folder / split / "nshards.txt").read_text()), split
        seen = sum(check_shard(shard, description["image_size"], classes) for shard in shards)
        assert seen == count, f"{split}: {seen} samples; expected {count}"
        print(f"{split}: {seen} samples in {len(shards)} shards")


main(pathlib.Path(sys.argv[1]))
