#!/usr/bin/env python3
"""Write random blocks of every quantisation and their values by gguf-py: the reference for dequantisation.

usage: quant_goldens.py OUT      writes OUT/<TYPE>.bin (blocks as in a file) and OUT/<TYPE>.npy (f32 values)

Codes and scales are random bits, so that all of them occur; f16 fields are finite and normal, of either sign.
"""
import sys
from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as T
from gguf.quants import dequantize

# type: byte offsets of its f16 fields in a block
TYPES = {
    "Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
    "IQ4_NL": [0], "IQ4_XS": [0], "MXFP4": [],
}
N_ELEMENTS = 8 * 768  # 8 rows: three super-blocks or an even number of blocks each


def main(out: Path) -> None:
    rng = np.random.default_rng(11)
    out.mkdir(parents=True, exist_ok=True)
    for name, halves in TYPES.items():
        block_elems, block_bytes = GGML_QUANT_SIZES[T[name]]
        blocks = rng.integers(0, 256, (N_ELEMENTS // block_elems, block_bytes), dtype=np.uint8)
        for at in halves:
            magnitude = 2.0 ** rng.uniform(-12, 3, len(blocks)) * rng.choice([-1, 1], len(blocks))
            blocks[:, at:at + 2] = magnitude.astype("<f2").view(np.uint8).reshape(-1, 2)
        if name == "MXFP4":
            blocks[:, 0] = rng.integers(100, 140, len(blocks))  # scales whose products are normal numbers
        (out / f"{name}.bin").write_bytes(blocks.tobytes())
        np.save(out / f"{name}.npy", dequantize(blocks, T[name]).reshape(-1).astype("<f4"))


main(Path(sys.argv[1]))
