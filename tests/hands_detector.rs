//! Hands from pictures and clips, networks and glue together, against what `scripts/hands/references.py` found with LiteRT. On a
//! software GPU a picture takes a tenth of a second, so the long runs are ignored by default.

#[path = "common/counting.rs"]
mod counting;
#[path = "common/data.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod data;
#[path = "common/pictures.rs"]
mod pictures;
#[path = "common/shared.rs"]
mod shared;
#[path = "common/transforms.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod transforms;

use std::f64::consts::TAU;
use std::sync::{Mutex, MutexGuard, PoisonError};

use counting::peak_bytes;
use data::{Npy, repository};
use pictures::{BACKGROUND, Rgb};
use pollster::block_on;
use serde_json::Value as Json;
use shared::shared;
use transforms::{Transform, Xorshift32};
use webgguf::gpu::{Gpu, PictureSource, Pixels};
use webgguf::hands::Detector;
use webgguf::hands::convert::convert;
use webgguf::hands::glue::{Hand, Handedness, N_LANDMARKS, Options};
use webgguf::source::MemorySource;

/// One test at a time: memory is counted for all threads.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

const PAIRS: [&str; 2] = ["lite", "full"];
/// Pixels that landmarks may be off.
const TOLERANCE: f64 = 0.01;
/// Of metres, and of scores.
const SMALL: f64 = 1e-3;
/// Numbers of a row of `PAIR-transforms.npy`.
const ROW: usize = 134;

fn detector(pair: &str, max_hands: u32) -> Option<Detector> {
    let names = [format!("palm_detection_{pair}"), format!("hand_landmark_{pair}")];
    let files = names.map(|name| Some(std::fs::read(shared(&format!("vision/{name}.tflite"))?).unwrap()));
    let [Some(palm), Some(landmark)] = files else { return None };
    let file = MemorySource(convert(&[&palm, &landmark]).unwrap());
    let options = Options { max_hands, ..Options::default() };
    Some(block_on(async { Detector::load(Gpu::new().await.unwrap(), &file, options, &()).await.unwrap() }))
}

fn picture(name: &str) -> Option<Rgb> {
    if name == "both" {
        return Some(Rgb::side_by_side(&picture("four")?, &picture("rock")?));
    }
    Some(Rgb::read(&shared(&format!("vision/hands/hand_{name}_crop.png"))?))
}

fn detect(detector: &Detector, picture: &Rgb, seconds: f64) -> Vec<Hand> {
    let rgba = picture.rgba();
    let (width, height) = (picture.width as u32, picture.height as u32);
    block_on(detector.detect(&PictureSource { width, height, pixels: Pixels::Bytes(&rgba) }, seconds)).unwrap()
}

/// x, y, z of the landmarks in pixels.
fn in_pixels(hand: &Hand, picture: &Rgb) -> Vec<f64> {
    let (width, height) = (picture.width as f64, picture.height as f64);
    hand.landmarks.iter().flat_map(|p| [p.x * width, p.y * height, p.z * width]).collect()
}

fn world(hand: &Hand) -> Vec<f64> {
    hand.world_landmarks.iter().flat_map(|p| [p.x, p.y, p.z]).collect()
}

/// The largest differences so far.
#[derive(Default)]
struct Worst {
    pixels: f64,
    metres: f64,
}

impl Worst {
    fn compare(&mut self, what: &str, hand: &Hand, picture: &Rgb, landmarks: &[f64], metres: &[f64], presence: f64) {
        let distance = |got: &[f64], want: &[f64]| {
            assert_eq!(got.len(), want.len(), "{what}");
            got.iter().zip(want).map(|(g, w)| (g - w).abs()).fold(0.0, f64::max)
        };
        let off = distance(&in_pixels(hand, picture), landmarks);
        let off_metres = distance(&world(hand), metres);
        assert!(off <= TOLERANCE, "{what}: landmarks are {off:.3} pixels off, {TOLERANCE} is allowed");
        assert!(off_metres <= SMALL, "{what}: world landmarks are {off_metres:.1e} m off, {SMALL} is allowed");
        assert!((hand.score - presence).abs() <= SMALL, "{what}: score {}, {presence} is right", hand.score);
        self.pixels = self.pixels.max(off);
        self.metres = self.metres.max(off_metres);
    }
}

fn numbers(json: &Json) -> Vec<f64> {
    match json {
        Json::Array(values) => values.iter().flat_map(numbers).collect(),
        value => vec![value.as_f64().unwrap()],
    }
}

/// A picture of a hand, another one, both; then the same once more, as a video's next picture.
#[test]
fn pictures_have_the_hands_of_the_references() {
    let _alone = alone();
    for pair in PAIRS {
        let Some(detector) = detector(pair, 2) else { return };
        for name in ["four", "rock", "both"] {
            let Some(picture) = picture(name) else { return };
            let file = repository().join(format!("tests/fixtures/hands/{pair}-{name}.json"));
            let reference: Json = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
            detector.reset().unwrap();
            for (kind, seconds) in [("photo", 0.0), ("video", 1.0 / 30.0)] {
                let (hands, wanted) = (detect(&detector, &picture, seconds), reference[kind].as_array().unwrap());
                assert_eq!(hands.len(), wanted.len(), "{pair} {name} {kind}");
                let mut worst = Worst::default();
                for (hand, want) in hands.iter().zip(wanted) {
                    let presence = want["raw"]["presence"].as_f64().unwrap();
                    let what = format!("{pair} {name} {kind}");
                    worst.compare(
                        &what,
                        hand,
                        &picture,
                        &numbers(&want["landmarks"]),
                        &numbers(&want["world"]),
                        presence,
                    );
                    assert_eq!(format!("{:?}", hand.handedness), want["label"].as_str().unwrap(), "{what}");
                }
                let s = detector.stats();
                println!(
                    "{pair} {name} {kind}: {} hands, {:.4} pixels and {:.1e} m off at worst; {:.0} ms: upload {:.1}, palms \
                     {:.0}, landmarks {:.0}, glue {:.1}",
                    hands.len(),
                    worst.pixels,
                    worst.metres,
                    s.total_ms,
                    s.upload_ms,
                    s.palms_ms,
                    s.landmarks_ms,
                    s.glue_ms
                );
                let looked = [s.palms_ms > 0.0, s.landmarks_ms > 0.0];
                let all_tracked = kind == "video" && hands.len() == 2;
                assert_eq!(looked, [!all_tracked, kind == "photo" || all_tracked], "{pair} {name} {kind}: {s:?}");
            }
        }
    }
}

fn seeded_transforms(seeds: impl Iterator<Item = u32> + Clone) {
    for pair in PAIRS {
        let (Some(four), Some(rock)) = (picture("four"), picture("rock")) else { return };
        let Some(detector) = detector(pair, 2) else { return };
        let table = Npy::read(&repository().join(format!("tests/fixtures/hands/{pair}-transforms.npy"))).data;
        let (mut worst, mut n) = (Worst::default(), 0);
        for seed in seeds.clone() {
            let want: Vec<f64> = table[seed as usize * ROW..][..ROW].iter().map(|&v| v.into()).collect();
            let picture = Transform::seeded(seed).apply(if seed % 2 == 0 { &four } else { &rock });
            detector.reset().unwrap();
            let hands = detect(&detector, &picture, 0.0);
            let what = format!("{pair}, seed {seed}");
            assert_eq!(hands.len() as f64, want[ROW - 1], "{what}");
            let (landmarks, world) = (&want[7..7 + 3 * N_LANDMARKS], &want[7 + 3 * N_LANDMARKS..ROW - 1]);
            worst.compare(&what, &hands[0], &picture, landmarks, world, want[5]);
            assert_eq!(hands[0].handedness == Handedness::Right, want[6] >= 0.5, "{what}");
            n += 1;
        }
        println!("{pair}: {n} transforms, {:.4} pixels and {:.1e} m off at worst", worst.pixels, worst.metres);
    }
}

#[test]
fn transforms_have_the_landmarks_of_the_references() {
    let _alone = alone();
    seeded_transforms((0..50).step_by(25));
}

#[test]
#[ignore = "all 50 transforms take a minute on a software GPU"]
fn all_transforms_have_the_landmarks_of_the_references() {
    let _alone = alone();
    seeded_transforms(0..50);
}

/// Where the hand is at a time in [0, 1]: at rest, then about, as far as `reach` says, then out of the picture to the right, and
/// back.
fn pose(t: f64, reach: f64) -> Transform {
    // 0 before `from`, 1 after `to`, smooth between.
    let eased = |from: f64, to: f64| {
        let u = ((t - from) / (to - from)).clamp(0.0, 1.0);
        u * u * (3.0 - 2.0 * u)
    };
    let about = TAU * eased(0.25, 0.6);
    let out = eased(0.6, 0.75) - eased(0.8, 0.95);
    Transform {
        half_tangent: 0.35 * reach * about.sin(),
        scale: 1.0 + 0.25 * reach * about.sin().powi(2),
        shift_x: 60.0 * reach * about.sin() + 290.0 * out,
        shift_y: 30.0 * reach * (2.0 * about).sin(),
        brightness: 1.0,
        mirror: false,
    }
}

/// Where a place of the picture is after the transform.
fn moved(transform: &Transform, picture: &Rgb, [x, y]: [f64; 2]) -> [f64; 2] {
    let t = transform.half_tangent;
    let (cos, sin) = ((1.0 - t * t) / (1.0 + t * t), 2.0 * t / (1.0 + t * t));
    let (u, v) = (x - picture.width as f64 / 2.0, y - picture.height as f64 / 2.0);
    let (u, v) = (u * transform.scale, v * transform.scale);
    let (across, down) = (u * cos - v * sin, u * sin + v * cos);
    [
        across + Transform::WIDTH as f64 / 2.0 + transform.shift_x,
        down + Transform::HEIGHT as f64 / 2.0 + transform.shift_y,
    ]
}

/// The noise of a camera: up to two of 255.
fn noisy(picture: &mut Rgb, seed: u32) {
    let mut generator = Xorshift32::new(seed);
    for v in picture.pixels.as_flattened_mut() {
        *v = v.saturating_add((generator.next() >> 8) as u8 % 5).saturating_sub(2);
    }
}

/// A hand that rests, moves, leaves and comes back: never lost while all of it is in the picture, found again within three pictures,
/// steady at rest, and where the picture's hand is.
fn clip(pair: &str, n_pictures: u32, reach: f64) {
    const FOUND_AGAIN: u32 = 3;
    const JITTER: f64 = 0.5;
    let Some(picture) = picture("four") else { return };
    let Some(detector) = detector(pair, 1) else { return };
    // Where the landmarks are in the picture itself.
    let hand = in_pixels(&detect(&detector, &picture, 0.0)[0], &picture);
    detector.reset().unwrap();

    let (mut visible_for, mut n_visible, mut n_absent, mut n_waited, mut was_lost) = (0, 0, 0, 0, false);
    let mut at_rest: Vec<Vec<f64>> = Vec::new();
    let mut worst = 0f64;
    for i in 0..n_pictures {
        let transform = pose(f64::from(i) / f64::from(n_pictures - 1), reach);
        let mut frame = transform.apply(&picture);
        noisy(&mut frame, i);
        let hands = detect(&detector, &frame, f64::from(i) / 30.0);
        let truth: Vec<[f64; 2]> = hand.chunks(3).map(|p| moved(&transform, &picture, [p[0], p[1]])).collect();
        let inside = |p: &&[f64; 2]| {
            (0.0..Transform::WIDTH as f64).contains(&p[0]) && (0.0..Transform::HEIGHT as f64).contains(&p[1])
        };
        let n_inside = truth.iter().filter(inside).count();
        visible_for = if n_inside == N_LANDMARKS { visible_for + 1 } else { 0 };
        if frame.pixels.iter().flatten().all(|&v| v.abs_diff(BACKGROUND) <= 2) {
            assert!(hands.is_empty(), "{pair}: picture {i} is empty, and there is a hand");
            (n_absent, was_lost) = (n_absent + 1, true);
        }
        if visible_for == 0 {
            continue;
        }
        n_visible += 1;
        let Some(found) = hands.first() else {
            assert!(was_lost && visible_for <= FOUND_AGAIN, "{pair}: the hand is lost in picture {i}");
            n_waited += 1;
            continue;
        };
        was_lost = false;
        let found = in_pixels(found, &frame);
        let distance = |(p, t): (&[f64], &[f64; 2])| (p[0] - t[0]).hypot(p[1] - t[1]);
        let mean = found.chunks(3).zip(&truth).map(distance).sum::<f64>() / N_LANDMARKS as f64;
        worst = worst.max(mean / transform.scale);
        // At rest, behind the first picture: there the region is still that of the palm.
        if f64::from(i) < 0.25 * f64::from(n_pictures - 1) && i > 1 {
            at_rest.push(found);
        }
    }
    let mut jitter = 0f64;
    for axis in (0..3 * N_LANDMARKS).filter(|axis| axis % 3 < 2) {
        let mean = at_rest.iter().map(|p| p[axis]).sum::<f64>() / at_rest.len() as f64;
        jitter = at_rest.iter().map(|p| (p[axis] - mean).abs()).fold(jitter, f64::max);
    }
    println!(
        "{pair}: {n_pictures} pictures, {n_visible} with the whole hand, {n_absent} without; found again after {n_waited}; at \
         rest {jitter:.3} pixels from the mean at worst; {worst:.2} pixels from where it is, a hand of 95"
    );
    assert!(n_absent > 0 && n_visible > n_pictures / 2 && at_rest.len() > 3);
    assert!(jitter <= JITTER, "{pair}: {jitter:.3} pixels from the mean at rest, {JITTER} is allowed");
    assert!(worst < 8.0, "{pair}: landmarks are {worst:.1} pixels from where the hand is");
}

#[test]
fn a_hand_is_tracked() {
    let _alone = alone();
    clip("lite", 120, 1.0);
}

#[test]
#[ignore = "the pictures of both pairs take half a minute on a software GPU"]
fn a_hand_is_tracked_through_long_clips() {
    let _alone = alone();
    PAIRS.iter().for_each(|pair| clip(pair, 120, 1.0));
}

/// Pictures with one hand, two, none, of two sizes: behind the first round, nothing is allocated that is not given back.
fn without_growth(rounds: usize) {
    let (Some(four), Some(both)) = (picture("four"), picture("both")) else { return };
    let Some(detector) = detector("lite", 2) else { return };
    let grey = Rgb { pixels: vec![[BACKGROUND; 3]; four.pixels.len()], ..four.clone() };
    let round = |i: usize| {
        for (j, (picture, n)) in [(&four, 1), (&both, 2), (&both, 2), (&grey, 0)].into_iter().enumerate() {
            let seconds = (4 * i + j) as f64 / 30.0;
            assert_eq!(detect(&detector, picture, seconds).len(), n, "picture {j} of round {i}");
        }
    };
    round(0);
    let bytes = detector.gpu.allocated_bytes();
    let (_, first) = peak_bytes(|| round(1));
    let (_, all) = peak_bytes(|| (2..rounds).for_each(round));
    println!(
        "{} pictures: {bytes} bytes on the GPU; at most {first} bytes here in a round, {all} in all others",
        rounds * 4
    );
    assert_eq!(detector.gpu.allocated_bytes(), bytes, "memory on the GPU");
    assert!(all <= first + (64 << 10), "memory here");
}

#[test]
fn nothing_grows() {
    let _alone = alone();
    without_growth(3);
}

#[test]
#[ignore = "1,000 pictures take minutes on a software GPU"]
fn nothing_grows_over_a_thousand_pictures() {
    let _alone = alone();
    without_growth(250);
}
