"""Writes bpe_merges.txt, a small merges file in CLIP's form, and bpe_golden.txt, texts and their ids.

    python make_bpe.py                       # needs ftfy, regex and open_clip_torch

The merges are learned here, by counting, from a few sentences: this file is nobody's data. The ids are those of
open_clip's SimpleTokenizer reading that merges file. One case is two lines: the text as JSON, its ids.

`--texts FILE COUNT` writes COUNT random texts, one a line as JSON, with the ids of CLIP's real vocabulary, which
tests/bpe_tokenizer_test.cpp reads when LIMOE_BPE_CASES names that file. Texts that are not in the composed form (NFC) or
that ftfy takes for wrongly decoded are left out: those it changes, and limoe does not.
"""

import collections
import gzip
import importlib.util
import json
import random
import sys
import tempfile
import unicodedata
from pathlib import Path

HERE = Path(__file__).parent


def open_clip_tokenizer():
    """Its module by itself: the package around it wants torchvision."""
    path = Path(importlib.util.find_spec("open_clip").origin).parent / "tokenizer.py"
    spec = importlib.util.spec_from_file_location("open_clip_tokenizer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MODULE = open_clip_tokenizer()
SimpleTokenizer, bytes_to_unicode = MODULE.SimpleTokenizer, MODULE.bytes_to_unicode

SENTENCES = """a photo of a cat. a photo of the small dog, a photo of a red heart. the dog's tail and the cat's whiskers
they're running, we've seen it; it's 42 degrees! i'll go and i'd stay, don't you? a painting of an old house by the sea
three hearts and a smiling face with tears of joy. caf\u00e9 na\u00efve \u00fcber stra\u00dfe \u732b \u0438\u0433\u0440\u0430 hello hello hello""".split()
TEXTS = ["", " ", "a photo of a cat.", "A Photo   of\tTHE\nDog's tail!!", "it's 42 degrees, we've 7 hearts", "they'll 'tis don't I'D",
         "caf\u00e9 \u00dcBER Stra\u00dfe", "\u732b\u304c\u5bdd\u3066\u3044\u308b", "\u0418\u0413\u0420\u0410 \u039f\u0394\u039f\u03a3 \u03a3\u03a3 \u0130stanbul",
         "\U0001f600 smile \U0001f469\u200d\U0001f467", "&lt;b&gt; a &amp;amp; b &#39;x&#39; &#x41;", "\u2019quoted\u2019 \u201cit\u2019s\u201d", "a--b...c!?'s 's's",
         "x\u00b2 \u00bd \u2167 \u0663", "hellohellohellohello", "aaaaaaaaaaaaaaaaaaaaaaa", "zzz qqq \u00a0\u3000 end", "under_score #hash @at 3.14"]


def learn(words, count):
    letters = bytes_to_unicode()
    counts = collections.Counter(words)
    split = {word: [*(letters[b] for b in word.encode())] for word in counts}
    for pieces in split.values():
        pieces[-1] += "</w>"
    merges, made = [], set()
    while len(merges) < count:
        pairs = collections.Counter()
        for word, pieces in split.items():
            for pair in zip(pieces, pieces[1:]):
                pairs[pair] += counts[word]
        best = [pair for pair, n in sorted(pairs.items(), key=lambda entry: (-entry[1], entry[0]))
                if "".join(pair) not in made]
        if not best:
            break
        left, right = best[0]
        merges.append((left, right))
        made.add(left + right)
        for pieces in split.values():
            i = 0
            while i + 1 < len(pieces):
                if (pieces[i], pieces[i + 1]) == (left, right):
                    pieces[i:i + 2] = [left + right]
                i += 1
    return merges


def tokenizer_of(text):
    with tempfile.NamedTemporaryFile(suffix=".gz") as file:
        file.write(gzip.compress(text.encode()))
        file.flush()
        return SimpleTokenizer(file.name)


def random_texts(count):
    draw, fix = random.Random(1), MODULE.ftfy.fix_text
    alphabets = ["abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJ", "0123456789", "     \t\n", "'''.,!?-_#&;:()\"", "\u00e9\u00fc\u00df\u00c9\u00d8\u0141\u0130",
                 "\u03b1\u03a3\u03c3\u0394", "\u0418\u0433\u0420\u0451", "\u732b\u72ac\u3044\ub098", "\U0001f600\U0001f468\u200d\u2764\ufe0f", "\u0663\u00b2\u00bd\u2167", "\u00a0\u3000\u2028",
                 "\u0627\u0644\u05d0\u0e01\u0915\u093f\u0301"]
    words = ["it's", "don't", "they're", "we'll", "I'd", "photo", "Photograph", "running", "http://x.org", "3.14", "e.g.", "&amp;", "&#8217;s", "&lt;", "&#150;", "&quot", "&#x1F600;", "&amp;amp;"]
    for _ in range(count):
        parts = []
        for _ in range(draw.randrange(1, 9)):
            if draw.random() < 0.3:
                parts.append(draw.choice(words))
            else:
                letters = draw.choice(alphabets)
                parts.append("".join(draw.choice(letters) for _ in range(draw.randrange(1, 8))))
        text = draw.choice(["", " "]).join(parts)
        if unicodedata.normalize("NFC", text) == text and fix(text) == fix(text, fix_encoding=False):
            yield text


def write_cases(path, tokenizer, texts):
    with open(path, "w", encoding="utf-8") as file:
        for text in texts:
            ids = [tokenizer.sot_token_id, *tokenizer.encode(text)]
            file.write(json.dumps(text) + "\n" + " ".join(map(str, ids)) + "\n")


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "--texts":
        return write_cases(sys.argv[2], SimpleTokenizer(), random_texts(int(sys.argv[3])))
    merges = learn([word.lower() for word in SENTENCES], 220)
    text = "#version: 0.2\n" + "\n".join(" ".join(merge) for merge in merges)
    (HERE / "bpe_merges.txt").write_text(text + "\n", encoding="utf-8")
    write_cases(HERE / "bpe_golden.txt", tokenizer_of(text), TEXTS)
    print(len(merges), "merges,", len(TEXTS), "texts")


if __name__ == "__main__":
    main()
