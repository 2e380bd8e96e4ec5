"""Kokoro's F32 twin: the int8 export with its weights dequantised, and float arithmetic in place of integers.

    python3 scripts/speech/twin.py kokoro.onnx kokoro-f32.onnx

The export quantises activations at run time, which is not what webgguf computes: codes stay codes in memory, but the arithmetic is in
floats. The twin computes the same function of the same weights, so it is the reference that tests compare with. The names of all
values are the export's.
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def twin(model: onnx.ModelProto) -> onnx.ModelProto:
    graph = model.graph
    constants = {i.name: i for i in graph.initializer}
    made_by = {o: n for n in graph.node for o in n.output}
    array = lambda name: numpy_helper.to_array(constants[name])
    floats: dict[str, np.ndarray] = {}
    nodes, replaced = [], set()

    # A bias that is made an integer at run time, to be added before the scale, stays a float.
    for n in graph.node:
        of = made_by.get(n.input[0]) if n.input else None
        if n.op_type == "Cast" and n.attribute[0].i == TensorProto.INT32 and of is not None and of.op_type == "Floor":
            if "bias" in n.output[0]:
                n.attribute[0].i = TensorProto.FLOAT
                of.op_type = "Identity"

    for n in graph.node:
        if n.op_type == "DynamicQuantizeLinear":
            y, scale, zero = n.output
            nodes.append(helper.make_node("Identity", [n.input[0]], [y], name=n.name))
            floats[scale] = np.array(1)
            nodes.append(helper.make_node("Constant", [], [zero], value=numpy_helper.from_array(np.array(0, np.uint8))))
        elif n.op_type in ("MatMulInteger", "ConvInteger"):
            w = array(n.input[1]).astype(np.float32)
            if len(n.input) > 3 and n.input[3]:
                zero = array(n.input[3]).astype(np.float32)
                w = w - (zero.reshape(-1, 1, 1) if n.op_type == "ConvInteger" and zero.ndim else zero)
            floats[n.input[1] + "_f"] = w
            replaced.add(n.input[1])
            op = "MatMul" if n.op_type == "MatMulInteger" else "Conv"
            node = helper.make_node(op, [n.input[0], n.input[1] + "_f"], list(n.output), name=n.name)
            node.attribute.extend(n.attribute)
            nodes.append(node)
        elif n.op_type == "DynamicQuantizeLSTM":
            x, w, r, bias, lens, h, c, p, w_scale, w_zero, r_scale, r_zero = n.input
            for q, scale, zero in ((w, w_scale, w_zero), (r, r_scale, r_zero)):
                codes = array(q).astype(np.float32) - array(zero).astype(np.float32).reshape(-1, 1, 1)
                floats[q + "_f"] = (codes * array(scale).reshape(-1, 1, 1)).transpose(0, 2, 1)
                replaced.add(q)
            node = helper.make_node("LSTM", [x, w + "_f", r + "_f", bias, lens, h, c, p], list(n.output), name=n.name)
            node.attribute.extend(n.attribute)
            nodes.append(node)
        else:
            nodes.append(n)

    kept = [i for i in graph.initializer if i.name not in replaced]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    made = [numpy_helper.from_array(np.ascontiguousarray(a, np.float32), name) for name, a in floats.items()]
    graph.initializer.extend(kept + made)
    return model


if __name__ == "__main__":
    onnx.save(twin(onnx.load(sys.argv[1])), sys.argv[2])
