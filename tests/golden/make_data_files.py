"""Writes tests/golden/data/: small data sets made by other programs, and what limoe has to read from them.

Shards by Python's tarfile and by GNU tar (ustar, pax, gnu; names above 100 bytes), pictures by Pillow and ImageMagick,
tables by Python's csv module. expected.json holds, for every picture, the pixels Pillow gives (lossless formats) or their
mean colour (lossy ones), and every caption. Run by hand; the files are committed, the tests need no Python.

    python3 tests/golden/make_data_files.py        needs Pillow, GNU tar, ImageMagick's convert
"""
import csv
import io
import json
import pathlib
import shutil
import subprocess
import tarfile
import tempfile

from PIL import Image

OUT = pathlib.Path(__file__).parent / "data"
LONG = "a_long_folder_name_that_goes_on/" * 4 + "and_the_file_name_is_long_as_well_so_that_no_ustar_field_holds_it"
CAPTIONS = ["a red square", 'says "hello", twice', "zwölf Äpfel, and 日本", "two\nlines"]


def picture(seed, width=9, height=7):
    image = Image.new("RGB", (width, height))
    image.putdata([((x * 29 + seed * 50) % 256, (y * 37 + seed * 20) % 256, (x * y * 11 + seed * 70) % 256)
                   for y in range(height) for x in range(width)])
    return image


def encoded(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def on_white(image):
    rgba = image.convert("RGBA")
    white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, rgba).convert("RGB")


def python_tars():
    """Four pairs in each of tarfile's formats; two of the keys are longer than 100 bytes."""
    for name, kind in [("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)]:
        with tarfile.open(OUT / f"python_{name}.tar", "w", format=kind) as tar:
            for i, caption in enumerate(CAPTIONS):
                # ustar parts a name at a '/', and holds 100 bytes behind it
                key = f"{i}" if i < 2 else (LONG[:90] if name == "ustar" else LONG) + f"/größe_{i}"
                for ending, contents in [("png", encoded(picture(i), "PNG")), ("txt", caption.encode())]:
                    info = tarfile.TarInfo(f"{key}.{ending}")
                    info.size = len(contents)
                    tar.addfile(info, io.BytesIO(contents))


def gnu_tars(folder):
    for i, caption in enumerate(CAPTIONS):
        place = folder / (LONG[:90] if i >= 2 else ".")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"größe_{i}.png").write_bytes(encoded(picture(i), "PNG"))
        (place / f"größe_{i}.txt").write_text(caption)
    deep = folder / LONG
    deep.parent.mkdir(parents=True, exist_ok=True)
    for kind in ["ustar", "pax", "gnu"]:
        if kind != "ustar":  # no ustar field holds this one
            deep.with_suffix(".png").write_bytes(encoded(picture(4), "PNG"))
            deep.with_suffix(".txt").write_text("far down")
        subprocess.run(["tar", f"--format={kind}", "--sort=name", "--mtime=@0.5", "--owner=0", "--group=0",
                        "-C", folder, "-cf", OUT / f"tar_{kind}.tar", "."], check=True)


def pictures():
    """Every kind of file, with what Pillow reads from it."""
    folder = OUT / "pictures"
    folder.mkdir()
    plain, clear = picture(1), picture(2).convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    palette = picture(3).quantize(16)
    files = {
        "plain.png": encoded(plain, "PNG"), "alpha.png": encoded(clear, "PNG"), "palette.png": encoded(palette, "PNG"),
        "grey.png": encoded(plain.convert("L"), "PNG"), "grey16.png": encoded(plain.convert("I").point(lambda v: v * 257), "PNG"),
        "plain.bmp": encoded(plain, "BMP"), "palette.bmp": encoded(palette, "BMP"), "one_bit.bmp": encoded(plain.convert("1"), "BMP"),
        "plain.gif": encoded(palette, "GIF"), "interlaced.gif": encoded(palette, "GIF", interlace=1),
        "moving.gif": encoded(palette, "GIF", save_all=True, append_images=[picture(4).quantize(16)]),
        "lossless.webp": encoded(plain, "WEBP", lossless=True), "alpha.webp": encoded(clear, "WEBP", lossless=True, exact=True),
        "lossy.webp": encoded(picture(1, 24, 16), "WEBP", quality=80),
        "baseline.jpg": encoded(picture(1, 24, 16), "JPEG", quality=90),
        "progressive.jpg": encoded(picture(1, 24, 16), "JPEG", quality=90, progressive=True),
        "grey.jpg": encoded(picture(1, 24, 16).convert("L"), "JPEG", quality=90),
        "cmyk.jpg": encoded(picture(1, 24, 16).convert("CMYK"), "JPEG", quality=90),
    }
    for name, contents in files.items():
        (folder / name).write_bytes(contents)
    if shutil.which("convert"):
        source = folder / "plain.png"
        for name, options in [("magick.bmp", []), ("magick3.bmp", ["-define", "bmp:format=bmp3"]),
                              ("magick_alpha.bmp", ["-alpha", "set"]), ("magick.gif", []),
                              ("magick_interlaced.png", ["-interlace", "PNG"]),
                              ("magick.webp", ["-define", "webp:lossless=true"]), ("magick.jpg", ["-resize", "24x16!"]),
                              ("magick_progressive.jpg", ["-resize", "24x16!", "-interlace", "JPEG"])]:
            subprocess.run(["convert", source, "-strip", *options, folder / name], check=True)
    expected = {}
    for path in sorted(folder.iterdir()):
        image = Image.open(path)
        lossy = path.suffix == ".jpg" or path.name == "lossy.webp"
        rgb = image.point(lambda v: v / 257).convert("L").convert("RGB") if image.mode.startswith("I") else on_white(image)
        expected[path.name] = {"width": rgb.width, "height": rgb.height, "tolerance": 1 if lossy else 0,
                               "pixels": rgb.tobytes().hex()}
    return expected


def tables():
    folder = OUT / "tables"
    (folder / "with space").mkdir(parents=True)
    names = ["0.png", "with space/1, one.png", "2.jpg", "3.png"]
    for i, name in enumerate(names):
        (folder / name).write_bytes(encoded(picture(i), "PNG"))
    rows = [{"filepath": name, "title": caption, "extra": str(i)} for i, (name, caption) in enumerate(zip(names, CAPTIONS))]
    for name, separator, end, mark in [("plain.tsv", "\t", "\n", ""), ("comma.csv", ",", "\r\n", ""), ("marked.csv", ";", "\n", "\ufeff")]:
        with open(folder / name, "w", newline="", encoding="utf-8") as file:
            file.write(mark)
            writer = csv.DictWriter(file, ["filepath", "title", "extra"], delimiter=separator, lineterminator=end)
            writer.writeheader()
            writer.writerows(rows)


def class_folder():
    for label, name in enumerate(["big_cat", "dog", "owl-like"]):
        place = OUT / "classes" / name
        place.mkdir(parents=True)
        (place / "1.png").write_bytes(encoded(picture(label), "PNG"))
        (place / "notes.txt").write_text("no picture")
    (OUT / "classes" / "dog" / "more").mkdir()
    (OUT / "classes" / "dog" / "more" / "2.JPEG").write_bytes(encoded(picture(5), "JPEG"))


def clip_benchmark():
    """WebP pictures with .cls, and pictures with several captions."""
    for name in ["zeroshot", "retrieval"]:
        folder = OUT / name
        (folder / "test").mkdir(parents=True)
        (folder / "test" / "nshards.txt").write_text("2\n")
        for shard in range(2):
            with tarfile.open(folder / "test" / f"{shard}.tar", "w") as tar:
                for i in range(2):
                    number = 2 * shard + i
                    text = {"cls": f"{number % 3}"} if name == "zeroshot" else {"txt": f"first of {number}\nsecond of {number}\n"}
                    for ending, contents in [("webp", encoded(picture(number), "WEBP", lossless=True)),
                                             *((k, v.encode()) for k, v in text.items())]:
                        info = tarfile.TarInfo(f"s{number:07d}.{ending}")
                        info.size = len(contents)
                        tar.addfile(info, io.BytesIO(contents))
    (OUT / "zeroshot" / "classnames.txt").write_text("cat\ndog\nowl\n")
    (OUT / "zeroshot" / "zeroshot_classification_templates.txt").write_text("a photo of a {c}.\na {c}.\n")
    (OUT / "retrieval" / "dataset_type.txt").write_text("retrieval")


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    python_tars()
    with tempfile.TemporaryDirectory() as folder:
        gnu_tars(pathlib.Path(folder))
    expected = {"captions": CAPTIONS, "pictures": pictures(),
                "samples": [picture(i).tobytes().hex() for i in range(6)]}
    tables()
    class_folder()
    clip_benchmark()
    (OUT / "expected.json").write_text(json.dumps(expected, indent=0, ensure_ascii=False) + "\n")
    print(sum(p.stat().st_size for p in OUT.rglob("*") if p.is_file()), "bytes")


main()
