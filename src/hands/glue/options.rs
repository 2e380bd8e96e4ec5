//! How hands are looked for.

use super::Smoothing;
use crate::Result;
use crate::error::bail;
use crate::floats;

/// Hands in a picture, at most.
pub const MAX_HANDS: u32 = 8;

/// How hands are looked for. The defaults are MediaPipe's.
#[derive(Debug, Clone, Copy, PartialEq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Options {
    /// 1 to [`MAX_HANDS`]. Palms are looked for while fewer are tracked, so a hand more than there are costs a palm
    /// detection for each picture.
    pub max_hands: u32,
    /// A palm has this score or more, in [0, 1].
    pub min_detection_score: f64,
    /// A hand's presence is more than this, in [0, 1]. Below it, a tracked hand is lost.
    pub min_presence_score: f64,
    /// Steadies landmarks from picture to picture. MediaPipe does not.
    #[serde(skip)]
    pub smoothing: Option<Smoothing>,
}

impl Default for Options {
    fn default() -> Self {
        Options { max_hands: 2, min_detection_score: 0.5, min_presence_score: 0.5, smoothing: None }
    }
}

impl Options {
    /// # Errors
    /// `InvalidArgument` for an option out of its range.
    pub fn check(&self) -> Result<()> {
        if !(1..=MAX_HANDS).contains(&self.max_hands) {
            bail!(InvalidArgument, "max_hands is {}, allowed is 1 to {MAX_HANDS}", self.max_hands);
        }
        let scores =
            [("min_detection_score", self.min_detection_score), ("min_presence_score", self.min_presence_score)];
        for (name, score) in scores {
            if !(0.0..=1.0).contains(&score) {
                bail!(InvalidArgument, "{name} is {}, allowed is 0 to 1", floats::text(score));
            }
        }
        self.smoothing.map_or(Ok(()), |smoothing| smoothing.check())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_out_of_its_range_is_named() {
        let good = Options { smoothing: Some(Smoothing::default()), ..Options::default() };
        assert_eq!(good.check(), Ok(()));
        let smoothing = |smoothing| Options { smoothing: Some(smoothing), ..good };
        let default = Smoothing::default();
        for (options, want) in [
            (Options { max_hands: 0, ..good }, "max_hands is 0, allowed is 1 to 8"),
            (Options { max_hands: 9, ..good }, "max_hands is 9, allowed is 1 to 8"),
            (Options { min_detection_score: 1.5, ..good }, "min_detection_score is 1.5, allowed is 0 to 1"),
            (Options { min_presence_score: f64::NAN, ..good }, "min_presence_score is NaN, allowed is 0 to 1"),
            (smoothing(Smoothing { min_cutoff: 0.0, ..default }), "min_cutoff is 0, allowed is above 0"),
            (
                smoothing(Smoothing { derivative_cutoff: f64::INFINITY, ..default }),
                "derivative_cutoff is Infinity, allowed is above 0",
            ),
            (smoothing(Smoothing { beta: -1.0, ..default }), "beta is -1, allowed is 0 and more"),
        ] {
            assert_eq!(options.check().unwrap_err().to_string(), want);
        }
    }
}
