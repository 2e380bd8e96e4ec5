//! From probabilities to the parts of a recording where somebody speaks, as Silero's `get_speech_timestamps` finds them.

use std::ops::Range;

use serde::Deserialize;

use super::SAMPLE_RATE;
use super::network::FRAME;
use crate::error::{Result, bail};

/// Speech lasts until the probability is this much below the threshold.
const HYSTERESIS: f32 = 0.15;
/// The least probability that ends speech, whatever the threshold.
const LEAST_END: f32 = 0.01;

/// What counts as a segment of speech. The defaults are Silero's.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SegmentOptions {
    /// The probability at which speech begins, 0 to 1. It ends 0.15 below.
    pub threshold: f32,
    /// Shorter speech is left out, in milliseconds.
    pub min_speech_ms: u32,
    /// Shorter silence does not part speech, in milliseconds.
    pub min_silence_ms: u32,
    /// What is added before and after speech, in milliseconds.
    pub pad_ms: u32,
}

impl Default for SegmentOptions {
    fn default() -> Self {
        SegmentOptions { threshold: 0.5, min_speech_ms: 250, min_silence_ms: 100, pad_ms: 30 }
    }
}

/// Where the probability of a frame lies.
enum Level {
    Speech,
    Between,
    Silence,
}

fn level(probability: f32, threshold: f32) -> Level {
    match probability {
        p if p >= threshold => Level::Speech,
        p if p < (threshold - HYSTERESIS).max(LEAST_END) => Level::Silence,
        _ => Level::Between,
    }
}

fn check(threshold: f32) -> Result<()> {
    match threshold {
        0.0..=1.0 => Ok(()),
        _ => bail!(InvalidArgument, "threshold is {threshold}; 0 to 1 is allowed"),
    }
}

/// Whether somebody speaks, frame by frame: what lies between speech and silence is as the frame before.
#[derive(Debug, Clone, Copy)]
pub struct Hysteresis {
    threshold: f32,
    speaking: bool,
}

impl Hysteresis {
    /// # Errors
    /// `InvalidArgument` where the threshold is not 0 to 1.
    pub fn new(threshold: f32) -> Result<Self> {
        check(threshold)?;
        Ok(Hysteresis { threshold, speaking: false })
    }

    /// Whether somebody speaks in the next frame.
    pub fn next(&mut self, probability: f32) -> bool {
        match level(probability, self.threshold) {
            Level::Speech => self.speaking = true,
            Level::Silence => self.speaking = false,
            Level::Between => {}
        }
        self.speaking
    }

    #[must_use]
    pub fn threshold(&self) -> f32 {
        self.threshold
    }

    pub fn reset(&mut self) {
        self.speaking = false;
    }
}

/// Samples of a time. No time is longer than a recording can be.
fn samples(ms: u32) -> usize {
    usize::try_from(u64::from(ms) * u64::from(SAMPLE_RATE) / 1000).unwrap_or(usize::MAX)
}

/// The segments of a recording of `n_samples`, from the probability of each frame of 512 samples. They are in samples, ascending,
/// and don't overlap.
///
/// # Errors
/// `InvalidArgument` where there are more frames than samples for them, or an option is out of its range.
pub fn segments(probabilities: &[f32], n_samples: usize, options: &SegmentOptions) -> Result<Vec<Range<usize>>> {
    check(options.threshold)?;
    if probabilities.len() != n_samples.div_ceil(FRAME) {
        let (n, wanted) = (probabilities.len(), n_samples.div_ceil(FRAME));
        bail!(InvalidArgument, "there are {n} probabilities of {n_samples} samples; {wanted} are needed");
    }
    let mut found = speech(probabilities, n_samples, options);
    pad(&mut found, n_samples, samples(options.pad_ms));
    Ok(found)
}

fn speech(probabilities: &[f32], n_samples: usize, options: &SegmentOptions) -> Vec<Range<usize>> {
    let (min_speech, min_silence) = (samples(options.min_speech_ms), samples(options.min_silence_ms));
    let mut found = Vec::new();
    // Where speech began, and where it may have ended.
    let mut start: Option<usize> = None;
    let mut end: Option<usize> = None;
    for (at, &probability) in (0..).step_by(FRAME).zip(probabilities) {
        match (level(probability, options.threshold), start) {
            (Level::Speech, _) => {
                start.get_or_insert(at);
                end = None;
            }
            (Level::Silence, Some(from)) => {
                let to = *end.get_or_insert(at);
                if at - to >= min_silence {
                    found.push(from..to);
                    (start, end) = (None, None);
                }
            }
            _ => {}
        }
    }
    found.extend(start.map(|from| from..n_samples));
    found.retain(|segment| segment.len() > min_speech);
    found
}

/// Make segments longer by `n` at both ends; short silence between two is shared.
fn pad(found: &mut [Range<usize>], n_samples: usize, n: usize) {
    let ends: Vec<Range<usize>> = found.to_vec();
    for (i, segment) in found.iter_mut().enumerate() {
        let before = match i.checked_sub(1) {
            Some(last) => n.min((ends[i].start - ends[last].end) / 2),
            None => n.min(ends[i].start),
        };
        let after = match ends.get(i + 1) {
            Some(next) => n.min((next.start - ends[i].end) / 2),
            None => n.min(n_samples - ends[i].end),
        };
        *segment = ends[i].start - before..ends[i].end + after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of probabilities: `(n, p)` is `n` frames of `p`.
    fn frames(runs: &[(usize, f32)]) -> Vec<f32> {
        runs.iter().flat_map(|&(n, p)| std::iter::repeat_n(p, n)).collect()
    }

    /// Segments in frames, without padding.
    fn found(runs: &[(usize, f32)]) -> Vec<[usize; 2]> {
        let options = SegmentOptions { pad_ms: 0, ..Default::default() };
        let probabilities = frames(runs);
        let found = segments(&probabilities, probabilities.len() * FRAME, &options).unwrap();
        found.into_iter().map(|s| [s.start / FRAME, s.end / FRAME]).collect()
    }

    #[test]
    fn speech_begins_at_the_threshold_and_ends_below_it() {
        assert_eq!(found(&[]).len(), 0);
        assert_eq!(found(&[(20, 0.49)]).len(), 0);
        assert_eq!(found(&[(5, 0.0), (10, 0.5), (20, 0.0)]), [[5, 15]]);
        assert_eq!(found(&[(5, 0.0), (10, 0.5), (20, 0.36)]), [[5, 35]], "0.36 is no end");
        assert_eq!(found(&[(5, 0.0), (10, 0.5), (20, 0.34)]), [[5, 15]]);
    }

    #[test]
    fn short_silence_parts_nothing_and_short_speech_is_left_out() {
        // 100 ms are 3.1 frames: the end is known at the fifth frame of silence.
        assert_eq!(found(&[(10, 1.0), (4, 0.0), (10, 1.0)]), [[0, 24]]);
        assert_eq!(found(&[(10, 1.0), (5, 0.0), (10, 1.0)]), [[0, 10], [15, 25]]);
        // Frames between both levels neither end speech nor keep it.
        assert_eq!(found(&[(10, 1.0), (1, 0.0), (9, 0.4), (10, 1.0)]), [[0, 30]]);
        assert_eq!(found(&[(10, 1.0), (1, 0.0), (9, 0.4), (1, 0.0), (10, 1.0)]), [[0, 10], [21, 31]]);
        // 250 ms are 7.8 frames.
        assert_eq!(found(&[(7, 1.0), (20, 0.0), (8, 1.0), (20, 0.0)]), [[27, 35]]);
        assert_eq!(found(&[(20, 0.0), (7, 1.0)]).len(), 0);
    }

    #[test]
    fn padding_ends_with_the_recording_and_shares_short_silence() {
        let of = |probabilities: &[f32], n_samples, pad_ms| {
            let found = segments(probabilities, n_samples, &SegmentOptions { pad_ms, ..Default::default() }).unwrap();
            found.into_iter().map(|s| [s.start, s.end]).collect::<Vec<_>>()
        };
        let two = frames(&[(10, 1.0), (5, 0.0), (10, 1.0)]);
        let n = two.len() * FRAME - 100;
        assert_eq!(of(&two, n, 30), [[0, 10 * FRAME + 480], [15 * FRAME - 480, n]]);
        assert_eq!(of(&two, n, 1000), [[0, 10 * FRAME + 1280], [15 * FRAME - 1280, n]]);
        assert_eq!(of(&two, n, u32::MAX), [[0, 10 * FRAME + 1280], [15 * FRAME - 1280, n]]);
        let one = frames(&[(3, 0.0), (10, 1.0), (10, 0.0)]);
        assert_eq!(of(&one, 23 * FRAME, 30), [[3 * FRAME - 480, 13 * FRAME + 480]]);
    }

    #[test]
    fn what_is_out_of_range_is_an_error() {
        for threshold in [-0.1, 1.1, f32::NAN, f32::INFINITY] {
            let error = segments(&[], 0, &SegmentOptions { threshold, ..Default::default() }).unwrap_err();
            assert_eq!(error.code(), "INVALID_ARGUMENT");
            assert_eq!(Hysteresis::new(threshold).unwrap_err().code(), "INVALID_ARGUMENT");
        }
        assert_eq!(segments(&[0.0; 3], 2 * FRAME, &Default::default()).unwrap_err().code(), "INVALID_ARGUMENT");
    }

    #[test]
    fn between_the_levels_a_frame_is_as_the_one_before() {
        let mut speaks = Hysteresis::new(0.5).unwrap();
        let heard: Vec<bool> = [0.4, 0.5, 0.4, 0.3, 0.4, 0.9].map(|p| speaks.next(p)).to_vec();
        assert_eq!(heard, [false, true, true, false, false, true]);
        speaks.reset();
        assert!(!speaks.next(0.4));
    }
}
