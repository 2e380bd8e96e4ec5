//! The network at 16 kHz, on the CPU. Activations are `(T, C)`, a row a place, so the window of a convolution is one slice, and
//! each layer is matrix times window.

use super::weights::Layer;

/// Samples of a frame.
pub const FRAME: usize = 512;
/// Samples before a frame that the network sees, too.
pub const CONTEXT: usize = 64;
/// Width of the LSTM.
pub const HIDDEN: usize = 128;
/// Samples that the transform sees beyond the frame: the last ones in reverse.
const REFLECTED: usize = 64;
/// Places between windows of the transform.
const HOP: usize = 128;
/// Frequencies of the transform.
const BINS: usize = 129;
/// Convolutions, and the places between their windows.
const ENCODER: [(&str, usize); 4] = [("encoder.0", 1), ("encoder.1", 2), ("encoder.2", 2), ("encoder.3", 1)];

/// The weights.
pub struct Network {
    /// `(2 BINS, 256)`: cosines, then sines, with the window in them. It has no bias.
    pub(super) stft: Layer,
    /// `(N, 3 C)`
    pub(super) encoder: [Layer; 4],
    /// `(4 HIDDEN, HIDDEN)`: the input, forget, cell and output gates.
    pub(super) lstm_input: Layer,
    pub(super) lstm_hidden: Layer,
    /// `(1, HIDDEN)`
    pub(super) output: Layer,
}

/// What the network remembers of the frames before.
#[derive(Clone)]
pub struct State {
    /// The end of the last frame.
    pub(super) context: [f32; CONTEXT],
    pub(super) h: [f32; HIDDEN],
    pub(super) c: [f32; HIDDEN],
}

impl Default for State {
    fn default() -> Self {
        State { context: [0.0; CONTEXT], h: [0.0; HIDDEN], c: [0.0; HIDDEN] }
    }
}

impl Network {
    /// The probability of speech in a frame, and what is remembered of it. `seen` is called with each activation and its name.
    pub fn forward(&self, frame: &[f32; FRAME], state: &State, mut seen: impl FnMut(&str, &[f32])) -> (f32, State) {
        let mut x = self.magnitudes(frame, &state.context); // (4, BINS)
        seen("stft", &x);
        for (conv, (name, stride)) in self.encoder.iter().zip(ENCODER) {
            x = relu(convolve(conv, &x, stride)); // (4, 128), (2, 64), (1, 64), (1, 128)
            seen(name, &x);
        }
        let (h, c) = self.lstm(&x, state);
        seen("h", &h);
        seen("c", &c);
        // The mean over places is of one.
        let probability = sigmoid(self.output.times(&relu(h.to_vec()))[0]);
        let mut context = [0.0; CONTEXT];
        context.copy_from_slice(&frame[FRAME - CONTEXT..]);
        (probability, State { context, h, c })
    }

    /// Magnitudes of the short-time Fourier transform.
    fn magnitudes(&self, frame: &[f32; FRAME], context: &[f32; CONTEXT]) -> Vec<f32> {
        let mut samples = [context, &frame[..]].concat();
        samples.extend(frame.iter().rev().skip(1).take(REFLECTED));
        let magnitude = |spectrum: &[f32]| {
            let (re, im) = spectrum.split_at(BINS);
            re.iter().zip(im).map(|(re, im)| (re * re + im * im).sqrt()).collect::<Vec<_>>()
        };
        self.stft.windows(&samples, HOP).chunks_exact(2 * BINS).flat_map(magnitude).collect()
    }

    /// A step of the LSTM (Hochreiter, Schmidhuber 1997; forget gates by Gers et al. 2000): h and c.
    fn lstm(&self, x: &[f32], State { h, c, .. }: &State) -> ([f32; HIDDEN], [f32; HIDDEN]) {
        let mut gates = self.lstm_input.times(x);
        gates.iter_mut().zip(self.lstm_hidden.times(h)).for_each(|(gate, from_h)| *gate += from_h);
        let [i, f, g, o] = [0, 1, 2, 3].map(|gate| &gates[gate * HIDDEN..][..HIDDEN]);
        let c = std::array::from_fn(|n| sigmoid(f[n]) * c[n] + sigmoid(i[n]) * g[n].tanh());
        let h = std::array::from_fn(|n| sigmoid(o[n]) * c[n].tanh());
        (h, c)
    }
}

/// A convolution over windows of 3 places, with a place of zeros before and after `x`.
fn convolve(conv: &Layer, x: &[f32], stride: usize) -> Vec<f32> {
    let channels = conv.width() / 3;
    let zeros = vec![0.0; channels];
    conv.windows(&[&zeros, x, &zeros].concat(), stride * channels)
}

/// NaN stays NaN.
fn relu(mut x: Vec<f32>) -> Vec<f32> {
    x.iter_mut().filter(|v| **v < 0.0).for_each(|v| *v = 0.0);
    x
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}
