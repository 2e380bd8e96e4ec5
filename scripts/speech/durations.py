"""Durations of 20 sentences, all voices and some speeds by ONNX Runtime: `durations.json` for `tests/kokoro.rs`.

    python3 scripts/speech/durations.py kokoro-f32.onnx voices_ja.npz vocab.json durations.json

For each sentence and voice: the frames of each token before they are divided by the speed and rounded, and what comes of them at each
speed. Only the nodes that durations depend on are run.
"""

import json
import sys

import numpy as np
import onnx
import onnxruntime as ort

from reference import NAMES

# The first five in the symbols of eSpeak's voices, the others in those of our phonemizer.
SENTENCES = [
    "həlˈoʊ wˈɜːld.",
    "ðə kwˈɪk bɹˈaʊn fˈɑːks dʒˈʌmps ˌoʊvɚ ðə lˈeɪzi dˈɑːɡ!",
    "ɡˈʊd mˈɔːɹnɪŋ, hˌaʊ ɑːɹ juː?",
    "ɪt wʌz ɔːlɹˈɛdi lˈeɪt — wɛn ðeɪ kˈeɪm bˈæk; nˈoʊbɑːdi sˈɔː ðɛm…",
    "jˈɛs.",
    "ðə tɹˈAn wʌz lˈAt ðɪs mˈɔɹnɪŋ.",
    "ʃi sˈɛlz mˈæps, kˈʌmpəsᵻz ænd ˈOld tˈɛləskˌOps.",
    "wˌɛɹ dˈɪd ju pˌʊt ðə kˈiz?",
    "nˈO!",
    "ɪt wʌz θɹˈi fˈɔɹTi fˈIv ˌɔn ɐ tˈuzdˌA, ænd ðə lˈIbɹˌɛɹi wʌz klˈOzd.",
    "ðə mˈɛʒəɹmᵊnt wʌz ˈɔf bI zˈɪɹO pˈYnt fˈIv pəɹsˈɛnt, wˌɪʧ nˈObˌɑdi kʊd ɪksplˈAn.",
    "plˈiz ɹˈid ðə lˈɛTəɹ əɡˈɛn, slˈOli; ˌI wˈʌzᵊnt lˈɪsənɪŋ.",
    "dˈɑktəɹ wˈivəɹ ˈOnz twˌɛntiwˈʌn bˈIsəkəlz.",
    "“wˈAt,” hi sˈɛd, “ðɛɹz sˈʌmbədi æt ðə wˈɪndO.”",
    "θɹu θˈɪk ænd θˈɪn, θɹu θˈɜɹO θˈɔt.",
    "ɹˈAn.",
    "ɐ ʤˈʌʤ ɪn ʃɪkˈɑɡO ʧˈAnʤd ðə skˈɛʤˌul ʌv ðə hˈOl kˈɑnfəɹəns.",
    "hˌW mˈʌʧ wʊd ɪt kˈɔst tə flˈI fɹʌm bˈɔstən tə sˈæn fɹænsˈɪskO ɪn ʤəlˈI?",
    "ðə jˈʌŋ ˌɛnʤənˈɪɹ mˈɛʒəɹd ðə lˈɛŋθ ʌv ðə bɹˈɪʤ — twˈIs — ænd ɹˈOt bˈOθ nˈʌmbəɹz ˌɔn ðə wˈɔl ʌv ði ˈOld stˈAʃən, wˌɛɹ ðA kæn stˈɪl bi "
    "ɹˈɛd tədˈA.",
    "wi wɜɹ əwˈA ɐ jˈɪɹ əɡˈO.",
]
SPEEDS = [0.8, 1.0, 1.3]
OUTPUTS = [NAMES["durations"], NAMES["durations.rounded"]]


def upto(model: onnx.ModelProto, outputs: list[str]) -> onnx.ModelProto:
    """The part of a model that makes these outputs."""
    graph = model.graph
    made_by = {o: i for i, n in enumerate(graph.node) for o in n.output}
    needed: set[int] = set()
    todo = list(outputs)
    while todo:
        i = made_by.get(todo.pop())
        if i is not None and i not in needed:
            needed.add(i)
            todo += graph.node[i].input
    nodes = [graph.node[i] for i in sorted(needed)]
    inputs = {i for n in nodes for i in n.input}
    constants = [i for i in graph.initializer if i.name in inputs]
    del graph.node[:], graph.initializer[:], graph.output[:]
    graph.node.extend(nodes)
    graph.initializer.extend(constants)
    graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in outputs)
    return model


def main() -> None:
    twin, voices, vocab, out = sys.argv[1:]
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    model = upto(onnx.load(twin), OUTPUTS).SerializeToString()
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    styles = np.load(voices)
    with open(vocab) as f:
        ids = json.load(f)["vocab"]
    cases = []
    for phonemes in SENTENCES:
        tokens = np.array([[0, *(ids[c] for c in phonemes), 0]])
        for voice in styles:
            style = styles[voice][len(phonemes) - 1].reshape(1, 256)
            at = []
            for speed in SPEEDS:
                feeds = {"tokens": tokens, "style": style, "speed": np.array([speed], np.float32)}
                frames, rounded = session.run(OUTPUTS, feeds)
                at.append({"speed": speed, "durations": rounded.ravel().astype(int).tolist()})
            case = {"phonemes": phonemes, "voice": voice, "frames": frames.ravel().tolist(), "at": at}
            cases.append(case)
    with open(out, "w") as f:
        json.dump(cases, f, ensure_ascii=False, indent=1)
    print(len(cases) * len(SPEEDS), "cases")


if __name__ == "__main__":
    main()
