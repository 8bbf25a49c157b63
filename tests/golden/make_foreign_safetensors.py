"""Writes foreign.safetensors with the Python package: the element types that files of others have and ours do not.

Every tensor stands beside `<name>.expected`, the same numbers by numpy in the type they are to be read as.
`foreign_embedding.safetensors` holds inputs of `limoe ops run embedding`. Needs `safetensors` and `numpy`.
"""

import pathlib

import numpy as np
from safetensors.numpy import save_file

# Halves of every exponent, both signs, fractions at both ends and in between: zeros, subnormals, infinities and NaN are there.
fractions = np.array([0, 1, 2, 3, 0x155, 0x200, 0x3FE, 0x3FF], dtype=np.uint16)
signs_and_exponents = np.arange(64, dtype=np.uint16) << 10
halves = (signs_and_exponents[:, None] | fractions).view(np.float16)

tensors = {
    "f16": halves,
    "i64": np.array([[-(2**31), -1, 0], [1, 77, 2**31 - 1]], dtype=np.int64),
    "i16": np.array([-(2**15), -1, 0, 2**15 - 1], dtype=np.int16),
    "i8": np.array([-128, -1, 0, 127], dtype=np.int8),
    "u64": np.array([0, 2**31 - 1], dtype=np.uint64),
    "u32": np.array([0, 2**31 - 1], dtype=np.uint32),
    "u16": np.array([0, 2**16 - 1], dtype=np.uint16),
    "u8": np.arange(256, dtype=np.uint8),
    "bool": np.array([[True, False], [False, True]]),
    "scalar": np.array(2**31 - 1, dtype=np.int64),
    "empty": np.zeros((0, 3), dtype=np.float16),
    "long": np.arange(10_000, dtype=np.uint16),
}
expected = {
    f"{name}.expected": values.astype(np.float32 if values.dtype == np.float16 else np.int32)
    for name, values in tensors.items()
    if name != "long"
}
inputs = {
    "table": np.array([[1.0, 0.5], [-2.0, 65504.0], [0.25, 6e-8]], dtype=np.float16),
    "ids": np.array([2, 0, 1, 2], dtype=np.int64),
}
for name, content in ("foreign", tensors | expected), ("foreign_embedding", inputs):
    path = pathlib.Path(__file__).parent / f"{name}.safetensors"
    save_file(content, str(path))
    print(path, path.stat().st_size, "bytes")
