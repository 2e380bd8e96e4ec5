//! Files that are not as they should be, each with an error that says what is wrong. No GPU and no real weights.

use super::convert::convert;
use super::{ARCHITECTURE, Kind, Network, Task, Weight};
use crate::formats::gguf::{GgmlType, Gguf, GgufWriter, Parsed, parse};

/// The tensors of palm detection, LITE, all zeros: name, type, shape.
fn tensors() -> Vec<(String, GgmlType, Vec<u32>)> {
    let design = super::palm::palm(3);
    let mut all = Vec::new();
    for step in &design.steps {
        let of = |w: &Weight| (format!("{}.{}", step.name, w.suffix()), GgmlType::F16, w.shape());
        all.extend(design.weights(step).iter().map(of));
    }
    all
}

fn header(architecture: &str, variant: &str, tensors: &[(String, GgmlType, Vec<u32>)]) -> Gguf {
    let writer = GgufWriter::default()
        .string("general.architecture", architecture)
        .string(&Kind::key(Task::Palm, "variant"), variant);
    let file = tensors.iter().fold(writer, |w, (name, ty, shape)| {
        let row_bytes = ty.row_bytes(u64::from(*shape.last().unwrap())).unwrap() as usize;
        let rows: u32 = shape.iter().rev().skip(1).product();
        w.tensor_of(name, *ty, shape, &vec![0; row_bytes * rows as usize])
    });
    let file = file.finish();
    let len = file.len() as u64;
    match parse(file, Some(len)).unwrap() {
        Parsed::Done { gguf, .. } => *gguf,
        Parsed::NeedBytes { n, .. } => panic!("{n} bytes are needed"),
    }
}

fn refused(gguf: &Gguf, code: &str, says: &str) {
    let Err(error) = Network::of(gguf, Task::Palm, 1 << 27) else { panic!("not refused: {says}") };
    assert!(error.code() == code && error.to_string().contains(says), "{} {error}", error.code());
}

#[test]
fn a_file_is_checked_before_anything_is_allocated() {
    let good = tensors();
    let gguf = header(ARCHITECTURE, "lite", &good);
    let network = Network::of(&gguf, Task::Palm, 1 << 27).unwrap().unwrap();
    assert_eq!(network.loads.len(), good.len());
    assert_eq!(network.outputs().iter().map(|y| y.shape().channels).collect::<Vec<_>>(), [38, 114]);
    assert!(Network::of(&gguf, Task::Landmark, 1 << 27).unwrap().is_none());

    refused(&header("llama", "lite", &good), "UNSUPPORTED_ARCHITECTURE", "'llama' is no network for hands");
    let huge = header(ARCHITECTURE, "huge", &good);
    refused(&huge, "UNSUPPORTED_ARCHITECTURE", "'mediapipe-hands.palm.variant' is 'huge'; supported are lite, full");
    refused(&header(ARCHITECTURE, "lite", &good[1..]), "MALFORMED_GGUF", "'palm.stem.weight' is missing");
    // LITE's tensors are not all of FULL.
    refused(&header(ARCHITECTURE, "full", &good), "MALFORMED_GGUF", "'palm.stage1.block4.depthwise.weight' is missing");
    let with = |i: usize, ty, shape: &[u32]| {
        let mut all = good.clone();
        all[i] = (all[i].0.clone(), ty, shape.to_vec());
        header(ARCHITECTURE, "lite", &all)
    };
    refused(
        &with(0, GgmlType::F16, &[75, 32]),
        "MALFORMED_GGUF",
        "'palm.stem.weight' has shape [75, 32], [32, 75] is needed",
    );
    refused(
        &with(1, GgmlType::BF16, &[32]),
        "UNSUPPORTED_TENSOR_TYPE",
        "'palm.stem.bias' has type BF16; supported are F32 and F16",
    );
    let mut more = good;
    more.push(("palm.stem.gain".into(), GgmlType::F32, vec![32]));
    refused(
        &header(ARCHITECTURE, "lite", &more),
        "UNSUPPORTED_ARCHITECTURE",
        "'palm.stem.gain' is not part of the network",
    );
}

#[test]
fn what_is_no_network_is_not_converted() {
    let says = |files: &[&[u8]]| {
        let error = convert(files).unwrap_err();
        (error.code(), error.to_string())
    };
    assert_eq!(says(&[]).0, "INVALID_ARGUMENT");
    assert_eq!(says(&[b"no network"]).0, "MALFORMED_TFLITE");
    assert_eq!(says(&[b""]).0, "MALFORMED_TFLITE");
}
