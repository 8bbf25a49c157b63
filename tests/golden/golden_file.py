"""Writes a safetensors file whose bytes depend on its contents alone: the library orders metadata at random."""
import json
import struct
from pathlib import Path

from safetensors.torch import save


def save_golden(tensors, metadata, path):
    """tensors: name -> tensor; floats stay as they are, integers must be int32. Prints what was written."""
    blob = save(tensors, metadata)
    (length,) = struct.unpack("<Q", blob[:8])
    header = json.loads(blob[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the data that follows starts on 8 bytes
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + blob[8 + length :])
    print(f"{path}: {len(tensors)} tensors, {Path(path).stat().st_size} bytes")
