"""Intermediates of Kokoro from ONNX Runtime, by webgguf's names: the inputs and outputs of each block of the F32 twin.

    python3 reference.py kokoro-f32.onnx voices_ja.npz vocab.json FOLDER VOICE SPEED PHONEMES

writes FOLDER/NAME.npy for each, and the tokens, the style and the speed, all float32.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

P, D, G = "/encoder/predictor", "/decoder/decoder", "/decoder/decoder/generator"
LAYER = "/encoder/bert/encoder/albert_layer_groups.0/albert_layers.0"

# Ours, the export's. Activations become (T, C).
NAMES = {
    "bert.embd_project": "/encoder/bert/encoder/embedding_hidden_mapping_in/Add_output_0",
    "bert.layer0": f"{LAYER}/full_layer_layer_norm/LayerNormalization_output_0",
    "bert": "/encoder/bert_encoder/Add_output_0",
    "text_encoder": "/encoder/text_encoder/lstm/Reshape_output_0",
    "duration_encoder": f"{P}/text_encoder/Concat_4_output_0",
    "duration.lstm3": f"{P}/lstm/Transpose_2_output_0",
    "durations": f"{P}/ReduceSum_output_0",
    "durations.rounded": "/encoder/Clip_output_0",
    "frames": "/encoder/MatMul_output_0",
    "text": "/encoder/MatMul_1_output_0",
    "prosody.lstm": "/encoder/shared/Reshape_output_0",
    "f0.block0": "/encoder/F0.0/Div_2_output_0",
    "f0.block1": "/encoder/F0.1/Div_4_output_0",
    "f0.block2": "/encoder/F0.2/Div_2_output_0",
    "f0": "/encoder/Reshape_output_0",
    "noise.block0": "/encoder/N.0/Div_2_output_0",
    "noise.block1": "/encoder/N.1/Div_4_output_0",
    "noise.block2": "/encoder/N.2/Div_2_output_0",
    "noise": "/encoder/Reshape_1_output_0",
    "decoder.input": f"{D}/Concat_output_0",
    "decoder.encode": f"{D}/encode/Div_3_output_0",
    "decoder.decode0": f"{D}/decode.0/Div_3_output_0",
    "decoder.decode1": f"{D}/decode.1/Div_3_output_0",
    "decoder.decode2": f"{D}/decode.2/Div_3_output_0",
    "decoder": f"{D}/decode.3/Div_4_output_0",
    "source": f"{G}/Squeeze_output_0",
    "stft": f"{G}/Concat_3_output_0",
    "generator.noise_conv0": f"{G}/noise_convs.0/Conv_output_0",
    "generator.noise_conv1": f"{G}/noise_convs.1/Conv_output_0",
    "generator.noise_block0": f"{G}/noise_res.0/Add_8_output_0",
    "generator.noise_block1": f"{G}/noise_res.1/Add_8_output_0",
    "generator.up0": f"{G}/ups.0/ConvTranspose_output_0",
    "generator.up1": f"{G}/reflection_pad/Pad_output_0",
    "generator.stage0": f"{G}/Div_2_output_0",
    "generator.stage1": f"{G}/Div_4_output_0",
    "generator.post": f"{G}/conv_post/Conv_output_0",
    "audio": "audio",
}
VECTORS = {"durations", "durations.rounded", "f0", "noise", "source", "audio"}
# (1, T, C) in the export; the others are (1, C, T).
ROWS = {"bert.embd_project", "bert.layer0", "bert", "duration_encoder", "duration.lstm3"}


def relative(got: np.ndarray, want: np.ndarray) -> float:
    """Relative L2 distance."""
    return float(np.linalg.norm((got - want).ravel()) / np.linalg.norm(want.ravel()))


class Reference:
    def __init__(self, twin: str, voices: str, vocab: str):
        model = onnx.load(twin)
        have = {o.name for o in model.graph.output}
        made = {o for n in model.graph.node for o in n.output}
        for name in NAMES.values():
            assert name in made, name
            if name not in have:
                model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        self.session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        self.voices = np.load(voices)
        with open(vocab) as f:
            self.vocab = json.load(f)["vocab"]

    def run(self, phonemes: str, voice: str, speed: float) -> dict[str, np.ndarray]:
        ids = [self.vocab[c] for c in phonemes if c in self.vocab]
        tokens, style = np.array([0, *ids, 0]), self.voices[voice][len(ids) - 1].reshape(256)
        feeds = {"tokens": tokens[None], "style": style[None], "speed": np.array([speed], np.float32)}
        outputs = self.session.run(list(NAMES.values()), feeds)
        found = {"tokens": tokens, "style": style, "speed": np.array([speed], np.float32)}
        for name, a in zip(NAMES, outputs):
            if name in VECTORS:
                a = a.ravel()
            elif name in ROWS:
                a = a[0]
            elif a.shape[0] == 1:
                a = a[0].T
            else:
                a = a[:, 0]  # (T, 1, C)
            found[name] = np.ascontiguousarray(a)
        return found


def save(found: dict[str, np.ndarray], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, a in found.items():
        np.save(folder / f"{name}.npy", a.astype(np.float32))


if __name__ == "__main__":
    twin, voices, vocab, folder, voice, speed, phonemes = sys.argv[1:]
    save(Reference(twin, voices, vocab).run(phonemes, voice, float(speed)), Path(folder))
