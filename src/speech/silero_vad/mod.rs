//! Silero VAD: whether somebody speaks, from 32 ms of sound at 16 kHz and what it remembers
//! (<https://github.com/snakers4/silero-vad>, MIT).
//!
//! The magnitudes of a short-time Fourier transform go through four convolutions and an LSTM to one number. It is computed on the
//! CPU, see ARCHITECTURE.md.

mod convert;
mod network;
mod segments;
mod weights;

use std::ops::Range;
use std::rc::Rc;

pub use convert::{convert, knows};
pub use network::{CONTEXT, FRAME, HIDDEN};
pub use segments::{Hysteresis, SegmentOptions, segments};

use crate::error::{Result, bail};
use crate::load::LoadEvents;
use crate::source::ByteSource;
use network::{Network, State};

/// `general.architecture` of a file with this network.
pub const ARCHITECTURE: &str = "silero-vad";
/// Samples a second.
pub const SAMPLE_RATE: u32 = 16_000;

/// Samples are from -1 to 1. What is far beyond has another scale, as integers of 16 bits have.
const MAX_SAMPLE: f32 = 100.0;

/// Samples as a frame.
///
/// # Errors
/// `InvalidArgument` where there are not 512.
pub fn whole_frame(samples: &[f32]) -> Result<&[f32; FRAME]> {
    match samples.try_into() {
        Ok(frame) => Ok(frame),
        Err(_) => {
            bail!(InvalidArgument, "the frame has {} samples; {FRAME} are needed, 32 ms at 16 kHz", samples.len())
        }
    }
}

/// Hears a stream, or a recording, frame by frame.
pub struct Vad {
    network: Rc<Network>,
    state: State,
}

impl Vad {
    /// Load the network from a GGUF file of [`convert`].
    ///
    /// # Errors
    /// `UnsupportedArchitecture` where the file has another model; `MalformedGguf` where a tensor is missing, or has another shape;
    /// `UnsupportedTensorType` where it is not F32; what the source reports.
    pub async fn load(source: &impl ByteSource, events: &dyn LoadEvents) -> Result<Vad> {
        let network = Network::load(source, events).await?;
        Ok(Vad { network: Rc::new(network), state: State::default() })
    }

    /// The same network with nothing remembered, for another stream.
    #[must_use]
    pub fn fresh(&self) -> Vad {
        Vad { network: self.network.clone(), state: State::default() }
    }

    /// Forget the frames before: what follows is of another stream.
    pub fn reset(&mut self) {
        self.state = State::default();
    }

    /// The probability, 0 to 1, that somebody speaks in the next 512 samples (32 ms), which are from -1 to 1. After an error all is
    /// as before.
    ///
    /// # Errors
    /// `InvalidArgument` where a sample is not finite, or beyond 100; `NotFinite` where the network's weights are broken.
    pub fn probability(&mut self, frame: &[f32; FRAME]) -> Result<f32> {
        self.observed(frame, |_, _| {})
    }

    /// As [`Vad::probability`]; `seen` is called with the name and values `(T, C)` of each activation: `stft`, `encoder.0` to
    /// `encoder.3`, `h` and `c`.
    ///
    /// # Errors
    /// As [`Vad::probability`].
    pub fn observed(&mut self, frame: &[f32; FRAME], seen: impl FnMut(&str, &[f32])) -> Result<f32> {
        if let Some((i, sample)) = frame.iter().enumerate().find(|(_, s)| !(-MAX_SAMPLE..=MAX_SAMPLE).contains(*s)) {
            bail!(InvalidArgument, "sample {i} of the frame is {sample}; samples are from -1 to 1");
        }
        let (probability, state) = self.network.forward(frame, &self.state, seen);
        if !probability.is_finite() {
            bail!(NotFinite, "the probability of speech is {probability}: the file's weights are broken");
        }
        self.state = state;
        Ok(probability)
    }

    /// The probabilities of frames that follow each other; zeros fill the last one up.
    ///
    /// # Errors
    /// As [`Vad::probability`].
    pub fn probabilities(&mut self, samples: &[f32]) -> Result<Vec<f32>> {
        let frame = |chunk: &[f32]| std::array::from_fn(|i| chunk.get(i).copied().unwrap_or_default());
        samples.chunks(FRAME).map(|chunk| self.probability(&frame(chunk))).collect()
    }

    /// Where somebody speaks in a recording, in samples. What this stream remembers stays.
    ///
    /// # Errors
    /// As [`Vad::probability`] and [`segments`].
    pub fn speech_segments(&self, samples: &[f32], options: &SegmentOptions) -> Result<Vec<Range<usize>>> {
        segments(&self.fresh().probabilities(samples)?, samples.len(), options)
    }
}
