"""Small cuts of Kokoro's blocks, of real weights and activations, with ONNX Runtime's results: `tests/fixtures/kokoro/`.

    python3 scripts/speech/cuts.py kokoro.onnx kokoro-f32.onnx voices_ja.npz vocab.json tests/fixtures/kokoro

A cut has the first channels of a block's input, the first rows of its weights. Each is an ONNX model of its own. Codes are written as
float32, like all else, in the order of the GGUF file.
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from reference import Reference
from weights import Codes, load, padded


def run(nodes: list, constants: dict, x: np.ndarray) -> np.ndarray:
    """What the nodes make of `x`; the last one writes `y`."""
    inits = [numpy_helper.from_array(np.asarray(a), name) for name, a in constants.items()]
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "cut", [value("x", x.shape)], [value("y", None)], inits)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


def rows(w: Codes, n: int, *others: slice) -> Codes:
    return Codes(w.q[(slice(n), *others)], w.scale[:n])


def lstm(w: dict, x: np.ndarray) -> dict:
    """32 units of 256, 16 inputs of 640."""
    h = 32
    gates = (np.arange(2)[:, None, None] * 1024 + np.arange(4)[:, None] * 256 + np.arange(h)).ravel()
    input_, hidden = w["prosody.lstm.input.weight"], w["prosody.lstm.hidden.weight"]
    wi, wh = Codes(input_.q[gates, :16], input_.scale[gates]), Codes(hidden.q[gates, :h], hidden.scale[gates])
    bias = w["prosody.lstm.input.bias"][gates]
    constants = {
        "w": wi.floats().reshape(2, 4 * h, 16),
        "r": wh.floats().reshape(2, 4 * h, h),
        "b": np.concatenate([bias.reshape(2, 4 * h), np.zeros((2, 4 * h), np.float32)], 1),
    }
    node = helper.make_node("LSTM", ["x", "w", "r", "b"], ["y"], direction="bidirectional", hidden_size=h)
    y = run([node], constants, x[:12, None, :16])
    return {
        "x": x[:12, :16],
        "input": wi.q,
        "input_scale": wi.scale,
        "bias": bias,
        "hidden": interleaved_of(wh.q, h),
        "hidden_scale": wh.scale[:: 4 * h],
        "y": y[:, :, 0].reshape(12, 2 * h),
    }


def interleaved_of(q: np.ndarray, h: int) -> np.ndarray:
    """As `weights.interleaved`, of h units."""
    return q.reshape(2, 4, h, h // 4, 4).transpose(0, 3, 2, 1, 4).reshape(-1, 16)


def block(w: dict, x: np.ndarray, style: np.ndarray) -> dict:
    """32 of the decoder's last block's channels, and 16 of those that it makes of them, in 20 frames."""
    name, c, n = "decoder.decode3", 32, 16
    styles = {}
    for norm, width in (("norm1", c), ("norm2", n)):
        s = w[f"{name}.{norm}.style.weight"].floats() @ style + w[f"{name}.{norm}.style.bias"]
        gamma, beta = np.split(s, 2)
        styles[norm] = np.concatenate([gamma[:width], beta[:width]])
    conv1 = rows(w[f"{name}.conv1.weight"], n, slice(None), slice(c))
    conv2 = rows(w[f"{name}.conv2.weight"], n, slice(None), slice(n))
    short = rows(w[f"{name}.shortcut.weight"], n, slice(None), slice(c))
    taps, taps_bias = w[f"{name}.pool.weight"][:, :c], w[f"{name}.pool.bias"][:c]
    biases = [w[f"{name}.conv{i}.bias"][:n] for i in (1, 2)]
    onnx_conv = lambda codes: codes.floats().transpose(0, 2, 1).copy()
    constants = {
        "scale1": 1 + styles["norm1"][:c], "shift1": styles["norm1"][c:],
        "scale2": 1 + styles["norm2"][:n], "shift2": styles["norm2"][n:],
        "pool": taps.T[:, None].copy(), "pool_b": taps_bias,
        "conv1": onnx_conv(conv1), "conv1_b": biases[0], "conv2": onnx_conv(conv2), "conv2_b": biases[1],
        "short": onnx_conv(short), "twice": np.array([1, 1, 2], np.float32), "root": np.array(2**0.5, np.float32),
    }  # fmt: skip
    node = helper.make_node
    nodes = [
        node("InstanceNormalization", ["x", "scale1", "shift1"], ["n1"], epsilon=1e-5),
        node("LeakyRelu", ["n1"], ["a1"], alpha=0.2),
        node("ConvTranspose", ["a1", "pool", "pool_b"], ["p"], group=c, strides=[2], pads=[1, 1], output_padding=[1]),
        node("Conv", ["p", "conv1", "conv1_b"], ["c1"], pads=[1, 1]),
        node("InstanceNormalization", ["c1", "scale2", "shift2"], ["n2"], epsilon=1e-5),
        node("LeakyRelu", ["n2"], ["a2"], alpha=0.2),
        node("Conv", ["a2", "conv2", "conv2_b"], ["c2"], pads=[1, 1]),
        node("Resize", ["x", "", "twice"], ["u"], mode="nearest", nearest_mode="floor", coordinate_transformation_mode="asymmetric"),
        node("Conv", ["u", "short"], ["s"]),
        node("Add", ["c2", "s"], ["sum"]),
        node("Div", ["sum", "root"], ["y"]),
    ]  # fmt: skip
    x = np.ascontiguousarray(x[:20, :c])
    y = run(nodes, constants, np.ascontiguousarray(x.T[None]))
    return {
        "x": x, "style1": styles["norm1"], "style2": styles["norm2"], "pool": taps, "pool_bias": taps_bias,
        "conv1": padded(conv1.q), "conv1_scale": conv1.scale, "conv1_bias": biases[0],
        "conv2": padded(conv2.q), "conv2_scale": conv2.scale, "conv2_bias": biases[1],
        "shortcut": padded(short.q), "shortcut_scale": short.scale, "y": y[0].T,
    }  # fmt: skip


def tail(w: dict, x: np.ndarray) -> dict:
    """32 of 128 channels of the generator's last convolution, and the inverse transform, of 24 frames."""
    c, n = 32, 24
    post, basis, sums = w["generator.post.weight"][:, :, :c], w["generator.istft.basis"], w["generator.istft.window_sum"]
    # The export divides the first frame's samples alone. Of these, the test sees those after the tenth.
    samples = 5 * (n - 1) + 20
    divisor = np.ones(samples, np.float32)
    divisor[1:20] = sums[1:]
    constants = {
        "w": post.transpose(0, 2, 1).copy(), "b": w["generator.post.bias"], "half": np.array([11, 11], np.int64),
        "basis": basis[:, None].copy(), "divisor": divisor[None, None], "four": np.array(4, np.float32),
    }  # fmt: skip
    node = helper.make_node
    nodes = [
        node("LeakyRelu", ["x"], ["a"], alpha=0.01),
        node("Conv", ["a", "w", "b"], ["c"], pads=[3, 3]),
        node("Split", ["c", "half"], ["m", "p"], axis=1),
        node("Exp", ["m"], ["e"]),
        node("Sin", ["p"], ["q"]),
        node("Cos", ["q"], ["cos"]),
        node("Sin", ["q"], ["sin"]),
        node("Mul", ["e", "cos"], ["re"]),
        node("Mul", ["e", "sin"], ["im"]),
        node("Concat", ["re", "im"], ["z"], axis=1),
        node("ConvTranspose", ["z", "basis"], ["t"], strides=[5]),
        node("Div", ["t", "divisor"], ["d"]),
        node("Mul", ["d", "four"], ["y"]),
    ]
    x = np.ascontiguousarray(x[4000 : 4000 + n, :c])
    y = run(nodes, constants, np.ascontiguousarray(x.T[None]))
    return {
        "x": x, "post": padded(post), "post_bias": w["generator.post.bias"], "basis": basis, "window_sum": sums,
        "y": y[0, 0, 10:-10],
    }  # fmt: skip


def duration(w: dict, x: np.ndarray) -> dict:
    """Durations of six tokens, by 128 of 512 channels."""
    x, project = x[:6, :128], rows(w["duration.project.weight"], 50, slice(128))
    constants = {"w": project.floats().T.copy(), "b": w["duration.project.bias"], "axis": np.array([1], np.int64)}
    node = helper.make_node
    nodes = [
        node("MatMul", ["x", "w"], ["m"]),
        node("Add", ["m", "b"], ["a"]),
        node("Sigmoid", ["a"], ["s"]),
        node("ReduceSum", ["s", "axis"], ["y"], keepdims=0),
    ]
    y = run(nodes, constants, np.ascontiguousarray(x))
    return {"x": x, "project": project.q, "scale": project.scale, "bias": w["duration.project.bias"], "y": y}


if __name__ == "__main__":
    model, twin, voices, vocab, out = sys.argv[1:]
    w, r = load(model), Reference(twin, voices, vocab).run("həlˈoʊ wˈɜːld.", "jf_alpha", 1.0)
    cuts = {
        "lstm": lstm(w, r["frames"]),
        "block": block(w, r["decoder.decode2"], r["style"][:128]),
        "tail": tail(w, r["generator.stage1"]),
        "duration": duration(w, r["duration.lstm3"]),
    }
    Path(out).mkdir(parents=True, exist_ok=True)
    for cut, arrays in cuts.items():
        for name, a in arrays.items():
            np.save(Path(out) / f"{cut}.{name}.npy", np.ascontiguousarray(a, np.float32))
