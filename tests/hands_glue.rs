//! The hand pipeline between the networks, step by step, against `scripts/hands/glue.py` on what the networks gave for
//! real pictures. `tests/fixtures/hands/` has the references, `scripts/hands/references.py` says what is in them.

#[allow(dead_code, reason = "each test uses some of it")]
#[path = "common/data.rs"]
mod data;
#[path = "common/pictures.rs"]
mod pictures;
#[path = "common/shared.rs"]
mod shared;
#[path = "common/transforms.rs"]
mod transforms;

use std::fs;

use data::{Npy, repository};
use pictures::Rgb;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shared::shared;
use transforms::{Transform, checksum, places};
use webgguf::hands::glue::{
    Crop, Hand, Handedness, LandmarkOutput, Landmarks, Letterbox, N_ANCHORS, Options, PALM_VALUES, Palm, Picture,
    Point3, Region, Tracker, decode, suppress,
};

// References have 9 digits: numbers below 1 are exact to 5e-10 and pixels below 1000 to 5e-7. Where a step starts from the
// reference of the one before, both are rounded.
/// Relative to a network's input or in metres.
const RELATIVE: f64 = 1e-9;
/// In pixels of a picture; regions' rotations, too.
const PIXELS: f64 = 2e-6;
/// Of colours in [0, 1]: references are f32, and a place that is off by 5e-7 pixels changes a colour by as much.
const COLOUR: f64 = 1e-6;
const SAMPLES: usize = 200;

#[derive(Deserialize)]
struct Reference {
    picture: [u32; 2],
    letterbox: [f64; 5],
    candidates: Candidates,
    suppressed: Vec<Vec<f64>>,
    palms: Vec<Vec<f64>>,
    photo: Vec<HandReference>,
    video: Vec<HandReference>,
}

#[derive(Deserialize)]
struct Candidates {
    anchor: Vec<usize>,
    raw: Vec<Vec<f32>>,
    palms: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct HandReference {
    region: [f64; 5],
    raw: Raw,
    label: String,
    landmarks: Vec<[f64; 3]>,
    world: Vec<[f64; 3]>,
    next_region: [f64; 5],
}

#[derive(Deserialize)]
struct Raw {
    landmarks: Vec<f32>,
    presence: f32,
    right: f32,
    world: Vec<f32>,
}

impl Reference {
    /// The palm network's outputs: rows of other anchors are far below the threshold.
    fn palm_outputs(&self) -> (Vec<f32>, Vec<f32>) {
        let (mut boxes, mut scores) = (vec![0.0; N_ANCHORS * PALM_VALUES], vec![-20.0; N_ANCHORS]);
        for (&anchor, raw) in self.candidates.anchor.iter().zip(&self.candidates.raw) {
            scores[anchor] = raw[0];
            boxes[anchor * PALM_VALUES..][..PALM_VALUES].copy_from_slice(&raw[1..]);
        }
        (boxes, scores)
    }

    fn found(&self) -> Vec<Palm> {
        let (boxes, scores) = self.palm_outputs();
        decode(&boxes, &scores, Options::default().min_detection_score).unwrap()
    }

    fn square(&self) -> Letterbox {
        let [width, height] = self.picture;
        Letterbox::new(width, height).unwrap()
    }
}

impl HandReference {
    fn output(&self) -> LandmarkOutput<'_> {
        let Raw { landmarks, presence, right, world } = &self.raw;
        LandmarkOutput { landmarks, presence: *presence, right: *right, world }
    }

    fn region(&self) -> Region {
        let [x, y, width, height, rotation] = self.region;
        Region { x, y, width, height, rotation }
    }
}

fn fixture<T: DeserializeOwned>(name: &str) -> T {
    let path = repository().join("tests/fixtures/hands").join(name);
    serde_json::from_slice(&fs::read(&path).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn references() -> Vec<(String, Reference)> {
    let names = ["lite", "full"].map(|pair| ["four", "rock", "both"].map(|picture| format!("{pair}-{picture}")));
    names.into_iter().flatten().map(|name| (name.clone(), fixture(&format!("{name}.json")))).collect()
}

/// The pictures of the references by name, or a visible SKIP.
fn picture(name: &str) -> Option<Rgb> {
    let read = |name: &str| Some(Rgb::read(&shared(&format!("vision/hands/hand_{name}_crop.png"))?));
    match name {
        "both" => Some(Rgb::side_by_side(&read("four")?, &read("rock")?)),
        name => read(name),
    }
}

/// The largest differences of each step.
#[derive(Default)]
struct Worst(Vec<(&'static str, f64, f64)>);

impl Worst {
    /// Fails beyond the tolerance.
    fn compare(&mut self, step: &'static str, tolerance: f64, got: &[f64], want: &[f64]) {
        assert_eq!(got.len(), want.len(), "{step}");
        let differences = got.iter().zip(want).map(|(g, w)| (g - w).abs());
        // A difference that is not a number fails, too.
        let worst = differences.fold(0.0, |most, d| if d <= most { most } else { d });
        assert!(worst <= tolerance, "{step}: off by {worst:.2e}, {tolerance:.0e} is allowed\n{got:?}\n{want:?}");
        match self.0.iter_mut().find(|(name, ..)| *name == step) {
            Some((_, most, _)) => *most = most.max(worst),
            None => self.0.push((step, worst, tolerance)),
        }
    }

    fn print(&self) {
        for (step, worst, tolerance) in &self.0 {
            println!("{step}: off by {worst:.1e} at most, {tolerance:.0e} is allowed");
        }
    }
}

fn palm_numbers(palm: &Palm) -> Vec<f64> {
    let bounds = &palm.bounds;
    let mut numbers = vec![palm.score, bounds.xmin, bounds.ymin, bounds.xmax, bounds.ymax];
    numbers.extend(palm.points.iter().flat_map(|p| [p.x, p.y]));
    numbers
}

fn all_palm_numbers(palms: &[Palm]) -> Vec<f64> {
    palms.iter().flat_map(palm_numbers).collect()
}

fn region_numbers(region: &Region) -> [f64; 5] {
    [region.x, region.y, region.width, region.height, region.rotation]
}

fn numbers(points: &[Point3]) -> Vec<f64> {
    points.iter().flat_map(|p| [p.x, p.y, p.z]).collect()
}

#[test]
fn palms_agree() {
    let mut worst = Worst::default();
    for (name, want) in references() {
        let found = want.found();
        assert_eq!(found.len(), want.candidates.anchor.len(), "{name}");
        worst.compare("decoded palms", RELATIVE, &all_palm_numbers(&found), &want.candidates.palms.concat());
        let palms = suppress(&found);
        worst.compare("suppressed palms", RELATIVE, &all_palm_numbers(&palms), &want.suppressed.concat());
        let square = want.square();
        worst.compare("letterbox", 0.0, &region_numbers(&square.square()), &want.letterbox);
        let palms: Vec<Palm> = palms.iter().map(|palm| square.to_picture(palm)).collect();
        worst.compare("palms in the picture", PIXELS, &all_palm_numbers(&palms), &want.palms.concat());
        println!("{name}: {} candidates, {} palms", found.len(), palms.len());
    }
    worst.print();
}

#[test]
fn landmarks_agree() {
    let mut worst = Worst::default();
    let mut labels = [0, 0];
    for (name, reference) in references() {
        for want in reference.photo.iter().chain(&reference.video) {
            let got = Landmarks::new(&want.output(), &want.region()).unwrap().unwrap();
            worst.compare("landmarks", PIXELS, &numbers(&got.landmarks), &want.landmarks.concat());
            worst.compare("world landmarks", RELATIVE, &numbers(&got.world), &want.world.concat());
            let next = Region::of_landmarks(&got.landmarks);
            worst.compare("regions of landmarks", PIXELS, &region_numbers(&next), &want.next_region);
            let (handedness, score) = got.handedness();
            let right = f64::from(want.raw.right);
            let (want_score, count) = if want.label == "Right" { (right, 1) } else { (1.0 - right, 0) };
            assert_eq!(format!("{handedness:?}"), want.label, "{name}");
            worst.compare("handedness", 0.0, &[score], &[want_score]);
            labels[count] += 1;
        }
    }
    assert!(labels[0] > 0 && labels[1] > 0, "left and right: {labels:?}");
    worst.print();
}

/// A picture, and the same once more as the next of a video.
#[test]
fn tracking_agrees() {
    let mut worst = Worst::default();
    for (name, want) in references() {
        let mut tracker = Tracker::new(Options::default()).unwrap();
        let [width, height] = want.picture;
        for (seconds, hands) in [(0.0, &want.photo), (1.0, &want.video)] {
            let work = tracker.begin(width, height, seconds).unwrap();
            let is_photo = seconds == 0.0;
            assert_eq!(work.regions.len(), if is_photo { 0 } else { want.photo.len() }, "{name}");
            assert_eq!(work.palms.is_some(), work.regions.len() < 2, "{name}");
            let mut regions = work.regions;
            if work.palms.is_some() {
                regions.extend(tracker.detected(&want.found()).unwrap());
            }
            let wanted: Vec<f64> = hands.iter().flat_map(|hand| hand.region).collect();
            let regions: Vec<f64> = regions.iter().flat_map(region_numbers).collect();
            worst.compare(if is_photo { "regions of palms" } else { "tracked regions" }, PIXELS, &regions, &wanted);

            let outputs: Vec<LandmarkOutput> = hands.iter().map(HandReference::output).collect();
            let found = tracker.finish(&outputs).unwrap();
            assert_eq!(found.len(), hands.len(), "{name}");
            for (hand, want) in found.iter().zip(hands) {
                compare_hand(&mut worst, hand, want, [width, height].map(f64::from));
            }
        }
        println!("{name}: {} hands", want.photo.len());
    }
    worst.print();
}

fn compare_hand(worst: &mut Worst, hand: &Hand, want: &HandReference, [width, height]: [f64; 2]) {
    let relative = |[x, y, z]: &[f64; 3]| [x / width, y / height, z / width];
    let landmarks: Vec<f64> = want.landmarks.iter().flat_map(relative).collect();
    worst.compare("results' landmarks", 5e-9, &numbers(&hand.landmarks), &landmarks);
    worst.compare("results' world landmarks", RELATIVE, &numbers(&hand.world_landmarks), &want.world.concat());
    let is_right = hand.handedness == Handedness::Right;
    assert_eq!((is_right, hand.score), (want.label == "Right", f64::from(want.raw.presence)));
    let bounds = &hand.bounds;
    for (axis, low, length) in [(0, bounds.xmin, bounds.width), (1, bounds.ymin, bounds.height)] {
        let values = || landmarks.iter().skip(axis).step_by(3).copied();
        let (min, max) = (values().fold(f64::MAX, f64::min), values().fold(f64::MIN, f64::max));
        worst.compare("boxes", 5e-9, &[low, low + length], &[min, max]);
    }
}

/// What the networks see: the letterbox, then the crops of the photo and of the video.
#[test]
fn crops_agree() {
    let mut worst = Worst::default();
    for (name, reference) in references() {
        let Some(picture) = picture(name.split_once('-').unwrap().1) else { return };
        let rgba = picture.rgba();
        let picture = Picture::new(picture.width as u32, picture.height as u32, &rgba).unwrap();
        let regions = reference.photo.iter().chain(&reference.video).map(|hand| hand.region().crop());
        let crops: Vec<Crop> = [reference.square().crop()].into_iter().chain(regions).collect();

        let want = Npy::read(&repository().join(format!("tests/fixtures/hands/{name}.npy"))).data;
        assert_eq!(want.len(), crops.len() * SAMPLES * 5, "{name}");
        for (i, (crop, want)) in crops.iter().zip(want.chunks(SAMPLES * 5)).enumerate() {
            let (side, image) = (crop.side as usize, picture.sample(crop));
            assert_eq!(image.len(), side * side * 3);
            let got: Vec<f64> = places(0, SAMPLES, side * side)
                .into_iter()
                .flat_map(|at| {
                    let pixel = &image[3 * at..][..3];
                    [(at % side) as f64, (at / side) as f64].into_iter().chain(pixel.iter().map(|&v| f64::from(v)))
                })
                .collect();
            let want: Vec<f64> = want.iter().map(|&v| f64::from(v)).collect();
            worst.compare(if i == 0 { "letterboxed pictures" } else { "crops of hands" }, COLOUR, &got, &want);
        }
    }
    worst.print();
}

/// Numbers that say nothing are no hands, and nothing panics.
#[test]
fn broken_networks_find_no_hand() {
    let reference: Reference = fixture("full-both.json");
    let [width, height] = reference.picture;
    for broken in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN] {
        let broken_palms = decode(&[broken; N_ANCHORS * PALM_VALUES], &[broken; N_ANCHORS], 0.5).unwrap();
        assert!(broken_palms.is_empty() || broken == f32::MAX, "{broken}");
        for palms in [broken_palms, reference.found()] {
            let mut tracker = Tracker::new(Options::default()).unwrap();
            tracker.begin(width, height, 0.0).unwrap();
            let regions = tracker.detected(&palms).unwrap();
            let values = [broken; 63];
            let output = LandmarkOutput { landmarks: &values, presence: broken, right: broken, world: &values };
            let hands = tracker.finish(&vec![output; regions.len()]).unwrap();
            // The largest number is one, so it may be a hand, but one without a size is not tracked.
            assert!(hands.is_empty() || broken == f32::MAX, "{broken}: {hands:?}");
            assert_eq!(tracker.begin(width, height, 1.0).unwrap().regions, [], "{broken}");
        }
    }
}

#[derive(Deserialize)]
struct TransformReference {
    seed: u32,
    picture: String,
    checksum: u32,
}

/// Compared as text, which both languages write with as many digits as tell a number apart.
#[test]
fn seeded_transforms_are_the_same_numbers() {
    let text = fs::read_to_string(repository().join("tests/fixtures/hands/transforms.json")).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with('{')).collect();
    assert_eq!(lines.len(), 50);
    for (line, seed) in lines.into_iter().zip(0..) {
        let Transform { half_tangent, scale, shift_x, shift_y, brightness, mirror } = Transform::seeded(seed);
        let numbers = format!(
            r#""half_tangent": {half_tangent:?}, "scale": {scale:?}, "shift_x": {shift_x:?}, "shift_y": {shift_y:?}, "brightness": {brightness:?}, "mirror": {mirror}"#
        );
        assert!(line.contains(&numbers), "{line}\n{numbers}");
    }
}

#[test]
fn seeded_transforms_are_the_same_bytes() {
    let (Some(four), Some(rock)) = (picture("four"), picture("rock")) else { return };
    for TransformReference { seed, picture, checksum: want } in fixture::<Vec<TransformReference>>("transforms.json") {
        let picture = if picture == "four" { &four } else { &rock };
        assert_eq!(checksum(&Transform::seeded(seed).apply(picture)), want, "seed {seed}");
    }
}
