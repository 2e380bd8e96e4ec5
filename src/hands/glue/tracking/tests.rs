//! The tracker against networks that see what a scene says.

use super::*;
use crate::hands::glue::{Bounds, Handedness, LANDMARK_SIDE, N_LANDMARKS, PALM_SIDE, Point2, Point3};

const WIDTH: u32 = 640;
const HEIGHT: u32 = 480;
const FRAME: f64 = 1.0 / 30.0;

/// Landmarks of an upright open hand, from the middle of the palm, in units of the palm's height.
#[rustfmt::skip]
const SHAPE: [[f64; 2]; N_LANDMARKS] = [
    [0.0, 0.5], [-0.3, 0.35], [-0.5, 0.1], [-0.65, -0.1], [-0.8, -0.3],
    [-0.3, -0.5], [-0.33, -0.8], [-0.35, -1.0], [-0.36, -1.2],
    [0.0, -0.55], [0.0, -0.9], [0.0, -1.1], [0.0, -1.3],
    [0.22, -0.5], [0.25, -0.8], [0.27, -1.0], [0.28, -1.15],
    [0.4, -0.35], [0.48, -0.6], [0.5, -0.75], [0.52, -0.9],
];
const SIZE: f64 = 80.0;

/// A hand of the scene.
#[derive(Clone, Copy)]
struct Actor {
    /// The middle of its palm, in pixels.
    at: Point2,
    right: f32,
}

impl Actor {
    fn new(x: f64, y: f64, right: f32) -> Self {
        Actor { at: Point2 { x, y }, right }
    }

    fn landmarks(&self) -> [Point2; N_LANDMARKS] {
        SHAPE.map(|[x, y]| Point2 { x: self.at.x + x * SIZE, y: self.at.y + y * SIZE })
    }

    /// As the palm network would have it, relative to the letterbox.
    fn palm(&self, score: f64) -> Palm {
        let back = Letterbox::new(WIDTH, HEIGHT).unwrap().crop().map.inverse().unwrap();
        let relative = |x: f64, y: f64| {
            let p = back.apply(Point2 { x: self.at.x + x * SIZE, y: self.at.y + y * SIZE });
            Point2 { x: p.x / f64::from(PALM_SIDE), y: p.y / f64::from(PALM_SIDE) }
        };
        let (low, high) = (relative(-0.5, -0.5), relative(0.5, 0.5));
        let mut points = [relative(0.0, 0.0); 7];
        (points[0], points[2]) = (relative(0.0, 0.5), relative(0.0, -0.5));
        Palm { score, bounds: Bounds { xmin: low.x, ymin: low.y, xmax: high.x, ymax: high.y }, points }
    }
}

/// Numbers of the landmark network.
struct Seen {
    landmarks: Vec<f32>,
    presence: f32,
    right: f32,
}

impl Seen {
    fn output(&self) -> LandmarkOutput<'_> {
        LandmarkOutput {
            landmarks: &self.landmarks,
            presence: self.presence,
            right: self.right,
            world: &self.landmarks,
        }
    }
}

/// The landmark network sees the hand whose palm is nearest to where the region's would be, if it is inside.
fn look(scene: &[Actor], region: &Region) -> Seen {
    let back = region.map(LANDMARK_SIDE).inverse().unwrap();
    let middle = |actor: &&Actor| back.apply(actor.at).distance(Point2 { x: 112.0, y: 140.0 });
    let nearest = scene.iter().min_by(|a, b| middle(a).total_cmp(&middle(b))).filter(|actor| middle(actor) < 80.0);
    let Some(actor) = nearest else { return Seen { landmarks: vec![0.0; 63], presence: 0.01, right: 0.5 } };
    let landmarks =
        actor.landmarks().map(|p| back.apply(p)).iter().flat_map(|p| [p.x as f32, p.y as f32, 0.0]).collect();
    Seen { landmarks, presence: 0.99, right: actor.right }
}

/// What happened in a picture.
struct Played {
    ran_palms: bool,
    n_regions: usize,
    hands: Vec<Hand>,
}

/// A picture of a scene at 30 a second.
fn play(tracker: &mut Tracker, number: u32, scene: &[Actor]) -> Played {
    let work = tracker.begin(WIDTH, HEIGHT, f64::from(number) * FRAME).unwrap();
    let mut regions = work.regions;
    if work.palms.is_some() {
        let palms: Vec<Palm> = scene.iter().flat_map(|actor| [actor.palm(0.9), actor.palm(0.8)]).collect();
        regions.extend(tracker.detected(&palms).unwrap());
    }
    let seen: Vec<Seen> = regions.iter().map(|region| look(scene, region)).collect();
    let hands = tracker.finish(&seen.iter().map(Seen::output).collect::<Vec<_>>()).unwrap();
    Played { ran_palms: work.palms.is_some(), n_regions: regions.len(), hands }
}

fn tracker(max_hands: u32) -> Tracker {
    Tracker::new(Options { max_hands, ..Options::default() }).unwrap()
}

fn wrist(hand: &Hand) -> Point2 {
    let Point3 { x, y, .. } = hand.landmarks[0];
    Point2 { x: x * f64::from(WIDTH), y: y * f64::from(HEIGHT) }
}

#[test]
fn a_tracked_hand_needs_no_palms_until_it_is_lost_and_is_found_again() {
    let mut tracker = tracker(1);
    let hand = [Actor::new(300.0, 250.0, 0.9)];
    let runs: Vec<_> = [&[][..], &hand, &hand, &hand, &[], &[], &hand, &hand]
        .iter()
        .zip(0..)
        .map(|(scene, i)| play(&mut tracker, i, scene))
        .map(|p| (p.ran_palms, p.n_regions, p.hands.len()))
        .collect();
    // The picture in which a hand is lost still looks for it where it was, and palms are looked for from the next one on.
    assert_eq!(
        runs,
        [
            (true, 0, 0),
            (true, 1, 1),
            (false, 1, 1),
            (false, 1, 1),
            (false, 1, 0),
            (true, 0, 0),
            (true, 1, 1),
            (false, 1, 1)
        ]
    );
}

#[test]
fn a_palm_where_a_hand_is_tracked_is_no_new_hand() {
    let mut tracker = tracker(2);
    let hand = [Actor::new(300.0, 250.0, 0.9)];
    for i in 0..4 {
        let played = play(&mut tracker, i, &hand);
        assert_eq!((played.ran_palms, played.n_regions, played.hands.len()), (true, 1, 1), "picture {i}");
        assert!(wrist(&played.hands[0]).distance(hand[0].landmarks()[0]) < 1e-3);
        assert_eq!(played.hands[0].handedness, Handedness::Right);
    }
}

#[test]
fn a_second_hand_joins_the_first() {
    let mut tracker = tracker(2);
    let (left, right) = (Actor::new(150.0, 250.0, 0.1), Actor::new(450.0, 250.0, 0.9));
    play(&mut tracker, 0, &[right]);
    for i in 1..3 {
        let played = play(&mut tracker, i, &[left, right]);
        let names: Vec<_> = played.hands.iter().map(|hand| hand.handedness).collect();
        assert_eq!(names, [Handedness::Right, Handedness::Left], "the tracked one is first");
        assert_eq!(played.ran_palms, i == 1);
    }
}

#[test]
fn hands_that_cross_keep_their_places_or_are_found_again() {
    let mut tracker = tracker(2);
    // They pass each other, one 60 pixels below the other.
    let scene = |i: u32| {
        let x = 120.0 + 8.0 * f64::from(i);
        [Actor::new(x, 220.0, 0.9), Actor::new(640.0 - x, 280.0, 0.1)]
    };
    for i in 0..=50 {
        let (scene, hands) = (scene(i), play(&mut tracker, i, &scene(i)).hands);
        assert!(hands.len() <= 2);
        // No hand is there twice, and what is there is where its hand is.
        let which = hands.iter().map(|hand| usize::from(hand.handedness == Handedness::Left)).collect::<Vec<_>>();
        assert!(which.len() < 2 || which[0] != which[1], "picture {i}: {which:?}");
        for (hand, which) in hands.iter().zip(which) {
            assert!(wrist(hand).distance(scene[which].landmarks()[0]) < 1e-3, "picture {i}");
        }
        if i < 20 || i == 50 {
            assert_eq!(hands.len(), 2, "picture {i}");
        }
    }
}

#[test]
fn two_regions_on_one_hand_become_one_hand() {
    let mut tracker = tracker(2);
    let (a, b) = (Actor::new(150.0, 250.0, 0.1), Actor::new(450.0, 250.0, 0.9));
    play(&mut tracker, 0, &[a, b]);
    // Both regions are looked at, and the network sees the same hand in both.
    let work = tracker.begin(WIDTH, HEIGHT, FRAME).unwrap();
    assert_eq!((work.palms, work.regions.len()), (None, 2));
    let seen: Vec<Seen> = work
        .regions
        .iter()
        .map(|region| {
            let back = region.map(LANDMARK_SIDE).inverse().unwrap();
            let landmarks =
                a.landmarks().map(|p| back.apply(p)).iter().flat_map(|p| [p.x as f32, p.y as f32, 0.0]).collect();
            Seen { landmarks, presence: 0.9, right: 0.1 }
        })
        .collect();
    assert_eq!(tracker.finish(&seen.iter().map(Seen::output).collect::<Vec<_>>()).unwrap().len(), 1);
    assert_eq!(tracker.begin(WIDTH, HEIGHT, 2.0 * FRAME).unwrap().regions.len(), 1);
}

#[test]
fn there_are_max_hands_at_most() {
    let scene: Vec<Actor> = (0..6).map(|i| Actor::new(60.0 + 104.0 * f64::from(i), 250.0, 0.9)).collect();
    for max_hands in [1, 3, 8] {
        let mut tracker = tracker(max_hands);
        for i in 0..3 {
            let played = play(&mut tracker, i, &scene);
            let want = scene.len().min(max_hands as usize);
            assert_eq!((played.n_regions, played.hands.len()), (want, want));
            assert_eq!(played.ran_palms, i == 0 || max_hands == 8);
        }
    }
}

#[test]
fn presence_is_above_the_threshold() {
    for (presence, want) in [(0.5, 0), (0.5f32.next_up(), 1), (f32::NAN, 0)] {
        let mut tracker = tracker(1);
        tracker.begin(WIDTH, HEIGHT, 0.0).unwrap();
        let actor = Actor::new(300.0, 250.0, 0.9);
        let region = tracker.detected(&[actor.palm(0.9)]).unwrap()[0];
        let seen = Seen { presence, ..look(&[actor], &region) };
        assert_eq!(tracker.finish(&[seen.output()]).unwrap().len(), want, "{presence}");
    }
}

#[test]
fn a_reset_and_no_palms_leave_nothing() {
    let mut tracker = tracker(1);
    let hand = [Actor::new(300.0, 250.0, 0.9)];
    play(&mut tracker, 0, &hand);
    tracker.reset();
    let work = tracker.begin(WIDTH, HEIGHT, 1.0).unwrap();
    assert_eq!((work.palms.is_some(), work.regions.len()), (true, 0));
    assert_eq!(tracker.detected(&[]).unwrap(), []);
    assert_eq!(tracker.finish(&[]).unwrap(), []);
}

#[test]
fn a_palm_without_area_is_not_looked_at() {
    let mut tracker = tracker(2);
    tracker.begin(WIDTH, HEIGHT, 0.0).unwrap();
    let actor = Actor::new(300.0, 250.0, 0.9);
    let point = Palm { bounds: Bounds { xmin: 0.5, ymin: 0.5, xmax: 0.5, ymax: 0.5 }, ..actor.palm(0.7) };
    assert_eq!(tracker.detected(&[point, actor.palm(0.9)]).unwrap().len(), 1);
}

#[test]
fn what_comes_out_of_turn_is_an_error() {
    let mut tracker = tracker(1);
    let message = |result: Result<Vec<Hand>>| result.unwrap_err().to_string();
    assert_eq!(message(tracker.finish(&[])), "landmarks came, but no picture was begun");
    assert!(tracker.detected(&[]).is_err());
    assert!(tracker.begin(0, 480, 0.0).is_err());
    assert!(tracker.begin(WIDTH, HEIGHT, f64::NAN).is_err());
    tracker.begin(WIDTH, HEIGHT, 0.0).unwrap();
    assert_eq!(message(tracker.finish(&[])), "landmarks came, but the picture waits for palms");
    let actor = Actor::new(300.0, 250.0, 0.9);
    let region = tracker.detected(&[actor.palm(0.9)]).unwrap()[0];
    assert_eq!(tracker.detected(&[]).unwrap_err().to_string(), "palms came, but no picture waits for palms");
    assert_eq!(message(tracker.finish(&[])), "landmarks of 0 regions came, needed are 1");
    let seen = look(&[actor], &region);
    let short = LandmarkOutput { landmarks: &[0.0], ..seen.output() };
    assert_eq!(message(tracker.finish(&[short])), "landmarks: 1 numbers, needed are 63");
    assert_eq!(tracker.finish(&[seen.output()]).unwrap().len(), 1, "the picture can still be finished");
}

#[test]
fn smoothing_follows_each_hand_and_begins_anew_when_time_goes_back() {
    let smoothing = Smoothing::default();
    let mut smooth = Tracker::new(Options { smoothing: Some(smoothing), ..Options::default() }).unwrap();
    let mut plain = tracker(2);
    let distance = |a: &Played, b: &Played, i: usize| wrist(&a.hands[i]).distance(wrist(&b.hands[i]));
    // One hand shakes, one moves steadily.
    let scene = |i: u32| {
        let shake = if i.is_multiple_of(2) { 0.5 } else { -0.5 };
        [Actor::new(150.0 + shake, 250.0, 0.1), Actor::new(350.0 + 4.0 * f64::from(i), 250.0, 0.9)]
    };
    let mut first = Vec::new();
    for i in 0..30 {
        let (a, b) = (play(&mut smooth, i, &scene(i)), play(&mut plain, i, &scene(i)));
        first.push(wrist(&a.hands[0]).x);
        let lag = distance(&a, &b, 1);
        assert!(if i == 0 { lag == 0.0 } else { lag > 0.1 && lag < 8.0 }, "picture {i}: {lag}");
    }
    let shake = first[20..].iter().fold(0f64, |most, x| most.max((x - 150.0).abs()));
    assert!(shake < 0.25, "shakes by {shake} of 0.5");
    // The same time once more.
    let (a, b) = (play(&mut smooth, 29, &scene(31)), play(&mut plain, 29, &scene(31)));
    assert!(distance(&a, &b, 0) == 0.0 && distance(&a, &b, 1) == 0.0);
}
