"""Writes resize_golden.txt: pictures resized by Pillow's Image.resize(..., Image.BICUBIC).

    python3 tests/golden/resize_golden.py > tests/golden/resize_golden.txt

Needs Pillow only. The pictures are a formula that tests/resize_test.cpp repeats, so only the results are stored: one line
`from_width from_height to_width to_height` and then width * height * 3 bytes as decimal numbers.
"""

import PIL
from PIL import Image

CASES = [(7, 5, 3, 4), (5, 3, 11, 8), (17, 17, 8, 8), (16, 1, 5, 1), (33, 20, 1, 1), (12, 9, 12, 4), (9, 12, 4, 12), (1, 1, 3, 2),
         (40, 30, 9, 7)]


def pixel(x, y, channel):
    """A third black, a third white (so that the kernel overshoots and is clamped), a third in between."""
    value = (x * 37 + y * 91 + channel * 53 + x * y * 7 + x * x * 3) % 256
    return 0 if value % 3 == 0 else 255 if value % 3 == 1 else value


def main():
    print(f"# Pillow {PIL.__version__}, Image.BICUBIC")
    for width, height, to_width, to_height in CASES:
        image = Image.new("RGB", (width, height))
        image.putdata([tuple(pixel(x, y, c) for c in range(3)) for y in range(height) for x in range(width)])
        print(width, height, to_width, to_height)
        print(*image.resize((to_width, to_height), Image.BICUBIC).tobytes())


if __name__ == "__main__":
    main()
