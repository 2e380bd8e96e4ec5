//! One palm for each cluster of overlapping ones.

use super::{Bounds, Palm, Point2, iou};
use crate::order::sort;

/// Two palms are one when they overlap more.
pub const SUPPRESSION_IOU: f64 = 0.3;

/// One palm for each cluster, the best first: the mean, weighted by scores, of those that overlap the best one, with the
/// best one's score.
///
/// In the order of falling scores; of equal scores the one that comes first is first here (MediaPipe's `std::sort` leaves
/// it open). A box without an area does not even overlap itself: it is kept as it is and ends the loop.
/// `util/non_max_suppression_calculator.cc`: WeightedNonMaxSuppression.
#[must_use]
pub fn suppress(palms: &[Palm]) -> Vec<Palm> {
    let mut rest: Vec<Palm> = palms.to_vec();
    sort(&mut rest, |a, b| a.score.total_cmp(&b.score).is_gt());
    let mut kept = Vec::new();
    while let Some(&best) = rest.first() {
        let (cluster, others): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|palm| iou(&palm.bounds, &best.bounds) > SUPPRESSION_IOU);
        if cluster.is_empty() {
            kept.push(best);
            break;
        }
        kept.push(mean(&cluster, best.score));
        rest = others;
    }
    kept
}

/// The mean of palms, weighted by their scores.
fn mean(palms: &[Palm], score: f64) -> Palm {
    let weights: f64 = palms.iter().map(|p| p.score).sum();
    let mean = |value: &dyn Fn(&Palm) -> f64| palms.iter().map(|p| value(p) * p.score).sum::<f64>() / weights;
    let bounds = Bounds {
        xmin: mean(&|p| p.bounds.xmin),
        ymin: mean(&|p| p.bounds.ymin),
        xmax: mean(&|p| p.bounds.xmax),
        ymax: mean(&|p| p.bounds.ymax),
    };
    let points = std::array::from_fn(|i| Point2 { x: mean(&|p| p.points[i].x), y: mean(&|p| p.points[i].y) });
    Palm { score, bounds, points }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn palm(x: f64, score: f64) -> Palm {
        let bounds = Bounds { xmin: x, ymin: 0.0, xmax: x + 1.0, ymax: 1.0 };
        Palm { score, bounds, points: [Point2 { x, y: x }; 7] }
    }

    #[test]
    fn a_cluster_is_its_weighted_mean() {
        let found = suppress(&[palm(5.0, 0.5), palm(0.0, 0.6), palm(0.1, 0.9)]);
        let x = (0.1 * 0.9) / 1.5;
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].score, found[1]), (0.9, palm(5.0, 0.5)));
        assert!((found[0].bounds.xmin - x).abs() < 1e-15 && (found[0].points[6].y - x).abs() < 1e-15);
    }

    #[test]
    fn those_that_overlap_by_the_threshold_stay_apart() {
        // Overlap 0.6 of 1.4 is 0.43, and 0.4 of 1.6 is 0.25.
        assert_eq!(suppress(&[palm(0.0, 0.9), palm(0.4, 0.8)]).len(), 1);
        assert_eq!(suppress(&[palm(0.0, 0.9), palm(0.6, 0.8)]).len(), 2);
    }

    #[test]
    fn boxes_without_area_end_the_loop() {
        let point = Palm { bounds: Bounds { xmin: 0.0, ymin: 0.0, xmax: 0.0, ymax: 0.0 }, ..palm(0.0, 0.7) };
        assert_eq!(suppress(&[palm(3.0, 0.6), point, palm(0.0, 0.9)]), [palm(0.0, 0.9), point]);
        assert_eq!(suppress(&[]), []);
    }
}
