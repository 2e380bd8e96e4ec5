"""Kokoro's weights by webgguf's names, from the int8 ONNX export, and the GGUF file that has them.

    python3 scripts/speech/weights.py kokoro.onnx kokoro.gguf

`load` returns a dictionary. A quantised weight is `Codes`: int8 codes, of which each row has a scale. Rows are output channels; a
convolution's weight is (N, kernel, C), a transposed one's (stride N, 2, C): see `transposed`. Everything else is float32.
"""

import sys
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import numpy_helper


@dataclass
class Codes:
    q: np.ndarray  # (N, ...) int8
    scale: np.ndarray  # (N) float32

    def floats(self) -> np.ndarray:
        return self.q.astype(np.float32) * self.scale.reshape(-1, *[1] * (self.q.ndim - 1))


def joined(parts: list[Codes]) -> Codes:
    return Codes(np.concatenate([p.q for p in parts]), np.concatenate([p.scale for p in parts]))


class Export:
    """The export's constants, by the nodes that read them."""

    def __init__(self, path: str):
        graph = onnx.load(path).graph
        self.nodes = {n.name: n for n in graph.node}
        self.constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}

    def float(self, name: str) -> np.ndarray:
        return self.constants[name].astype(np.float32)

    def input(self, node: str, i: int) -> np.ndarray:
        return self.constants[self.nodes[node].input[i]]

    def codes(self, node: str) -> Codes:
        """The weight of a quantised node, rows first: a convolution's (N, kernel, C), a matmul's (N, K)."""
        n = self.nodes[node]
        name = n.input[1]
        q = self.constants[name].astype(np.int32)
        if len(n.input) > 3 and n.input[3]:
            q = q - self.constants[n.input[3]].astype(np.int32)
        scale = self.constants[name.removesuffix("_quantized") + "_scale"]
        q = q.transpose(0, 2, 1) if n.op_type == "ConvInteger" else q.T
        assert -128 <= q.min() and q.max() <= 127, node
        return Codes(q.astype(np.int8), np.broadcast_to(scale.ravel(), len(q)).astype(np.float32))

    def embedding(self, name: str) -> Codes:
        q = self.constants[name + "_quantized"]
        return Codes(q, np.full(len(q), self.constants[name + "_scale"], np.float32))


def transposed(w: np.ndarray, stride: int) -> np.ndarray:
    """A transposed convolution whose kernel is twice its stride, as one of kernel 2 that makes `stride` places at a time.

    w (C, N, 2 stride) -> (stride N, 2, C): place `stride q + p` sums x[q - 1] . w[p + stride] and x[q] . w[p].
    """
    c, n, _ = w.shape
    taps = w.reshape(c, n, 2, stride)  # tap, phase
    return taps[:, :, ::-1].transpose(3, 1, 2, 0).reshape(stride * n, 2, c).copy()


def load(path: str) -> dict[str, Codes | np.ndarray]:
    e = Export(path)
    out: dict[str, Codes | np.ndarray] = {}

    def conv(name: str, node: str, bias: str | None) -> None:
        out[f"{name}.weight"] = e.codes(node + "/Conv_quant")
        if bias:
            out[f"{name}.bias"] = e.float(bias)

    def linear(name: str, node: str, bias: str) -> None:
        out[f"{name}.weight"] = e.codes(node)
        out[f"{name}.bias"] = e.float(bias)

    def lstm(name: str, node: str) -> None:
        """Gates in ONNX's order: input, output, forget, cell. Weights of both directions; the two biases are one."""
        n = e.nodes[node]
        w, r, b = (e.constants[n.input[i]] for i in (1, 2, 3))  # (2, K, 1024), (2, 256, 1024), (2, 2048)
        w_scale, r_scale = e.constants[n.input[8]], e.constants[n.input[10]]
        out[f"{name}.input.weight"] = Codes(w.transpose(0, 2, 1).reshape(2048, -1), np.repeat(w_scale, 1024))
        out[f"{name}.input.bias"] = (b[:, :1024] + b[:, 1024:]).reshape(2048)
        out[f"{name}.hidden.weight"] = Codes(r.transpose(0, 2, 1).reshape(2048, 256), np.repeat(r_scale, 1024))

    def norm(name: str, weight: str, bias: str) -> None:
        out[f"{name}.weight"], out[f"{name}.bias"] = e.float(weight), e.float(bias)

    def style(name: str, node: str, torch: str) -> None:
        linear(f"{name}.style", f"{node}/fc/Gemm_MatMul_quant", f"{torch}.fc.bias")

    def block(name: str, node: str, torch: str, shortcut: bool, pool: bool) -> None:
        for i in (1, 2):
            style(f"{name}.norm{i}", f"{node}/norm{i}", f"{torch}.norm{i}")
            conv(f"{name}.conv{i}", f"{node}/conv{i}", f"{torch}.conv{i}.bias")
        if shortcut:
            conv(f"{name}.shortcut", f"{node}/conv1x1", None)
        if pool:
            w = e.input(f"{node}/pool/ConvTranspose", 1)  # (C, 1, 3)
            out[f"{name}.pool.weight"] = w[:, 0].T.copy()
            out[f"{name}.pool.bias"] = e.float(f"{torch}.pool.bias")

    def snake_block(name: str, node: str, torch: str) -> None:
        for j in range(3):
            for i in (1, 2):
                style(f"{name}.norm{i}.{j}", f"{node}/adain{i}.{j}", f"{torch}.adain{i}.{j}")
                out[f"{name}.alpha{i}.{j}"] = e.float(f"{torch}.alpha{i}.{j}").ravel()
                conv(f"{name}.conv{i}.{j}", f"{node}/convs{i}.{j}", f"{torch}.convs{i}.{j}.bias")

    text = "encoder.text_encoder"
    out["text_encoder.embd.weight"] = e.embedding(f"{text}.embedding.weight")
    for i in range(3):
        conv(f"text_encoder.conv{i}", f"/encoder/text_encoder/cnn.{i}/cnn.{i}.0", f"{text}.cnn.{i}.0.bias")
        norm(f"text_encoder.norm{i}", f"{text}.cnn.{i}.1.gamma", f"{text}.cnn.{i}.1.beta")
    lstm("text_encoder.lstm", "/encoder/text_encoder/lstm/LSTM_quant")

    bert, albert = "encoder.bert", "encoder.bert.encoder.albert_layer_groups.0.albert_layers.0"
    layer = "/encoder/bert/encoder/albert_layer_groups.0/albert_layers.0"
    out["bert.token_embd.weight"] = e.embedding(f"{bert}.embeddings.word_embeddings.weight")
    out["bert.position_embd.weight"] = e.embedding(f"{bert}.embeddings.position_embeddings.weight")
    out["bert.type_embd"] = e.embedding(f"{bert}.embeddings.token_type_embeddings.weight").floats()[0]
    norm("bert.embd_norm", f"{bert}.embeddings.LayerNorm.weight", f"{bert}.embeddings.LayerNorm.bias")
    mapping = "embedding_hidden_mapping_in"
    linear("bert.embd_project", f"/encoder/bert/encoder/{mapping}/MatMul_quant", f"{bert}.encoder.{mapping}.bias")
    parts = ("query", "key", "value")
    out["bert.attn_qkv.weight"] = joined([e.codes(f"{layer}/attention/{p}/MatMul_quant") for p in parts])
    out["bert.attn_qkv.bias"] = np.concatenate([e.float(f"{albert}.attention.{p}.bias") for p in parts])
    linear("bert.attn_output", f"{layer}/attention/dense/MatMul_quant", f"{albert}.attention.dense.bias")
    norm("bert.attn_norm", f"{albert}.attention.LayerNorm.weight", f"{albert}.attention.LayerNorm.bias")
    linear("bert.ffn_up", f"{layer}/ffn/MatMul_quant", f"{albert}.ffn.bias")
    linear("bert.ffn_down", f"{layer}/ffn_output/MatMul_quant", f"{albert}.ffn_output.bias")
    norm("bert.ffn_norm", f"{albert}.full_layer_layer_norm.weight", f"{albert}.full_layer_layer_norm.bias")
    linear("bert.output", "/encoder/bert_encoder/MatMul_quant", "encoder.bert_encoder.bias")

    predictor = "encoder.predictor"
    for i in range(3):
        lstm(f"duration.lstm{i}", f"/encoder/predictor/text_encoder/lstms.{2 * i}/LSTM_quant")
        torch = f"text_encoder.lstms.{2 * i + 1}"
        style(f"duration.norm{i}", f"/encoder/predictor/text_encoder/lstms.{2 * i + 1}", f"{predictor}.{torch}")
    lstm("duration.lstm3", "/encoder/predictor/lstm/LSTM_quant")
    project = "duration_proj/linear_layer"
    linear("duration.project", f"/encoder/predictor/{project}/MatMul_quant", f"{predictor}.{project.replace('/', '.')}.bias")

    lstm("prosody.lstm", "/encoder/shared/LSTM_quant")
    for name, torch in (("f0", "F0"), ("noise", "N")):
        for i in range(3):
            block(f"{name}.block{i}", f"/encoder/{torch}.{i}", f"{predictor}.{torch}.{i}", i == 1, i == 1)
        conv(f"{name}.project", f"/encoder/{torch}_proj", f"{predictor}.{torch}_proj.bias")

    d, node = "decoder.decoder", "/decoder/decoder"
    conv("decoder.f0_conv", f"{node}/F0_conv", f"{d}.F0_conv.bias")
    conv("decoder.noise_conv", f"{node}/N_conv", f"{d}.N_conv.bias")
    conv("decoder.text_conv", f"{node}/asr_res/asr_res.0", f"{d}.asr_res.0.bias")
    block("decoder.encode", f"{node}/encode", f"{d}.encode", True, False)
    for i in range(4):
        block(f"decoder.decode{i}", f"{node}/decode.{i}", f"{d}.decode.{i}", True, i == 3)

    g, node = "decoder.decoder.generator", "/decoder/decoder/generator"
    out["generator.source.weight"] = e.input(f"{node}/m_source/l_linear/MatMul", 1).ravel()
    out["generator.source.bias"] = e.float(f"{g}.m_source.l_linear.bias")
    for i, stride in enumerate((10, 6)):
        conv(f"generator.noise_conv{i}", f"{node}/noise_convs.{i}", f"{g}.noise_convs.{i}.bias")
        snake_block(f"generator.noise_block{i}", f"{node}/noise_res.{i}", f"{g}.noise_res.{i}")
        up = transposed(e.input(f"{node}/ups.{i}/ConvTranspose", 1), stride)
        out[f"generator.up{i}.weight"] = up
        out[f"generator.up{i}.bias"] = e.float(f"{g}.ups.{i}.bias")
    for i in range(6):
        snake_block(f"generator.block{i}", f"{node}/resblocks.{i}", f"{g}.resblocks.{i}")
    out["generator.post.weight"] = e.input(f"{node}/conv_post/Conv", 1).transpose(0, 2, 1).copy()
    out["generator.post.bias"] = e.float(f"{g}.conv_post.bias")
    out["generator.stft.window"] = e.input(f"{node}/STFT", 2)
    out["generator.istft.basis"] = e.float(f"{g}.stft.istft.stft.inverse_basis")[:, 0]
    out["generator.istft.window_sum"] = e.float(f"{g}.stft.istft.stft.window_sum")
    return out


def padded(w: np.ndarray) -> np.ndarray:
    """A weight as rows (N, kernel C16): the channels of each tap filled up with zeros to a multiple of 16."""
    w = w.reshape(len(w), -1, w.shape[-1])
    w = np.pad(w, ((0, 0), (0, 0), (0, -w.shape[2] % 16)))
    return w.reshape(len(w), -1)


def interleaved(q: np.ndarray) -> np.ndarray:
    """Recurrent weights (2 4 256, 256) as (2 64 256, 16): four gates of a unit by four of the state's elements, side by side."""
    directions = q.reshape(2, 4, 256, 64, 4)  # direction, gate, unit, group of the state, element
    return directions.transpose(0, 3, 2, 1, 4).reshape(2 * 64 * 256, 16).copy()


def file_tensors(weights: dict) -> dict[str, np.ndarray]:
    """The tensors of the GGUF file. A quantised NAME.weight has NAME.scale beside it."""
    w = dict(weights)
    # Both curves go through one kernel.
    curves = [("f0", "f0_conv"), ("noise", "noise_conv")]
    w["curves.project.weight"] = joined([w.pop(f"{name}.project.weight") for name, _ in curves])
    w["curves.project.bias"] = np.concatenate([w.pop(f"{name}.project.bias") for name, _ in curves])
    w["curves.conv.weight"] = np.concatenate([w.pop(f"decoder.{conv}.weight").floats().ravel() for _, conv in curves])
    w["curves.conv.bias"] = np.concatenate([w.pop(f"decoder.{conv}.bias") for _, conv in curves])
    out = {}
    for name, a in w.items():
        if name.endswith(".hidden.weight"):
            out[name] = interleaved(a.q)
            out[name.replace("weight", "scale")] = a.scale[::1024].copy()
        elif isinstance(a, Codes):
            out[name] = padded(a.q)
            out[name.replace("weight", "scale")] = a.scale
        else:
            out[name] = padded(a) if a.ndim == 3 else np.ascontiguousarray(a, np.float32)
    return out


def write(weights: dict, path: str) -> None:
    import gguf

    writer = gguf.GGUFWriter(path, "kokoro")
    writer.add_license("Apache-2.0")
    writer.add_name("Kokoro-82M")
    for name, a in file_tensors(weights).items():
        writer.add_tensor(name, a)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    write(load(sys.argv[1]), sys.argv[2])
