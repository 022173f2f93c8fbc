#!/usr/bin/env python3
"""Reading safetensors with the standard library alone."""

import json
import pathlib
import struct


def read_tensor(path, name):
    """The values of one float32 or float64 tensor of a safetensors file."""
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    entry = json.loads(data[8 : 8 + length])[name]
    size, code = {"F32": (4, "f"), "F64": (8, "d")}[entry["dtype"]]
    begin, end = (8 + length + offset for offset in entry["data_offsets"])
    return struct.unpack(f"<{(end - begin) // size}{code}", data[begin:end])
