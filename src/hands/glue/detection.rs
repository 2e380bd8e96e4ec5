//! Palms from the numbers of the palm network.

use super::{Bounds, N_ANCHORS, PALM_SIDE, Point2, anchor};
use crate::Result;
use crate::error::bail;

/// Key points of a palm: wrist, bases of the index, middle, ring and little finger, two joints of the thumb.
pub const N_PALM_POINTS: usize = 7;
/// Numbers of a palm in a row of the network: centre x and y, width, height, then x and y of the key points.
pub const PALM_VALUES: usize = 4 + 2 * N_PALM_POINTS;

const SCORE_CLIP: f64 = 100.0;

/// A palm: the hand without its fingers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Palm {
    /// In [0, 1].
    pub score: f64,
    pub bounds: Bounds,
    pub points: [Point2; N_PALM_POINTS],
}

/// The palms of all anchors with a score of `min_score` and more, in the anchors' order, relative to the letterboxed
/// input: (0, 0) is its upper left corner, (1, 1) its lower right one.
///
/// `boxes` is `(N_ANCHORS, PALM_VALUES)`, `scores` is `(N_ANCHORS)`, both as the network gives them.
///
/// # Errors
/// `InvalidArgument` for other sizes.
pub fn decode(boxes: &[f32], scores: &[f32], min_score: f64) -> Result<Vec<Palm>> {
    let (rows, rest) = boxes.as_chunks::<PALM_VALUES>();
    if rows.len() != N_ANCHORS || !rest.is_empty() || scores.len() != N_ANCHORS {
        let (n_boxes, n_scores) = (boxes.len(), scores.len());
        bail!(
            InvalidArgument,
            "palm network's outputs: {n_boxes} and {n_scores} numbers, needed are {} and {N_ANCHORS}",
            N_ANCHORS * PALM_VALUES
        );
    }
    let palm = |(i, (row, &score))| decode_row(i, row, score, min_score);
    Ok(rows.iter().zip(scores).enumerate().filter_map(palm).collect())
}

/// The palm of one anchor, as [`decode`] has it; `None` below `min_score`, with a negative size, with a number that is
/// not finite, and for an anchor that there is not.
///
/// `row` is in pixels of the network's input, centre and key points from the anchor's centre (`reverse_output_order`: x
/// before y); `score` is before the sigmoid. `tensor/tensors_to_detections_calculator.cc`: DecodeBoxes, ProcessCPU,
/// ConvertToDetections.
#[must_use]
pub fn decode_row(index: usize, row: &[f32; PALM_VALUES], score: f32, min_score: f64) -> Option<Palm> {
    let score = 1.0 / (1.0 + (-f64::from(score).clamp(-SCORE_CLIP, SCORE_CLIP)).exp());
    // A score that is not a number is not above the threshold either.
    if !(score >= min_score && row.iter().all(|v| v.is_finite())) {
        return None;
    }
    let centre = anchor(index)?;
    let value = |i: usize| f64::from(row[i]) / f64::from(PALM_SIDE);
    let point = |i: usize| Point2 { x: value(i) + centre.x, y: value(i + 1) + centre.y };
    let (middle, width, height) = (point(0), value(2), value(3));
    let bounds = Bounds {
        xmin: middle.x - width / 2.0,
        ymin: middle.y - height / 2.0,
        xmax: middle.x + width / 2.0,
        ymax: middle.y + height / 2.0,
    };
    let points = std::array::from_fn(|i| point(4 + 2 * i));
    (width >= 0.0 && height >= 0.0).then_some(Palm { score, bounds, points })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: [f32; PALM_VALUES] = [19.2, -19.2, 38.4, 19.2, 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.];

    fn outputs(at: usize, row: [f32; PALM_VALUES], score: f32) -> (Vec<f32>, Vec<f32>) {
        let (mut boxes, mut scores) = (vec![0.0; N_ANCHORS * PALM_VALUES], vec![-50.0; N_ANCHORS]);
        boxes[at * PALM_VALUES..][..PALM_VALUES].copy_from_slice(&row);
        scores[at] = score;
        (boxes, scores)
    }

    #[test]
    fn a_row_is_relative_to_its_anchor() {
        let (boxes, scores) = outputs(2015, ROW, 0.0);
        let palms = decode(&boxes, &scores, 0.5).unwrap();
        let [palm] = palms[..] else { panic!("{palms:?}") };
        let centre = 11.5 / 12.0;
        assert_eq!(palm.score, 0.5);
        assert_eq!(palm.points, [Point2 { x: centre, y: centre }; N_PALM_POINTS]);
        let want = [centre, centre - 0.15, centre + 0.2, centre - 0.05];
        let got = [palm.bounds.xmin, palm.bounds.ymin, palm.bounds.xmax, palm.bounds.ymax];
        assert!(got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-7), "{got:?} {want:?}");
    }

    #[test]
    fn a_score_is_clipped_and_compared() {
        assert_eq!(decode_row(0, &ROW, -1e-3, 0.5), None);
        assert!(decode_row(0, &ROW, -1e-3, 0.49).is_some());
        assert_eq!(decode_row(0, &ROW, f32::INFINITY, 0.5), decode_row(0, &ROW, 100.0, 0.5));
        assert_eq!(decode_row(0, &ROW, f32::NEG_INFINITY, 0.0).unwrap().score, 1.0 / (1.0 + 100f64.exp()));
        assert_eq!(decode(&[0.0; N_ANCHORS * PALM_VALUES], &[-9.0; N_ANCHORS], 0.5).unwrap(), []);
    }

    #[test]
    fn what_is_no_palm() {
        assert_eq!(decode_row(0, &ROW, f32::NAN, 0.0), None);
        assert_eq!(decode_row(N_ANCHORS, &ROW, 9.0, 0.5), None);
        for (at, bad) in (0..PALM_VALUES).flat_map(|at| [f32::NAN, f32::INFINITY].map(|bad| (at, bad))) {
            let mut row = ROW;
            row[at] = bad;
            assert_eq!(decode_row(0, &row, 9.0, 0.5), None, "{bad} at {at}");
        }
        for at in [2, 3] {
            let mut row = ROW;
            row[at] = -1.0;
            assert_eq!(decode_row(0, &row, 9.0, 0.5), None, "a negative size");
        }
    }

    #[test]
    fn other_sizes_are_an_error() {
        let e = decode(&[0.0; 18], &[0.0; 1], 0.5).unwrap_err();
        assert_eq!(e.to_string(), "palm network's outputs: 18 and 1 numbers, needed are 36288 and 2016");
        assert!(decode(&[0.0; N_ANCHORS * PALM_VALUES + 1], &[0.0; N_ANCHORS], 0.5).is_err());
    }
}
