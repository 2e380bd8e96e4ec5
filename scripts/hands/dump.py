#!/usr/bin/env python3
"""Write every operator's output of a hand network, by LiteRT.

usage: dump.py MODEL.tflite OUT_DIR (--seed N | --picture PICTURE [--palm PALM.tflite])

The input is noise of a seed (portable.py), or a picture: letterboxed, or with --palm the region of its best palm, which is what
a landmark network sees. OUT_DIR gets input.npy, NNN.npy for each operator but DEQUANTIZE (whose outputs are constants), and
index.json: operator's number, type, name of its output, shape. Arrays keep the batch axis. Nothing is committed of this:
references.py makes what the tests read.
"""
import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

import glue
from network import Network
from portable import noise


def load(path: Path) -> np.ndarray:
    """(height, width, 3), values in [0, 1]."""
    return np.array(Image.open(path).convert("RGB")) / 255


def network_input(size: int, picture: np.ndarray, palm: Network | None) -> np.ndarray:
    """(size, size, 3): the whole picture, or the region of its best palm."""
    if palm is None:
        return glue.crop(picture, glue.whole(picture), size, "zero")
    palms = glue.find_palms(picture, palm.run)
    if not len(palms.scores):
        raise ValueError("no palm in the picture")
    return glue.crop(picture, glue.region_of_palm(palms.boxes[0], palms.points[0]), size, "replicate")


def dump(network: Network, image: np.ndarray, out: Path) -> int:
    """The number of operators written."""
    network.run(image)
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.npy"):
        old.unlink()
    np.save(out / "input.npy", image.astype(np.float32).reshape(network.input_shape))
    lines = []
    for index, kind, name, values in network.activations():
        np.save(out / f"{index:03d}.npy", values)
        lines.append(json.dumps({"operator": index, "type": kind, "output": name, "shape": list(values.shape)}))
    (out / "index.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
    return len(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--seed", type=int)
    source.add_argument("--picture", type=Path)
    parser.add_argument("--palm", type=Path)
    args = parser.parse_args()
    network = Network(args.model)
    if args.seed is not None:
        image = noise(args.seed, network.input_shape[1:])
    else:
        image = network_input(network.input_shape[1], load(args.picture), Network(args.palm) if args.palm else None)
    print(f"{args.out}: {dump(network, image, args.out)} operators")


if __name__ == "__main__":
    main()
