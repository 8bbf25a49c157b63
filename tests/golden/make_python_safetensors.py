"""Writes python_written.safetensors with the Python package, for tests/safetensors_test.cpp to read.

Every type the C++ reader takes, a scalar, an empty tensor, a name and metadata beyond ASCII.
Needs `safetensors` and `torch` (numpy has no bfloat16).
"""

import math
import pathlib

import torch
from safetensors.torch import save_file

tensors = {
    "matrix": torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
    "special": torch.tensor([math.nan, -math.inf, -0.0]),
    "scalar": torch.tensor(0.1, dtype=torch.float64),
    "count": torch.tensor([[-7, 9]], dtype=torch.int32),
    "half": torch.tensor([1.0, -2.0, 0.5], dtype=torch.bfloat16),
    "empty": torch.zeros(0, 4),
    "näme": torch.full((2,), 3.0),
}
path = pathlib.Path(__file__).parent / "python_written.safetensors"
save_file(tensors, str(path), metadata={"format": "pt", "note": "größer \"als\" 1"})
print(path, path.stat().st_size, "bytes")
