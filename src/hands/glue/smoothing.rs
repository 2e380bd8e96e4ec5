//! The one-euro filter: steady at rest, quick in motion.
//!
//! Source: G. Casiez, N. Roussel, D. Vogel, "1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive
//! Systems", CHI 2012. As in the authors' and MediaPipe's code (`util/filtering/one_euro_filter.cc`), speed is that of the
//! raw values, and it is relative to the size of what moves (`util/landmarks_smoothing_calculator_utils.cc`).

use std::f64::consts::PI;

use super::{N_LANDMARKS, Point3, Region};
use crate::Result;
use crate::error::bail;
use crate::floats;

/// Parameters of the filter. Its unit of length is the side of the hand's region, about twice the hand.
///
/// At a constant speed v, in sides a second, the filtered landmark is 1 / (2 pi (`min_cutoff` + `beta` v)) seconds behind.
#[derive(Debug, Clone, Copy, PartialEq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Smoothing {
    /// Cutoff frequency at rest, in hertz: the lower, the steadier.
    pub min_cutoff: f64,
    /// Hertz that the cutoff rises for each side a second: the higher, the quicker.
    pub beta: f64,
    /// Cutoff frequency of the speed, in hertz.
    pub derivative_cutoff: f64,
}

impl Default for Smoothing {
    /// At 30 pictures a second, noise of a hand at rest becomes less than half. A hand in motion is behind by less than
    /// 1.6 % of its region's side, whatever its speed.
    fn default() -> Self {
        Smoothing { min_cutoff: 1.0, beta: 10.0, derivative_cutoff: 1.0 }
    }
}

impl Smoothing {
    pub(super) fn check(&self) -> Result<()> {
        for (name, cutoff) in [("min_cutoff", self.min_cutoff), ("derivative_cutoff", self.derivative_cutoff)] {
            if !(cutoff.is_finite() && cutoff > 0.0) {
                bail!(InvalidArgument, "{name} is {}, allowed is above 0", floats::text(cutoff));
            }
        }
        if !(self.beta.is_finite() && self.beta >= 0.0) {
            bail!(InvalidArgument, "beta is {}, allowed is 0 and more", floats::text(self.beta));
        }
        Ok(())
    }
}

/// The filter of one number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OneEuro {
    raw: f64,
    speed: f64,
    filtered: f64,
}

impl OneEuro {
    /// A filter that has seen one value.
    #[must_use]
    pub fn new(value: f64) -> Self {
        OneEuro { raw: value, speed: 0.0, filtered: value }
    }

    /// The filtered value, `seconds` above 0 after the last one. `unit` is the length that speed is measured in.
    pub fn next(&mut self, value: f64, seconds: f64, unit: f64, smoothing: &Smoothing) -> f64 {
        let speed = (value - self.raw) / seconds / unit;
        self.speed += share(smoothing.derivative_cutoff, seconds) * (speed - self.speed);
        let cutoff = smoothing.min_cutoff + smoothing.beta * self.speed.abs();
        self.filtered += share(cutoff, seconds) * (value - self.filtered);
        self.raw = value;
        self.filtered
    }
}

/// What a new value counts for in a low-pass filter: alpha of the paper.
fn share(cutoff: f64, seconds: f64) -> f64 {
    let time_constant = 1.0 / (2.0 * PI * cutoff);
    1.0 / (1.0 + time_constant / seconds)
}

/// The filters of a hand's landmarks, or of its world landmarks.
#[derive(Debug, Clone)]
pub(super) struct PointFilters([[OneEuro; 3]; N_LANDMARKS]);

impl PointFilters {
    pub(super) fn new(points: &[Point3; N_LANDMARKS]) -> Self {
        PointFilters(points.map(|Point3 { x, y, z }| [x, y, z].map(OneEuro::new)))
    }

    /// The filtered points, `seconds` above 0 after the last ones. Points without a size are not filtered.
    pub(super) fn next(
        &mut self,
        points: &[Point3; N_LANDMARKS],
        seconds: f64,
        smoothing: &Smoothing,
    ) -> [Point3; N_LANDMARKS] {
        let region = Region::of_landmarks(points);
        if !region.has_area() {
            *self = PointFilters::new(points);
            return *points;
        }
        std::array::from_fn(|i| {
            let Point3 { x, y, z } = points[i];
            let mut next = |axis: usize, value| self.0[i][axis].next(value, seconds, region.width, smoothing);
            Point3 { x: next(0, x), y: next(1, y), z: next(2, z) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: f64 = 1.0 / 30.0;

    /// Uniform in [-1, 1), by a linear congruential generator (Numerical Recipes).
    fn noise(state: &mut u32) -> f64 {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(*state) / f64::from(1u32 << 31) - 1.0
    }

    fn deviation(values: &[f64]) -> f64 {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
    }

    #[test]
    fn a_point_at_rest_is_steady() {
        // Noise of half a percent of the region's side: a pixel of the crop.
        let (unit, mut state) = (100.0, 1);
        let raw: Vec<f64> = (0..3000).map(|_| 50.0 + 0.5 * noise(&mut state)).collect();
        let mut filter = OneEuro::new(raw[0]);
        let filtered: Vec<f64> = raw[1..].iter().map(|&v| filter.next(v, FRAME, unit, &Smoothing::default())).collect();
        let ratio = deviation(&filtered) / deviation(&raw);
        println!("noise at rest: {ratio:.3} of what it was");
        assert!(ratio < 0.5, "{ratio}");
        let mut still = OneEuro::new(7.0);
        assert!((0..10).all(|_| still.next(7.0, FRAME, unit, &Smoothing::default()) == 7.0));
    }

    #[test]
    fn a_moving_point_lags_as_stated() {
        let smoothing = Smoothing::default();
        for speed in [0.1, 1.0, 10.0] {
            let unit = 100.0;
            let mut filter = OneEuro::new(0.0);
            let mut lag = 0.0;
            for i in 1..=300 {
                let at = f64::from(i) * FRAME * speed * unit;
                lag = (at - filter.next(at, FRAME, unit, &smoothing)) / unit;
            }
            let stated = speed / (2.0 * PI * (smoothing.min_cutoff + smoothing.beta * speed));
            println!("{speed} sides/s: {:.1} ms, {:.4} sides behind", lag / speed * 1e3, lag);
            assert!((lag / stated - 1.0).abs() < 1e-6 && lag < 0.016, "{lag} {stated}");
        }
    }

    #[test]
    fn a_jump_is_followed() {
        let mut filter = OneEuro::new(0.0);
        let behind: Vec<f64> = (0..10).map(|_| 1.0 - filter.next(1.0, FRAME, 1.0, &Smoothing::default())).collect();
        println!("after a jump of a side: {behind:.3?} behind");
        assert!(behind[0] < 0.1 && behind.windows(2).all(|b| b[1] < b[0]) && behind[9] < 1e-3);
    }

    #[test]
    fn points_without_a_size_pass() {
        let at = |v| [Point3 { x: v, y: v, z: v }; N_LANDMARKS];
        let mut filters = PointFilters::new(&at(1.0));
        assert_eq!(filters.next(&at(2.0), FRAME, &Smoothing::default()), at(2.0));
    }
}
