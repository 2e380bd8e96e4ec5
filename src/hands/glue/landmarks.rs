//! Landmarks from the numbers of the landmark network.

use super::{Handedness, Point3, Region};
use crate::Result;
use crate::error::bail;
use crate::floats::sin_cos;

pub const N_LANDMARKS: usize = 21;
/// Pixels a side of the landmark network's input.
pub const LANDMARK_SIDE: u32 = 224;

/// `normalize_z` of TensorsToLandmarksCalculator.
const Z_SCALE: f64 = 0.4;

/// What the landmark network gives for a crop.
#[derive(Debug, Clone, Copy)]
pub struct LandmarkOutput<'a> {
    /// `(N_LANDMARKS, 3)`: x, y, z in pixels of the crop.
    pub landmarks: &'a [f32],
    /// That there is a hand, in [0, 1].
    pub presence: f32,
    /// That it is a right hand in a picture that is not mirrored, in [0, 1].
    pub right: f32,
    /// `(N_LANDMARKS, 3)`: x, y, z in metres.
    pub world: &'a [f32],
}

impl LandmarkOutput<'_> {
    pub(super) fn check(&self) -> Result<()> {
        for (name, values) in [("landmarks", self.landmarks), ("world landmarks", self.world)] {
            if values.len() != 3 * N_LANDMARKS {
                bail!(InvalidArgument, "{name}: {} numbers, needed are {}", values.len(), 3 * N_LANDMARKS);
            }
        }
        Ok(())
    }
}

/// A hand in the picture, in its pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Landmarks {
    /// z is in the unit of x and y, 0 near the wrist; what is negative is nearer to the camera.
    pub landmarks: [Point3; N_LANDMARKS],
    /// In metres, the origin in the middle of the hand, turned as in the picture.
    pub world: [Point3; N_LANDMARKS],
    /// That there is a hand, in [0, 1].
    pub presence: f64,
    /// That it is a right hand in a picture that is not mirrored, in [0, 1].
    pub right: f64,
}

impl Landmarks {
    /// What the network saw in a region; `None` where a number is not finite.
    ///
    /// # Errors
    /// `InvalidArgument` for another number of landmarks.
    pub fn new(output: &LandmarkOutput, region: &Region) -> Result<Option<Self>> {
        output.check()?;
        let landmarks = project(&points(output.landmarks), region);
        let world = rotate_world(&points(output.world), region);
        let (presence, right) = (f64::from(output.presence), f64::from(output.right));
        let is_finite =
            landmarks.iter().chain(&world).all(|p| p.is_finite()) && presence.is_finite() && right.is_finite();
        Ok(is_finite.then_some(Landmarks { landmarks, world, presence, right }))
    }

    /// Which hand it is, with the score of that: the larger of `right` and 1 - `right`.
    ///
    /// The network's output is the score of index 0 (`tensor/tensors_to_classification_calculator.cc`:
    /// `binary_classification`). tasks call index 0 "Right", and so do we. solutions call it "Left"
    /// (`modules/hand_landmark/handedness.txt`), for they take the picture to be mirrored, as from a selfie camera.
    #[must_use]
    pub fn handedness(&self) -> (Handedness, f64) {
        if self.right >= 0.5 { (Handedness::Right, self.right) } else { (Handedness::Left, 1.0 - self.right) }
    }
}

/// Of `3 * N_LANDMARKS` numbers.
fn points(values: &[f32]) -> [Point3; N_LANDMARKS] {
    let value = |i: usize| f64::from(values[i]);
    std::array::from_fn(|i| Point3 { x: value(3 * i), y: value(3 * i + 1), z: value(3 * i + 2) })
}

/// From pixels of the crop to pixels of the picture. `tensor/tensors_to_landmarks_calculator.cc`: x and y / 224, z / 224 /
/// 0.4; `util/landmark_letterbox_removal_calculator.cc` does nothing to a square;
/// `util/landmark_projection_calculator.cc`: as [`Region::point`], z times the region's width.
fn project(raw: &[Point3; N_LANDMARKS], region: &Region) -> [Point3; N_LANDMARKS] {
    let side = f64::from(LANDMARK_SIDE);
    raw.map(|p| {
        let at = region.point(p.x / side, p.y / side);
        Point3 { x: at.x, y: at.y, z: p.z / side / Z_SCALE * region.width }
    })
}

/// Turned by the region's rotation about z. `util/world_landmark_projection_calculator.cc`.
fn rotate_world(raw: &[Point3; N_LANDMARKS], region: &Region) -> [Point3; N_LANDMARKS] {
    let (sin, cos) = sin_cos(region.rotation);
    raw.map(|Point3 { x, y, z }| Point3 { x: cos * x - sin * y, y: sin * x + cos * y, z })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGION: Region = Region { x: 50.0, y: 60.0, width: 448.0, height: 448.0, rotation: 0.0 };

    #[test]
    fn landmarks_are_scaled_and_shifted() {
        let values: Vec<f32> = [113.0, 112.0, 0.4].repeat(N_LANDMARKS);
        let output = LandmarkOutput { landmarks: &values, presence: 0.75, right: 0.25, world: &values };
        let hand = Landmarks::new(&output, &REGION).unwrap().unwrap();
        let Point3 { x, y, z } = hand.landmarks[20];
        assert!((x - 52.0).abs() < 1e-12 && (y - 60.0).abs() < 1e-12 && (z - 2.0).abs() < 1e-6, "{x} {y} {z}");
        assert_eq!(hand.world[20], Point3 { x: 113.0, y: 112.0, z: f64::from(0.4f32) });
        assert_eq!((hand.presence, hand.handedness()), (0.75, (Handedness::Left, 0.75)));
    }

    #[test]
    fn numbers_that_are_not_finite_are_no_hand() {
        let zeros = [0.0; 3 * N_LANDMARKS];
        let good = LandmarkOutput { landmarks: &zeros, presence: 1.0, right: 1.0, world: &zeros };
        assert!(Landmarks::new(&good, &REGION).unwrap().is_some());
        for bad in [f32::NAN, f32::INFINITY] {
            let mut values = zeros;
            values[62] = bad;
            for output in [
                LandmarkOutput { landmarks: &values, ..good },
                LandmarkOutput { world: &values, ..good },
                LandmarkOutput { presence: bad, ..good },
                LandmarkOutput { right: bad, ..good },
            ] {
                assert_eq!(Landmarks::new(&output, &REGION).unwrap(), None);
            }
        }
    }

    #[test]
    fn other_sizes_are_an_error() {
        let zeros = [0.0; 3 * N_LANDMARKS];
        let good = LandmarkOutput { landmarks: &zeros, presence: 1.0, right: 1.0, world: &zeros };
        let error = |output: LandmarkOutput| Landmarks::new(&output, &REGION).unwrap_err().to_string();
        let short = LandmarkOutput { landmarks: &zeros[..62], ..good };
        assert_eq!(error(short), "landmarks: 62 numbers, needed are 63");
        let none = LandmarkOutput { world: &[], ..good };
        assert_eq!(error(none), "world landmarks: 0 numbers, needed are 63");
    }
}
