"""Writes tests/fuzz/corpus/: small valid and nearly valid files for the fuzz targets to begin with.

Pictures, shards and tables are those of tests/golden/data/, with the byte in front that chooses a target's mode; the rest
is written here. Run by hand; the files are committed.

    python3 tests/fuzz/make_corpus.py        needs the Python packages safetensors, numpy and sentencepiece
"""
import gzip
import io
import json
import pathlib
import shutil
import struct
import tarfile

import numpy
import safetensors.numpy
import sentencepiece

HERE = pathlib.Path(__file__).parent
DATA = HERE.parent / "golden" / "data"
CORPUS = HERE / "corpus"


def seed(target, name, content):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def safetensors_seeds():
    tensors = {"a": numpy.arange(6, dtype=numpy.float32).reshape(2, 3), "b.c": numpy.zeros((0, 4), numpy.int32),
               "d": numpy.array(1.5)}
    whole = safetensors.numpy.save(tensors, metadata={"format": "limoe", "k": "ä"})
    seed("safetensors", "whole", b"\0" + whole)
    entry = '"%s":{"dtype":"%s","shape":%s,"data_offsets":[%d,%d]}'
    headers = {"one": (4, entry % ("w", "F32", "[1]", 0, 4)), "bf16": (4, entry % ("w", "BF16", "[2,1]", 0, 4)),
               "none": (0, '"__metadata__":{"a":"b"}'), "empty": (0, ""),
               "two": (12, entry % ("v", "F64", "[]", 0, 8) + "," + entry % ("w", "I32", "[1,1]", 8, 12)),
               "huge": (4, entry % ("w", "F32", "[4611686018427387904,4]", 0, 4)),
               "hole": (12, entry % ("w", "F32", "[1]", 4, 8))}
    foreign, end = [], 0
    for dtype, size in ("F16", 2), ("I64", 8), ("U64", 8), ("U32", 4), ("I16", 2), ("U16", 2), ("I8", 1), ("U8", 1), ("BOOL", 1):
        foreign.append(entry % (dtype.lower(), dtype, "[2]", end, end + 2 * size))
        end += 2 * size
    headers["foreign"] = (end, ",".join(foreign))
    for name, (data, text) in headers.items():
        seed("safetensors", "header_" + name, bytes([data * 2 + 1]) + ("{" + text + "}").encode())


def small_tar(form, members, pax=None):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.pax_headers = pax or {}
            tar.addfile(info, io.BytesIO(content))
    blocks = len(out.getvalue().rstrip(b"\0")) // 512 + 1
    return out.getvalue()[: (blocks + 2) * 512]


def tar_seeds():
    picture = (DATA / "pictures" / "plain.png").read_bytes()
    pair = [("a.png", picture), ("a.txt", b"a cat"), ("a.json", b'{"caption": "a dog"}'), ("a.cls", b"3")]
    seed("tar", "ustar", b"\1" + small_tar(tarfile.USTAR_FORMAT, pair))
    seed("tar", "json", b"\3" + small_tar(tarfile.USTAR_FORMAT, pair))
    seed("tar", "gnu", b"\1" + small_tar(tarfile.GNU_FORMAT, [("n" * 120 + ".txt", b"long")]))
    seed("tar", "pax", b"\1" + small_tar(tarfile.PAX_FORMAT, [("ä" * 80 + ".png", picture)], {"size": "4"}))
    seed("tar", "unrepaired", b"\0" + small_tar(tarfile.USTAR_FORMAT, pair[:2]))


def picture_seeds():
    target = {".png": "png", ".jpg": "jpeg", ".webp": "webp", ".bmp": "stb", ".gif": "stb"}
    for file in sorted((DATA / "pictures").iterdir()):
        seed(target[file.suffix], file.name, file.read_bytes() + b"\1")


def text_seeds():
    for file in sorted((DATA / "tables").glob("*.?sv")):
        seed("csv", file.name, bytes([file.suffix == ".csv"]) + file.read_bytes())
    seed("csv", "quotes", b'\0filepath\ttitle\r\n"a ""b"".png"\t"two\nlines"\r\n\r\nonly one\n"open\t\n')
    document = {"caption": "a red square", "name": "square", "phrases": ["red", "square, red"], "keywords": "shape",
                "subgroup": ["place-religious"], "n": [1, -2.5e3, None, True, {"deep": [[["x"]]]}], "ä": "\u65e5\ud83d\ude00"}
    text = json.dumps(document)
    for mode, content in {0: text, 1: text, 3: text, 2: "{}", 4: "12", 12: "-1", 8: "  a cat\n", 10: "one\ntwo\n\n"}.items():
        seed("sample_text", f"mode{mode}", bytes([mode]) + content.encode())
    seed("sample_text", "deep", b"\0" + b'{"a":' * 40 + b"[" * 40)
    seed("shard_list", "range", "data/{000..012}.tar::other/{a,b}/{1..3}.csv")
    seed("shard_list", "many", "{0..9}" * 12)
    seed("shard_list", "odd", "{}{,}{..}{9..10}}{")
    seed("config", "escapes", '# c\n[training]\nlr = 0.001 # x\ntrain-data = "a\\tb\\u00e9"\nval-data = \'c:\\d\'\n'
         'augment = false\nseed = 18446744073709551615\nlayers = 2\nexperts = 4\n')
    for file in sorted((HERE.parent.parent / "configs").glob("*.toml")):
        seed("config", file.name, file.read_bytes())


def bpe_seeds():
    lines = (HERE.parent / "golden" / "bpe_merges.txt").read_bytes().split(b"\n")
    text = b"\n".join(lines[:40]) + b"\n"
    seed("bpe", "whole", b"\0" + text)
    seed("bpe", "gzip", b"\0" + gzip.compress(text, mtime=0))
    seed("bpe", "merges", b"\1" + b"\n".join(lines[1:30]))
    seed("bpe", "small", b"\1a b\nab c</w>\n")
    seed("bpe", "text", b"\2It's &amp;lt; 3\xc2\xbd \xe2\x80\x9cquoted\xe2\x80\x9d, don't \xff \xe6\x97\xa5\xe6\x9c\xac")


def checkpoint_seeds():
    for file in range(6):
        for mode in (0, 32, 128, 160):
            seed("checkpoint", f"edit{file + mode}", bytes([file + mode, 9, 0, 1, 2]) + b"7," + bytes([60, 1, 0, 1]) + b'"')
    trainer = '{"format": "limoe trainer", "version": 1, "step": 3, "samples_seen": 9, "loader_epoch": 0, "loader_step": 0}'
    seed("checkpoint", "trainer", bytes([128 + 64 + 32 + 2]) + trainer.encode())
    seed("checkpoint", "config", bytes([128 + 64 + 3]) + b"layers = 1000000000\nwidth = 1000000\n")
    manifest = {"format": "limoe checkpoint", "version": 1, "files": {"../x": {"bytes": 2**63, "crc32": "9ae0daaf"}}}
    seed("checkpoint", "manifest", bytes([64 + 5]) + json.dumps(manifest).encode())


def request_seeds():
    targets = ["/", "/api/info", "/api/search?q=a%20red+heart&top=12", "/api/search?q=%C3%A4", "/api/pictures/3",
               "/api/pictures/3.png?v=1", "/api/experts?layer=1&expert=2", "/api/surprise?count=3&seed=4", "/api/../x?%zz"]
    for i, target in enumerate(targets):
        seed("request", f"target{i}", b"\0" + target.encode())
    head = "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nRange: bytes=0-,1-\r\nAccept: */*\r\n\r\n"
    for i, target in enumerate(targets[:3]):
        seed("request", f"head{i}", b"\1" + (head % target).encode())
    seed("request", "post", b"\1POST / HTTP/1.1\r\nHost: localhost:1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")


def sentencepiece_seeds():
    words = [f"{article} {colour} {thing} {place}" for article in ("a", "the", "one") for colour in ("red", "blue", "Ärgste")
             for thing in ("heart", "cat", "flag, old") for place in ("on a book", "in the (small) garden")]
    rules = "41\t61\n42\t62\nC4\t61 65\nFF21\t61\n"
    (CORPUS / "rules.tsv").write_text(rules)
    for name, options in {
            "unigram": dict(model_type="unigram", normalization_rule_name="identity"),
            "rules": dict(model_type="unigram", normalization_rule_tsv=str(CORPUS / "rules.tsv")),
            "bpe": dict(model_type="bpe", normalization_rule_name="identity", user_defined_symbols=["ab", "<x>"]),
            "word": dict(model_type="word", normalization_rule_name="identity"),
            "char": dict(model_type="char", normalization_rule_name="identity", self_test_sample_size=2),
            "bytes": dict(model_type="bpe", byte_fallback=True, normalization_rule_name="identity")}.items():
        size = 300 if name == "bytes" else 60
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(words), model_writer=model, vocab_size=size, hard_vocab_limit=False, pad_id=0, eos_id=1,
            unk_id=2, bos_id=-1, num_threads=1, minloglevel=2, **options)
        seed("sentencepiece", name, model.getvalue())
    (CORPUS / "rules.tsv").unlink()


def main():
    shutil.rmtree(CORPUS, ignore_errors=True)
    for make in (safetensors_seeds, tar_seeds, picture_seeds, text_seeds, bpe_seeds, checkpoint_seeds, request_seeds,
                 sentencepiece_seeds):
        make()
    total = sum(file.stat().st_size for file in CORPUS.rglob("*") if file.is_file())
    print(f"{total} bytes in {CORPUS}")


main()
