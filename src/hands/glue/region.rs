//! Where in a picture the landmark network looks.

use std::f64::consts::PI;

use super::{Affine, Border, Bounds, Crop, LANDMARK_SIDE, N_LANDMARKS, Palm, Point2, Point3};
use crate::floats::{atan2, sin_cos};

/// Key points of a palm: centre of the wrist, base of the middle finger.
const PALM_WRIST: usize = 0;
const PALM_MIDDLE: usize = 2;
const PALM_SCALE: f64 = 2.6;
const PALM_SHIFT: f64 = -0.5;

/// Landmarks: the wrist, the bases of three fingers.
const WRIST: usize = 0;
const INDEX_MCP: usize = 5;
const MIDDLE_MCP: usize = 9;
const RING_MCP: usize = 13;
/// The wrist, the thumb up to its last joint, and the two joints nearest to the palm of each finger.
const STEADY_LANDMARKS: [usize; 12] = [0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18];
const LANDMARK_SCALE: f64 = 2.0;
const LANDMARK_SHIFT: f64 = -0.1;

/// A rotated rectangle of the picture, in its pixels. It may reach out of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// The centre.
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
    /// In radians; turns x towards y, which is clockwise as seen.
    pub rotation: f64,
}

impl Region {
    /// Where the hand of a palm is. The palm is in pixels of the picture.
    ///
    /// The line from the wrist to the base of the middle finger is upright in it. `util/detections_to_rects_calculator.cc`,
    /// `rotation_vector_target_angle_degrees` 90, as solutions set it. (tasks set `rotation_vector_target_angle` to 90,
    /// which is in radians: 116.6 degrees.)
    #[must_use]
    pub fn of_palm(palm: &Palm) -> Self {
        let (bounds, centre) = (&palm.bounds, palm.bounds.centre());
        let rotation = upright(palm.points[PALM_WRIST], palm.points[PALM_MIDDLE]);
        let (width, height) = (bounds.width(), bounds.height());
        Region { x: centre.x, y: centre.y, width, height, rotation }.enlarged(PALM_SCALE, PALM_SHIFT)
    }

    /// Where the hand is in the next picture of a video. Landmarks are in pixels of the picture.
    ///
    /// The smallest box, at the hand's rotation, around the 12 steady landmarks. The rotation makes upright the line from
    /// the wrist to the mean of the middle finger's base and the middle between those of the index and ring fingers. The
    /// source names these by their places among the 12, 4, 6 and 8: they are landmarks 5, 9 and 13.
    /// `modules/hand_landmark/calculators/hand_landmarks_to_rect_calculator.cc`. There the maxima start at the smallest
    /// positive float, which matters only to a hand that is wholly left of or above the picture.
    #[must_use]
    pub fn of_landmarks(landmarks: &[Point3; N_LANDMARKS]) -> Self {
        let [wrist, index, middle, ring] = [WRIST, INDEX_MCP, MIDDLE_MCP, RING_MCP].map(|i| landmarks[i].xy());
        let knuckles = between(between(index, ring), middle);
        let rotation = upright(wrist, knuckles);
        let (sin, cos) = sin_cos(rotation);

        let steady = STEADY_LANDMARKS.map(|i| landmarks[i].xy());
        let origin = Bounds::around(steady).centre();
        let turned = steady.map(|p| {
            let (x, y) = (p.x - origin.x, p.y - origin.y);
            Point2 { x: x * cos + y * sin, y: y * cos - x * sin }
        });
        let bounds = Bounds::around(turned);
        let Point2 { x, y } = bounds.centre();
        let (x, y) = (origin.x + x * cos - y * sin, origin.y + x * sin + y * cos);
        Region { x, y, width: bounds.width(), height: bounds.height(), rotation }
            .enlarged(LANDMARK_SCALE, LANDMARK_SHIFT)
    }

    /// The place of the picture that is (u, v) in the region: (0, 0) is the upper left corner, (1, 1) the lower right one.
    /// `tensor/image_to_tensor_utils.cc`: GetRotatedSubRectToRectTransformMatrix.
    #[must_use]
    pub fn point(&self, u: f64, v: f64) -> Point2 {
        let (across, down) = (self.width * (u - 0.5), self.height * (v - 0.5));
        let (sin, cos) = sin_cos(self.rotation);
        Point2 { x: self.x + across * cos - down * sin, y: self.y + across * sin + down * cos }
    }

    /// [`point`](Self::point) as a map from pixels of a crop of `side` x `side` to pixels of the picture. Its inverse is
    /// the way back.
    #[must_use]
    pub fn map(&self, side: u32) -> Affine {
        let (sin, cos) = sin_cos(self.rotation);
        let (across, down) = (self.width / f64::from(side), self.height / f64::from(side));
        let corner = self.point(0.0, 0.0);
        Affine { rows: [[across * cos, -down * sin, corner.x], [across * sin, down * cos, corner.y]] }
    }

    /// What the landmark network sees. MediaPipe's graph sets no border mode, which means BORDER_REPLICATE
    /// (`tensor/image_to_tensor_utils.cc`: GetBorderMode).
    #[must_use]
    pub fn crop(&self) -> Crop {
        Crop { map: self.map(LANDMARK_SIDE), border: Border::Replicate, side: LANDMARK_SIDE }
    }

    /// The rectangle before its rotation.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        let (across, down) = (self.width / 2.0, self.height / 2.0);
        Bounds { xmin: self.x - across, ymin: self.y - down, xmax: self.x + across, ymax: self.y + down }
    }

    /// Whether there is something to see: finite, with an area.
    #[must_use]
    pub fn has_area(&self) -> bool {
        let numbers = [self.x, self.y, self.width, self.height, self.rotation];
        numbers.iter().all(|v| v.is_finite()) && self.width > 0.0 && self.height > 0.0
    }

    /// A square of the long side times `scale`, its centre moved by `shift` times the height along the region's own y
    /// axis. The height is that before. `util/rect_transformation_calculator.cc`: TransformNormalizedRect with
    /// `square_long` and a `shift_x` of 0.
    fn enlarged(&self, scale: f64, shift: f64) -> Self {
        let down = self.height * shift;
        let side = self.width.max(self.height) * scale;
        let (sin, cos) = sin_cos(self.rotation);
        Region { x: self.x - down * sin, y: self.y + down * cos, width: side, height: side, rotation: self.rotation }
    }
}

fn between(a: Point2, b: Point2) -> Point2 {
    Point2 { x: (a.x + b.x) / 2.0, y: (a.y + b.y) / 2.0 }
}

/// The rotation of a region in which `end` is straight above `start`: 90 degrees less the angle of start -> end.
fn upright(start: Point2, end: Point2) -> f64 {
    wrapped(PI / 2.0 - atan2(start.y - end.y, end.x - start.x))
}

/// The angle in [-pi, pi). `util/rect_transformation_calculator.cc`: NormalizeRadians.
fn wrapped(angle: f64) -> f64 {
    angle - 2.0 * PI * ((angle + PI) / (2.0 * PI)).floor()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(x: f64, y: f64) -> Point2 {
        Point2 { x, y }
    }

    #[test]
    fn upright_is_clockwise() {
        let origin = point(3.0, 4.0);
        for (end, want) in [(point(3.0, 0.0), 0.0), (point(9.0, 4.0), PI / 2.0), (point(-9.0, 4.0), -PI / 2.0)] {
            assert!((upright(origin, end) - want).abs() < 1e-15, "{end:?}");
        }
        // Downwards it is either end of the range, by rounding; never out of it.
        assert!((upright(origin, point(3.0, 9.0)).abs() - PI).abs() < 1e-15);
        assert!(upright(origin, origin).is_finite());
    }

    #[test]
    fn the_map_is_that_of_points_and_has_an_inverse() {
        let region = Region { x: 40.0, y: -7.0, width: 60.0, height: 60.0, rotation: 0.7 };
        let map = region.map(224);
        for (u, v) in [(0.0, 0.0), (1.0, 0.0), (0.3, 0.9)] {
            let (at, want) = (point(u * 224.0, v * 224.0), region.point(u, v));
            assert!(map.apply(at).distance(want) < 1e-12);
            assert!(map.inverse().unwrap().apply(want).distance(at) < 1e-11);
        }
        assert!(map.apply(point(112.0, 112.0)).distance(point(40.0, -7.0)) < 1e-12);
    }

    #[test]
    fn a_palm_that_points_right_has_its_hand_on_the_right() {
        let bounds = Bounds { xmin: 100.0, ymin: 100.0, xmax: 120.0, ymax: 140.0 };
        let mut points = [point(110.0, 120.0); 7];
        points[PALM_MIDDLE] = point(130.0, 120.0);
        let region = Region::of_palm(&Palm { score: 1.0, bounds, points });
        assert!((region.x - 130.0).abs() < 1e-12 && (region.y - 120.0).abs() < 1e-12, "{region:?}");
        assert!((region.width - 104.0).abs() < 1e-12 && region.width == region.height);
        assert!((region.rotation - PI / 2.0).abs() < 1e-15);
    }

    #[test]
    fn landmarks_in_one_place_have_no_area() {
        let region = Region::of_landmarks(&[Point3 { x: 5.0, y: 6.0, z: 0.0 }; N_LANDMARKS]);
        assert_eq!((region.x, region.y, region.has_area()), (5.0, 6.0, false));
        assert!(!Region { x: f64::NAN, width: 1.0, height: 1.0, ..region }.has_area());
        assert!(Region { width: 1.0, height: 1.0, ..region }.has_area());
    }
}
