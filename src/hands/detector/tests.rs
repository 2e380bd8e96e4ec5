//! What a detector refuses, and what it takes, with networks whose weights are all zero: they find no hand.

use pollster::block_on;

use super::super::design::Design;
use super::super::{ARCHITECTURE, Kind, landmark, palm};
use super::*;
use crate::formats::gguf::{GgmlType, GgufWriter};
use crate::gpu::Pixels;
use crate::source::MemorySource;

/// A file of these networks, each with its variant.
fn file(networks: &[(Task, &str, Design)]) -> MemorySource {
    let mut writer =
        GgufWriter::default().string("general.architecture", ARCHITECTURE).string("general.license", "Apache-2.0");
    for (part, variant, _) in networks {
        writer = writer.string(&Kind::key(*part, "variant"), variant);
    }
    for (_, _, design) in networks {
        for (step, weight) in design.steps.iter().flat_map(|s| design.weights(s).into_iter().map(move |w| (s, w))) {
            let (name, shape) = (format!("{}.{}", step.name, weight.suffix()), weight.shape());
            let bytes = vec![0; shape.iter().product::<u32>() as usize * 2];
            writer = writer.tensor_of(&name, GgmlType::F16, &shape, &bytes);
        }
    }
    MemorySource(writer.finish())
}

fn lite() -> MemorySource {
    file(&[(Task::Palm, "lite", palm::palm(3)), (Task::Landmark, "lite", landmark::lite())])
}

fn loaded(file: &MemorySource, options: Options) -> Result<Detector> {
    block_on(async { Detector::load(Gpu::new().await?, file, options, &()).await })
}

fn detect(detector: &Detector, width: u32, height: u32, bytes: &[u8]) -> Result<Vec<Hand>> {
    block_on(detector.detect(&PictureSource { width, height, pixels: Pixels::Bytes(bytes) }, 0.0))
}

fn refused<T>(result: Result<T>, code: &str, says: &str) {
    let Err(e) = result else { panic!("not refused: {says}") };
    assert!(e.code() == code && e.to_string().contains(says), "{} {e}", e.code());
}

#[test]
fn what_is_counted_is_what_is_allocated() {
    let detector = loaded(&lite(), Options::default()).unwrap();
    let info = &detector.info;
    assert_eq!((info.palms.variant, info.palms.input_size, info.palms.parameters), ("lite", 192, 963_064));
    assert_eq!(
        (info.landmarks.variant, info.landmarks.input_size, info.landmarks.parameters),
        ("lite", 224, 1_011_712)
    );
    assert_eq!(info.licence.as_deref(), Some("Apache-2.0"));
    let MemoryInfo { weights, activations } = info.memory;
    assert!(weights > 4 * (963_064 + 1_011_712), "{weights}");
    assert_eq!(detector.gpu.allocated_bytes(), weights + activations + 640 * 480 * 4);

    assert_eq!(detect(&detector, 640, 480, &vec![99; 640 * 480 * 4]).unwrap(), []);
    assert_eq!(detector.stats().gpu_bytes, weights + activations + 640 * 480 * 4, "it fits");
    assert_eq!(detect(&detector, 10, 500, &vec![99; 10 * 500 * 4]).unwrap(), []);
    let stats = detector.stats();
    assert_eq!(stats.gpu_bytes, weights + activations + 640 * 500 * 4, "the first buffer is gone");
    assert!(stats.palms_ms > 0.0 && stats.landmarks_ms == 0.0 && stats.total_ms >= stats.palms_ms, "{stats:?}");
}

#[test]
fn pictures_that_are_refused_leave_no_trace() {
    let detector = loaded(&lite(), Options::default()).unwrap();
    refused(detect(&detector, 0, 5, &[]), "INVALID_ARGUMENT", "0 x 5 pixels");
    refused(detect(&detector, 2, 2, &[0; 15]), "INVALID_ARGUMENT", "15 bytes, needed are 16");
    let late = PictureSource { width: 1, height: 1, pixels: Pixels::Bytes(&[0; 4]) };
    refused(block_on(detector.detect(&late, f64::NAN)), "INVALID_ARGUMENT", "NaN");
    {
        let _busy = detector.begin().unwrap();
        refused(detect(&detector, 1, 1, &[0; 4]), "INVALID_STATE", "one call at a time");
        refused(detector.reset(), "INVALID_STATE", "one call at a time");
    }
    assert_eq!(detect(&detector, 1, 1, &[0; 4]).unwrap(), []);
    detector.reset().unwrap();
}

#[test]
fn a_lost_device_is_said() {
    let detector = loaded(&lite(), Options::default()).unwrap();
    detector.gpu.destroy();
    for _ in 0..2 {
        refused(detect(&detector, 1, 1, &[0; 4]), "DEVICE_LOST", "lost");
    }
}

#[test]
fn files_that_cannot_be_tracked_with() {
    let palms = || (Task::Palm, "lite", palm::palm(3));
    refused(loaded(&file(&[palms()]), Options::default()), "UNSUPPORTED_ARCHITECTURE", "no network for 'landmark'");
    let old = file(&[palms(), (Task::Landmark, "2020", landmark::of_2020())]);
    refused(loaded(&old, Options::default()), "UNSUPPORTED_ARCHITECTURE", "'2020', of 256 pixels a side");
    let options = Options { max_hands: 9, ..Options::default() };
    refused(loaded(&lite(), options), "INVALID_ARGUMENT", "max_hands is 9");
}
