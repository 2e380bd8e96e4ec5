#!/usr/bin/env python3
"""The float64 arbiter of the networks: what each operator means, in numpy, and how far LiteRT's float32 is from it.

usage: forward.py MODEL.tflite [SEED]

Runs the network on noise in float64 and prints, for each operator, |LiteRT - ours| / |ours| in L2: first of the operator alone,
on LiteRT's own inputs, then of the whole network up to there. A test of other float32 kernels cannot ask for less than these.
Tensors are (1, rows, columns, channels). Source of the formulas: tensorflow/lite/kernels/internal/reference/.
"""
import sys
from pathlib import Path

import numpy as np

from graph import ACTIVATIONS, PADDINGS, Graph, Operator, same_padding, window
from network import Network
from portable import noise


def patches(graph: Graph, op: Operator, x: np.ndarray, outside: float) -> np.ndarray:
    """(rows out, columns out, window rows, window columns, channels): what each place of the output sees."""
    (height, width), kernel, stride = x.shape[1:3], window(graph, op), (op.options.strideH, op.options.strideW)
    pads = ((0, 0), (0, 0))
    if PADDINGS[op.options.padding] == "SAME":
        pads = (same_padding(height, kernel[0], stride[0]), same_padding(width, kernel[1], stride[1]))
    padded = np.pad(x[0], (*pads, (0, 0)), constant_values=outside)
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(0, 1))
    return windows[:: stride[0], :: stride[1]].transpose(0, 1, 3, 4, 2)


def resize_bilinear(x: np.ndarray, size: list[int]) -> np.ndarray:
    """Half-pixel centres: output i is at (i + 0.5) * in / out - 0.5, and what lies outside is the edge."""
    for axis, n in ((1, size[0]), (2, size[1])):
        place = (np.arange(n) + 0.5) * x.shape[axis] / n - 0.5
        low = np.floor(place).astype(int)
        part = (place - low).reshape([-1 if a == axis else 1 for a in range(4)])
        take = lambda index: np.take(x, np.clip(index, 0, x.shape[axis] - 1), axis=axis)
        x = take(low) * (1 - part) + take(low + 1) * part
    return x


def activated(op: Operator, x: np.ndarray) -> np.ndarray:
    kind = ACTIVATIONS[getattr(op.options, "fusedActivationFunction", 0)]
    limits = {"NONE": (-np.inf, np.inf), "RELU6": (0, 6)}[kind]
    return np.clip(x, *limits)


def evaluate(graph: Graph, op: Operator, inputs: list[np.ndarray]) -> np.ndarray:
    """The output of one operator; inputs in float64, constants among them."""
    x = inputs[0]
    if op.type == "CONV_2D":  # weights (out, rows, columns, in)
        y = np.einsum("hwrsc,orsc->hwo", patches(graph, op, x, 0), inputs[1], optimize=True)[None] + inputs[2]
    elif op.type == "DEPTHWISE_CONV_2D":  # weights (1, rows, columns, channels)
        y = np.einsum("hwrsc,rsc->hwc", patches(graph, op, x, 0), inputs[1][0], optimize=True)[None] + inputs[2]
    elif op.type == "FULLY_CONNECTED":  # weights (out, in)
        y = x @ inputs[1].T + inputs[2]
    elif op.type == "ADD":
        y = x + inputs[1]
    elif op.type == "PRELU":  # slope (1, 1, channels)
        y = np.where(x >= 0, x, x * inputs[1])
    elif op.type == "RELU":
        y = np.maximum(x, 0)
    elif op.type == "LOGISTIC":
        y = 1 / (1 + np.exp(-x))
    elif op.type == "MAX_POOL_2D":
        y = patches(graph, op, x, -np.inf).max((2, 3))[None]
    elif op.type == "PAD":
        y = np.pad(x, inputs[1].astype(int))
    elif op.type == "MEAN":
        y = x.mean(tuple(inputs[1].astype(int)))
    elif op.type == "RESIZE_BILINEAR":
        if op.options.alignCorners or not op.options.halfPixelCenters:
            raise ValueError(f"operator {op.index}: only half-pixel centres are known")
        y = resize_bilinear(x, inputs[1].astype(int).tolist())
    elif op.type == "RESHAPE":
        y = x.reshape(graph.shape(op.outputs[0]))
    elif op.type == "CONCATENATION":
        y = np.concatenate(inputs, axis=op.options.axis)
    else:
        raise ValueError(f"operator {op.index}: {op.type} is not known")
    return activated(op, y)


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-300))


def main(path: Path, seed: int) -> None:
    graph, network = Graph(path), Network(path)
    image = noise(seed, network.input_shape[1:])
    network.run(image)
    start = {graph.inputs[0]: image[None].astype(np.float64)}
    theirs, ours = dict(start), dict(start)
    for op, (index, kind, _, values) in zip(graph.computing(), network.activations(), strict=True):
        if (op.index, op.type) != (index, kind):
            raise ValueError(f"operator {op.index} {op.type} is {index} {kind} in LiteRT")
        both = []
        for tensors in (theirs, ours):
            inputs = [graph.values(i).astype(np.float64) if graph.is_constant(i) else tensors[i] for i in op.inputs if i >= 0]
            both.append(evaluate(graph, op, inputs))
        theirs[op.outputs[0]], ours[op.outputs[0]] = values.astype(np.float64), both[1]
        print(f"{index:3d} {kind:17s} {str(list(values.shape)):20s} alone {difference(values, both[0]):.1e}  so far {difference(values, both[1]):.1e}")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) == 3 else 1)
