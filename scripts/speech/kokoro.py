"""Kokoro-82M's forward pass in numpy, block by block: the specification of `src/speech/kokoro/`.

The network is StyleTTS 2 (arXiv:2306.07691) with the vocoder iSTFTNet (arXiv:2203.02395) and a harmonic source (arXiv:1904.12088).
Activations are (T, C), a row a step. `style` is (256): the first half is for the decoder, the second for durations and prosody.

    python3 kokoro.py kokoro.onnx kokoro-f32.onnx voices_ja.npz vocab.json     # compares every block with ONNX Runtime's
"""

import numpy as np

from weights import Codes

HOP, N_FFT, RATE, FRAME = 5, 20, 24000, 300  # samples; a value of the pitch curve is for 300 samples


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def leaky(x, slope):
    return np.where(x < 0, slope * x, x)


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def layer_norm(x, weight, bias, eps=1e-5):
    centred = x - x.mean(1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(1, keepdims=True) + eps) * weight + bias


class Kokoro:
    def __init__(self, weights, dtype=np.float64):
        self.w = {k: (v.floats() if isinstance(v, Codes) else v).astype(dtype) for k, v in weights.items()}

    # Layers

    def linear(self, name, x):
        return x @ self.w[name + ".weight"].T + self.w[name + ".bias"]

    def conv(self, name, x, stride=1, dilation=1, pad=None):
        """(T', N): tap k of place t reads place `stride t + dilation k - pad`."""
        w = self.w[name + ".weight"]  # (N, kernel, C)
        kernel = w.shape[1]
        pad = dilation * (kernel - 1) // 2 if pad is None else pad
        x = np.pad(x, ((pad, pad), (0, 0)))
        n = (len(x) - dilation * (kernel - 1) - 1) // stride + 1
        taps = [x[k * dilation :][: (n - 1) * stride + 1 : stride] @ w[:, k].T for k in range(kernel)]
        return sum(taps) + self.w.get(name + ".bias", 0)

    def transposed(self, name, x, stride, pad):
        """(stride T, N), from a convolution of kernel 2 whose row q is `stride` places."""
        w = self.w[name + ".weight"]
        x = np.pad(x, ((1, 1), (0, 0)))
        y = (x[:-1] @ w[:, 0].T + x[1:] @ w[:, 1].T).reshape((len(x) - 1) * stride, -1)
        return y[pad : pad + stride * (len(x) - 2)] + self.w[name + ".bias"]

    def lstm(self, name, x):
        """(T, 512): both directions side by side."""
        gates = self.linear(f"{name}.input", x).reshape(len(x), 2, 1024)
        hidden = self.w[f"{name}.hidden.weight"].reshape(2, 1024, 256)
        y = np.zeros((len(x), 2, 256), x.dtype)
        for d in range(2):
            h, c = np.zeros(256), np.zeros(256)
            for t in range(len(x)) if d == 0 else reversed(range(len(x))):
                i, o, f, g = (gates[t, d] + hidden[d] @ h).reshape(4, 256)
                c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
                h = sigmoid(o) * np.tanh(c)
                y[t, d] = h
        return y.reshape(len(x), 512)

    def style(self, name, style):
        """What a norm multiplies with, less 1, and what it adds."""
        return np.split(self.linear(f"{name}.style", style), 2)

    def adain(self, name, x, style):
        """Instance norm over time, then scale and shift by the style (arXiv:1703.06868)."""
        gamma, beta = self.style(name, style)
        centred = x - x.mean(0)
        return (1 + gamma) * centred / np.sqrt((centred**2).mean(0) + 1e-5) + beta

    def block(self, name, x, style):
        """A residual block with two norms; twice as long where it has a `pool`."""
        h = leaky(self.adain(f"{name}.norm1", x, style), 0.2)
        if f"{name}.pool.weight" in self.w:
            w, bias = self.w[f"{name}.pool.weight"], self.w[f"{name}.pool.bias"]  # (3, C)
            after = np.concatenate([h[1:], np.zeros_like(h[:1])])
            h = np.stack([h * w[1], h * w[2] + after * w[0]], 1).reshape(2 * len(x), -1) + bias
            x = np.repeat(x, 2, 0)
        h = self.conv(f"{name}.conv1", h)
        h = leaky(self.adain(f"{name}.norm2", h, style), 0.2)
        h = self.conv(f"{name}.conv2", h)
        if f"{name}.shortcut.weight" in self.w:
            x = self.conv(f"{name}.shortcut", x)
        return (h + x) / np.sqrt(2)

    def snake_block(self, name, x, style):
        """Three pairs of convolutions, the first of a pair with dilation 1, 3, 5; snake is arXiv:2006.08195."""
        for j, dilation in enumerate((1, 3, 5)):
            h = x
            for i, d in ((1, dilation), (2, 1)):
                alpha = self.w[f"{name}.alpha{i}.{j}"]
                h = self.adain(f"{name}.norm{i}.{j}", h, style)
                h = self.conv(f"{name}.conv{i}.{j}", h + np.sin(alpha * h) ** 2 / alpha, dilation=d)
            x = x + h
        return x

    # Blocks

    def bert(self, tokens):
        w = self.w
        x = w["bert.token_embd.weight"][tokens] + w["bert.position_embd.weight"][: len(tokens)] + w["bert.type_embd"]
        x = layer_norm(x, w["bert.embd_norm.weight"], w["bert.embd_norm.bias"], 1e-12)
        x = self.linear("bert.embd_project", x)
        for _ in range(12):  # all with the same weights (arXiv:1909.11942)
            x = self.bert_layer(x)
        return self.linear("bert.output", x)

    def bert_layer(self, x):
        q, k, v = self.linear("bert.attn_qkv", x).reshape(len(x), 3, 12, 64).transpose(1, 2, 0, 3)
        scores = q @ k.transpose(0, 2, 1) / 8
        p = np.exp(scores - scores.max(-1, keepdims=True))
        attention = (p / p.sum(-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(len(x), 768)
        w = self.w
        x = layer_norm(x + self.linear("bert.attn_output", attention), w["bert.attn_norm.weight"], w["bert.attn_norm.bias"], 1e-12)
        h = self.linear("bert.ffn_down", gelu(self.linear("bert.ffn_up", x)))
        return layer_norm(x + h, w["bert.ffn_norm.weight"], w["bert.ffn_norm.bias"], 1e-12)

    def text_encoder(self, tokens):
        x = self.w["text_encoder.embd.weight"][tokens]
        for i in range(3):
            x = self.conv(f"text_encoder.conv{i}", x)
            x = leaky(layer_norm(x, self.w[f"text_encoder.norm{i}.weight"], self.w[f"text_encoder.norm{i}.bias"]), 0.2)
        return self.lstm("text_encoder.lstm", x)

    def duration_encoder(self, x, style):
        """(N, 512 + 128)"""
        rows = np.broadcast_to(style, (len(x), 128))
        for i in range(3):
            x = self.lstm(f"duration.lstm{i}", np.concatenate([x, rows], 1))
            gamma, beta = self.style(f"duration.norm{i}", style)
            x = layer_norm(x, 1 + gamma, beta)
        return np.concatenate([x, rows], 1)

    def durations(self, d):
        """Frames of each token, before they are divided by the speed and rounded."""
        return sigmoid(self.linear("duration.project", self.lstm("duration.lstm3", d))).sum(1)

    def curve(self, name, x, style):
        """(2 T): pitch in Hz or loudness."""
        for i in range(3):
            x = self.block(f"{name}.block{i}", x, style)
        return self.conv(f"{name}.project", x)[:, 0]

    def decoder(self, text, f0, noise, style):
        """(2 T, 512), what the generator takes."""
        curves = [self.conv(f"decoder.{n}_conv", c[:, None], stride=2, pad=1) for n, c in (("f0", f0), ("noise", noise))]
        x = self.block("decoder.encode", np.concatenate([text, *curves], 1), style)
        text = self.conv("decoder.text_conv", text)
        for i in range(4):
            x = self.block(f"decoder.decode{i}", np.concatenate([x, text, *curves], 1), style)
        return x

    def source(self, f0):
        """(600 T): the sum of nine harmonics of the pitch. The export's float32 phases differ by some thousandths from these."""
        turns = np.cumsum(f0[:, None].astype(np.float64) * np.arange(1, 10) / RATE % 1, 0) * FRAME
        at = (np.arange(FRAME * len(f0)) + 0.5) / FRAME - 0.5
        phases = np.stack([np.interp(at, np.arange(len(f0)), t) for t in turns.T], 1) * 2 * np.pi
        voiced = np.repeat(f0 > 10, FRAME)[:, None]
        return np.tanh(0.1 * np.sin(phases) * voiced @ self.w["generator.source.weight"] + self.w["generator.source.bias"])

    def stft(self, source):
        """(120 T + 1, 11 + 11): magnitudes and phases."""
        x = np.pad(source, 10, mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(x, N_FFT)[::HOP] * self.w["generator.stft.window"]
        spectrum = np.fft.rfft(frames, axis=1)
        phases = np.angle(spectrum)
        # Real, so pi or 0. Most of the export's are -pi, by what rounding leaves there.
        phases[:, -1] *= -1
        return np.concatenate([np.abs(spectrum), phases], 1)

    def istft(self, x):
        """(600 T): audio of the logarithm of magnitudes, and of what the sines are phases of."""
        magnitude, phase = np.exp(x[:, :11]), np.sin(x[:, 11:])
        spectrum = np.concatenate([magnitude * np.cos(phase), magnitude * np.sin(phase)], 1)
        frames = spectrum @ self.w["generator.istft.basis"]
        y = np.zeros(HOP * (len(x) - 1) + N_FFT)
        for t, frame in enumerate(frames):
            y[HOP * t : HOP * t + N_FFT] += frame
        # The export has the windows' sum of one frame alone: later samples are not divided.
        sums = self.w["generator.istft.window_sum"]
        y[1:N_FFT] /= sums[1:]
        return y[10:-10] * (N_FFT / HOP)

    def generator_stage(self, i, x, har, style):
        """Ten, then six times as long."""
        noise = self.conv(f"generator.noise_conv{i}", har, stride=(6, 1)[i], pad=(3, 0)[i])
        noise = self.snake_block(f"generator.noise_block{i}", noise, style)
        x = self.transposed(f"generator.up{i}", leaky(x, 0.1), (10, 6)[i], (5, 3)[i])
        if i == 1:
            x = np.concatenate([x[1:2], x])
        x = x + noise
        return sum(self.snake_block(f"generator.block{3 * i + j}", x, style) for j in range(3)) / 3

    def generator(self, x, har, style):
        for i in range(2):
            x = self.generator_stage(i, x, har, style)
        return self.istft(self.conv("generator.post", leaky(x, 0.01)))

    # All of it

    def synthesize(self, tokens, style, speed):
        d = self.duration_encoder(self.bert(tokens), style[128:])
        durations = np.maximum(np.round(self.durations(d) / speed), 1).astype(int)
        frames = np.repeat(np.arange(len(tokens)), durations)
        x = self.lstm("prosody.lstm", d[frames])
        f0, noise = (self.curve(name, x, style[128:]) for name in ("f0", "noise"))
        x = self.decoder(self.text_encoder(tokens)[frames], f0, noise, style[:128])
        return self.generator(x, self.stft(self.source(f0)), style[:128]), durations


def main():
    import sys

    from reference import Reference, relative
    from weights import load

    model, twin, voices, vocab = sys.argv[1:5]
    k = Kokoro(load(model))
    r = Reference(twin, voices, vocab).run("həlˈoʊ wˈɜːld.", "jf_alpha", 1.0)
    t, s = r["tokens"], r["style"]
    dec, pre = s[:128], s[128:]
    show = lambda name, got, want: print(f"{name:24} {str(want.shape):16} {relative(got, want):.2e}")
    show("bert_layer", k.bert_layer(r["bert.embd_project"]), r["bert.layer0"])
    show("bert", k.bert(t), r["bert"])
    show("text_encoder", k.text_encoder(t), r["text_encoder"])
    show("duration_encoder", k.duration_encoder(r["bert"], pre), r["duration_encoder"])
    show("durations", k.durations(r["duration_encoder"]), r["durations"])
    show("prosody.lstm", k.lstm("prosody.lstm", r["frames"]), r["prosody.lstm"])
    for name in ("f0", "noise"):
        show(f"{name}.block0", k.block(f"{name}.block0", r["prosody.lstm"], pre), r[f"{name}.block0"])
        show(f"{name}.block1", k.block(f"{name}.block1", r[f"{name}.block0"], pre), r[f"{name}.block1"])
        show(name, k.curve(name, r["prosody.lstm"], pre), r[name])
    show("decoder.encode", k.block("decoder.encode", r["decoder.input"], dec), r["decoder.encode"])
    show("decoder", k.decoder(r["text"], r["f0"], r["noise"], dec), r["decoder"])
    show("source", k.source(r["f0"]), r["source"])
    har = k.stft(r["source"])
    show("stft magnitude", har[:, :11], r["stft"][:, :11])
    wrap = lambda x: np.exp(1j * x)
    show("stft phase", wrap(har[:, 11:]), wrap(r["stft"][:, 11:]))
    show("stage0", k.generator_stage(0, r["decoder"], r["stft"], dec), r["generator.stage0"])
    show("stage1", k.generator_stage(1, r["generator.stage0"], r["stft"], dec), r["generator.stage1"])
    show("post", k.conv("generator.post", leaky(r["generator.stage1"], 0.01)), r["generator.post"])
    show("istft", k.istft(r["generator.post"]), r["audio"])
    audio, durations = k.synthesize(t, s, 1.0)
    print("durations equal:", np.array_equal(durations, r["durations.rounded"]))
    show("end to end", audio, r["audio"])


if __name__ == "__main__":
    main()
