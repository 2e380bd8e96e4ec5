#!/usr/bin/env python3
"""References of a large model by the float64 arbiter: every intermediate of its first and its last layer.

usage: large_reference.py MODEL.gguf OUT [--prompt-tokens 7] [--decode 2]

Writes what dump_activations.py writes, with the prompt's ids picked from the lower vocabulary by a formula. Weights are
dequantised as they are needed, one at a time: the largest takes the memory, not the model.
"""
import argparse
from pathlib import Path

import numpy as np
from gguf import GGUFReader, dequantize

from dump_activations import to_json
from gguf_files import read_metadata
from numpy_forward import Array, Config, Forward


class LazyWeights:
    """Tensors by name, float64, dequantised at each access."""

    def __init__(self, reader: GGUFReader):
        self.tensors = {t.name: t for t in reader.tensors}

    def __contains__(self, name: str) -> bool:
        return name in self.tensors

    def __getitem__(self, name: str) -> Array:
        t = self.tensors[name]
        return dequantize(t.data, t.tensor_type).reshape(t.shape[::-1]).astype(np.float64)

    def get(self, name: str, default: Array | None = None) -> Array | None:
        return self[name] if name in self else default


class LargeForward(Forward):
    """Keeps the intermediates of the first and the last layer."""

    def __init__(self, config: Config, weights: LazyWeights):
        super().__init__(config, {})
        self.weights = weights

    def note(self, name: str, x: Array) -> Array:
        return super().note(name, x) if self.layer in (-1, 0, self.c.n_layer - 1) else x


def reference(model: Path, out: Path, n_prompt: int, n_decode: int, n_ctx: int = 256) -> None:
    reader = GGUFReader(model)
    config = Config(read_metadata(reader), n_ctx)
    forward = LargeForward(config, LazyWeights(reader))
    tokens = [300 + 37 * i % 500 for i in range(n_prompt)]
    decoded: list[int] = []
    for _ in range(n_decode):
        decoded.append(int(forward.run(tokens + decoded)[-1].argmax()))
        forward.layer = -1
    forward.run(tokens + decoded)
    out.mkdir(parents=True, exist_ok=True)
    T, nodes = len(tokens), []
    for name, by_layer in forward.nodes.items():
        layers = sorted(by_layer)
        for phase in ("prefill", "decode"):
            def part(x: Array) -> Array:  # scores are (H, T, S), others (T, width)
                if phase == "prefill":
                    return x[:, :T, :T] if x.ndim == 3 else x[:T]
                return np.stack([x[:, [T + j]] if x.ndim == 3 else x[[T + j]] for j in range(n_decode)])
            axis = 0 if phase == "prefill" else 1
            array = part(by_layer[-1]) if layers == [-1] else np.stack([part(by_layer[layer]) for layer in layers], axis)
            file = f"{phase}.{name}.npy"
            np.save(out / file, np.ascontiguousarray(array, "<f4"))
            listed = None if layers == [-1] else layers
            nodes.append({"name": name, "file": file, "phase": phase, "layers": listed, "shape": list(array.shape), "rows": None})
    index = {"model": model.name, "arch": config.arch, "n_ctx": n_ctx, "tokens": tokens, "decoded": decoded, "nodes": nodes}
    (out / "index.json").write_text(to_json(index))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--prompt-tokens", type=int, default=7)
    parser.add_argument("--decode", type=int, default=2)
    args = parser.parse_args()
    reference(args.model, args.out, args.prompt_tokens, args.decode)


if __name__ == "__main__":
    main()
