//! Two looks at one hand.

use super::{Bounds, N_LANDMARKS, Point2, Point3, iou};

/// The wrist, and the bases of the index and the little finger: the corners of the palm.
const PALM_CORNERS: [usize; 3] = [0, 5, 17];
/// Landmarks are near when their distance is below this part of the palm's size.
const NEAR: f64 = 0.2;
const MIN_NEAR_LANDMARKS: usize = 10;
const SAME_BOUNDS_IOU: f64 = 0.2;

/// Whether landmarks are of the same hand: 10 of 21 are near, and their boxes overlap.
/// `tasks/cc/vision/hand_landmarker/calculators/hand_landmarks_deduplication_calculator.cc`; solutions have no such step.
#[must_use]
pub fn is_same_hand(a: &[Point3; N_LANDMARKS], b: &[Point3; N_LANDMARKS]) -> bool {
    let (a, b) = (a.map(Point3::xy), b.map(Point3::xy));
    let near = NEAR * palm_size(&a).max(palm_size(&b));
    let n_near = a.iter().zip(&b).filter(|(a, b)| a.distance(**b) < near).count();
    n_near >= MIN_NEAR_LANDMARKS && iou(&Bounds::around(a), &Bounds::around(b)) > SAME_BOUNDS_IOU
}

/// The longest side of the palm's triangle.
fn palm_size(points: &[Point2; N_LANDMARKS]) -> f64 {
    let [wrist, index, pinky] = PALM_CORNERS.map(|i| points[i]);
    wrist.distance(index).max(index.distance(pinky)).max(pinky.distance(wrist))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Landmarks on a grid of 10 pixels; the palm's size is that from (0, 0) to (20, 30).
    fn hand(shift: f64) -> [Point3; N_LANDMARKS] {
        std::array::from_fn(|i| Point3 { x: (i % 5 * 10) as f64 + shift, y: (i / 5 * 10) as f64, z: 0.0 })
    }

    #[test]
    fn hands_are_told_apart_by_a_fifth_of_the_palm() {
        let near = NEAR * 20f64.hypot(30.0);
        assert!(is_same_hand(&hand(0.0), &hand(near - 0.01)));
        assert!(!is_same_hand(&hand(0.0), &hand(near + 0.01)));
    }

    #[test]
    fn ten_near_landmarks_make_a_hand() {
        for (n, want) in [(9, false), (10, true)] {
            let mut other = hand(0.0);
            // The far ones are still inside the box.
            other.iter_mut().skip(n).for_each(|p| p.y = if p.y < 20.0 { 40.0 } else { 0.0 });
            assert_eq!(is_same_hand(&hand(0.0), &other), want, "{n}");
        }
    }
}
