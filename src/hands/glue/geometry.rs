//! Points, boxes and affine maps of the plane.

/// A point of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point2 {
    pub x: f64,
    pub y: f64,
}

/// A landmark.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Point3 {
    pub x: f64,
    pub y: f64,
    pub z: f64,
}

impl Point2 {
    #[must_use]
    pub fn distance(self, other: Point2) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

impl Point3 {
    #[must_use]
    pub fn xy(self) -> Point2 {
        Point2 { x: self.x, y: self.y }
    }

    #[must_use]
    pub fn is_finite(self) -> bool {
        self.x.is_finite() && self.y.is_finite() && self.z.is_finite()
    }
}

/// An upright box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    pub xmin: f64,
    pub ymin: f64,
    pub xmax: f64,
    pub ymax: f64,
}

impl Bounds {
    /// The smallest box around points. Without any it is the empty box, whose minima are above its maxima.
    #[must_use]
    pub fn around(points: impl IntoIterator<Item = Point2>) -> Self {
        let empty = Bounds { xmin: f64::MAX, ymin: f64::MAX, xmax: f64::MIN, ymax: f64::MIN };
        points.into_iter().fold(empty, |b, p| Bounds {
            xmin: b.xmin.min(p.x),
            ymin: b.ymin.min(p.y),
            xmax: b.xmax.max(p.x),
            ymax: b.ymax.max(p.y),
        })
    }

    #[must_use]
    pub fn centre(&self) -> Point2 {
        Point2 { x: (self.xmin + self.xmax) / 2.0, y: (self.ymin + self.ymax) / 2.0 }
    }

    #[must_use]
    pub fn width(&self) -> f64 {
        self.xmax - self.xmin
    }

    #[must_use]
    pub fn height(&self) -> f64 {
        self.ymax - self.ymin
    }

    fn area(&self) -> f64 {
        self.width() * self.height()
    }
}

/// Intersection over union, in [0, 1]. Two boxes without area have 0. `util/rectangle_util.cc: CalculateIou`.
#[must_use]
pub fn iou(a: &Bounds, b: &Bounds) -> f64 {
    let width = a.xmax.min(b.xmax) - a.xmin.max(b.xmin);
    let height = a.ymax.min(b.ymax) - a.ymin.max(b.ymin);
    if width < 0.0 || height < 0.0 {
        return 0.0;
    }
    let union = a.area() + b.area() - width * height;
    if union > 0.0 { width * height / union } else { 0.0 }
}

/// `x' = a x + b y + c` and `y' = d x + e y + f`, as the rows `[a, b, c]` and `[d, e, f]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    pub rows: [[f64; 3]; 2],
}

impl Affine {
    #[must_use]
    pub fn apply(&self, p: Point2) -> Point2 {
        let [[a, b, c], [d, e, f]] = self.rows;
        Point2 { x: a * p.x + b * p.y + c, y: d * p.x + e * p.y + f }
    }

    /// The map back, or `None` where the map flattens the plane or is not finite.
    #[must_use]
    pub fn inverse(&self) -> Option<Affine> {
        let [[a, b, c], [d, e, f]] = self.rows;
        let determinant = a * e - b * d;
        let [[a, b], [d, e]] = [[e / determinant, -b / determinant], [-d / determinant, a / determinant]];
        let inverse = Affine { rows: [[a, b, -(a * c + b * f)], [d, e, -(d * c + e * f)]] };
        inverse.rows.as_flattened().iter().all(|v| v.is_finite()).then_some(inverse)
    }

    /// Row by row, for a kernel.
    #[must_use]
    pub fn to_f32(&self) -> [f32; 6] {
        let [[a, b, c], [d, e, f]] = self.rows;
        [a, b, c, d, e, f].map(|v| v as f32)
    }
}

/// What a crop has where it lies outside of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Border {
    /// 0. A place inside is not blended with it.
    Zero,
    /// The nearest pixel.
    Replicate,
}

/// A square image to cut from a picture: what a network sees.
///
/// The centre of pixel (i, j) of the crop is at `map.apply(i + 0.5, j + 0.5)` of the picture, where the picture is
/// bilinear between the centres of its pixels and clamped to its edge. [`Picture::sample`](super::Picture::sample) is the
/// reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crop {
    /// From pixels of the crop to pixels of the picture.
    pub map: Affine,
    pub border: Border,
    /// Pixels a side.
    pub side: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Bounds = Bounds { xmin: 0.0, ymin: 0.0, xmax: 1.0, ymax: 1.0 };

    #[test]
    fn iou_of_known_boxes() {
        assert_eq!(iou(&UNIT, &UNIT), 1.0);
        let half = Bounds { xmin: 0.5, xmax: 1.5, ..UNIT };
        assert!((iou(&UNIT, &half) - 1.0 / 3.0).abs() < 1e-15);
        assert_eq!(iou(&UNIT, &Bounds { xmin: 1.0, xmax: 2.0, ..UNIT }), 0.0);
        assert_eq!(iou(&UNIT, &Bounds { xmin: 2.0, xmax: 3.0, ..UNIT }), 0.0);
        let line = Bounds { xmax: 0.0, ..UNIT };
        assert_eq!(iou(&line, &line), 0.0);
    }

    #[test]
    fn an_inverse_goes_back_and_a_flat_map_has_none() {
        let map = Affine { rows: [[2.0, -0.5, 7.0], [0.25, 3.0, -4.0]] };
        let back = map.inverse().unwrap().apply(map.apply(Point2 { x: 13.0, y: -5.0 }));
        assert!(back.distance(Point2 { x: 13.0, y: -5.0 }) < 1e-12);
        for flat in [[[1.0, 2.0, 0.0], [2.0, 4.0, 0.0]], [[0.0; 3]; 2], [[f64::NAN; 3]; 2]] {
            assert_eq!(Affine { rows: flat }.inverse(), None);
        }
    }
}
