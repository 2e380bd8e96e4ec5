//! Silero VAD against ONNX Runtime: `scripts/speech/vad_reference.py` wrote its activations and probabilities.

#[path = "common/data.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod data;
#[path = "common/shared.rs"]
mod shared;

use std::collections::HashMap;

use data::{Npy, assert_close, repository};
use shared::shared;
use webgguf::Result;
use webgguf::formats::gguf::{GgmlType, GgufWriter, NewTensor, write};
use webgguf::source::MemorySource;
use webgguf::speech::convert::convert;
use webgguf::speech::silero_vad::{FRAME, SegmentOptions, Vad, segments};
use webgguf::speech::wav::Wav;

/// As in the script.
const FRAMES: [usize; 6] = [0, 62, 290, 700, 1461, 1874];
/// Relative L2 of an activation.
const TOLERANCE: f64 = 1e-4;

fn load(file: Vec<u8>) -> Result<Vad> {
    pollster::block_on(Vad::load(&MemorySource(file), &()))
}

/// The network and a recording; `None` after a SKIP.
fn network_and_recording() -> Option<(Vad, Vec<f32>)> {
    let (network, recording) = (shared("audio/silero_vad_16k_op15.onnx")?, shared("audio/silero_test.wav")?);
    let vad = load(convert(&std::fs::read(network).unwrap()).unwrap()).unwrap();
    let wav = Wav::parse(&std::fs::read(recording).unwrap()).unwrap();
    assert_eq!(wav.rate, 16_000);
    Some((vad, wav.samples))
}

fn reference(name: &str) -> Vec<f64> {
    let file = repository().join(format!("tests/fixtures/silero_vad/{name}.npy"));
    Npy::read(&file).data.into_iter().map(f64::from).collect()
}

fn frame(samples: &[f32], i: usize) -> &[f32; FRAME] {
    samples[i * FRAME..][..FRAME].try_into().unwrap()
}

#[test]
fn activations_are_those_of_onnx_runtime() {
    let Some((mut vad, samples)) = network_and_recording() else { return };
    let mut found: HashMap<String, Vec<f32>> = HashMap::new();
    for i in 0..samples.len() / FRAME {
        let seen = |name: &str, values: &[f32]| {
            if FRAMES.contains(&i) {
                found.entry(name.to_owned()).or_default().extend(values);
            }
        };
        vad.observed(frame(&samples, i), seen).unwrap();
    }
    for name in ["stft", "encoder.0", "encoder.1", "encoder.2", "encoder.3", "h", "c"] {
        let (got, want) = (&found[name], reference(name));
        let n = want.len() / FRAMES.len();
        for (i, (got, want)) in FRAMES.iter().zip(got.chunks_exact(n).zip(want.chunks_exact(n))) {
            let e = assert_close(got, want, TOLERANCE, &format!("{name} of frame {i}"));
            println!("{name:10} {i:5} {e:.1e}");
        }
        assert_eq!(got.len(), want.len(), "{name}");
    }
    assert_eq!(found.len(), 7);
}

#[test]
fn probabilities_are_those_of_onnx_runtime() {
    let Some((mut vad, samples)) = network_and_recording() else { return };
    let got = vad.probabilities(&samples).unwrap();
    let want = reference("probabilities");
    assert_eq!(got.len(), want.len());
    let worst = got.iter().zip(&want).map(|(&got, want)| (f64::from(got) - want).abs()).fold(0.0, f64::max);
    println!("{} frames, off by {worst:.1e} at most", got.len());
    assert!(worst <= 1e-4, "{worst}");

    // A recording is heard as a stream of its own, whatever was heard before.
    let options = SegmentOptions::default();
    let found = vad.speech_segments(&samples, &options).unwrap();
    assert_eq!(found, segments(&got, samples.len(), &options).unwrap());
    assert!(found.len() > 3 && found.windows(2).all(|w| w[0].end <= w[1].start), "{found:?}");
    vad.reset();
    assert_eq!(vad.probability(frame(&samples, 0)).unwrap(), got[0]);
    assert_eq!(vad.fresh().probability(frame(&samples, 0)).unwrap(), got[0]);
    assert_eq!(vad.probability(frame(&samples, 1)).unwrap(), got[1]);
}

#[derive(serde::Deserialize)]
struct Segments {
    recording: Vec<[usize; 2]>,
    random: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    /// Frames and their probability.
    runs: Vec<(usize, f32)>,
    samples: usize,
    options: SegmentOptions,
    segments: Vec<[usize; 2]>,
}

#[test]
fn segments_are_those_of_silero() {
    let file = repository().join("tests/fixtures/silero_vad/segments.json");
    let wanted: Segments = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let found = |probabilities: &[f32], n_samples, options: &SegmentOptions| -> Vec<[usize; 2]> {
        segments(probabilities, n_samples, options).unwrap().into_iter().map(|s| [s.start, s.end]).collect()
    };
    let recording: Vec<f32> = reference("probabilities").into_iter().map(|p| p as f32).collect();
    assert_eq!(found(&recording, recording.len() * FRAME, &SegmentOptions::default()), wanted.recording);
    for Case { runs, samples, options, segments } in &wanted.random {
        let probabilities: Vec<f32> = runs.iter().flat_map(|&(n, p)| std::iter::repeat_n(p, n)).collect();
        assert_eq!(found(&probabilities, *samples, options), *segments, "{runs:?} {options:?}");
    }
}

#[test]
fn samples_that_are_none_are_errors_and_change_nothing() {
    let Some((mut vad, samples)) = network_and_recording() else { return };
    vad.probability(frame(&samples, 0)).unwrap();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30, -101.0] {
        let mut broken = *frame(&samples, 1);
        broken[300] = bad;
        let error = vad.probability(&broken).unwrap_err();
        assert_eq!(error.code(), "INVALID_ARGUMENT");
        assert!(error.to_string().starts_with("sample 300 of the frame is"), "{error}");
        assert_eq!(vad.speech_segments(&broken, &SegmentOptions::default()).unwrap_err().code(), "INVALID_ARGUMENT");
    }
    let mut other = vad.fresh();
    other.probability(frame(&samples, 0)).unwrap();
    assert_eq!(vad.probability(frame(&samples, 1)), other.probability(frame(&samples, 1)));
    assert!((0.0..=1.0).contains(&vad.probability(&[100.0; FRAME]).unwrap()));
    assert_eq!(vad.speech_segments(&[], &SegmentOptions::default()).unwrap(), []);
    assert_eq!(vad.probabilities(&[0.0; 1]).unwrap().len(), 1);
    assert_eq!(vad.probabilities(&[0.0; FRAME + 1]).unwrap().len(), 2);
}

/// Tensors of the network, all of the same numbers.
fn tensors(value: f32) -> Vec<NewTensor> {
    let shapes: [(&str, &[u32]); 15] = [
        ("stft.weight", &[258, 256]),
        ("encoder.0.weight", &[128, 3, 129]),
        ("encoder.0.bias", &[128]),
        ("encoder.1.weight", &[64, 3, 128]),
        ("encoder.1.bias", &[64]),
        ("encoder.2.weight", &[64, 3, 64]),
        ("encoder.2.bias", &[64]),
        ("encoder.3.weight", &[128, 3, 64]),
        ("encoder.3.bias", &[128]),
        ("lstm.input.weight", &[512, 128]),
        ("lstm.input.bias", &[512]),
        ("lstm.hidden.weight", &[512, 128]),
        ("lstm.hidden.bias", &[512]),
        ("output.weight", &[1, 128]),
        ("output.bias", &[1]),
    ];
    let tensor = |(name, shape): (&str, &[u32])| NewTensor {
        name: name.to_owned(),
        ty: GgmlType::F32,
        shape: shape.to_vec(),
        bytes: value.to_le_bytes().repeat(shape.iter().product::<u32>() as usize),
    };
    shapes.into_iter().map(tensor).collect()
}

fn metadata() -> GgufWriter {
    GgufWriter::default().string("general.architecture", "silero-vad").u32("silero-vad.sample_rate", 16_000)
}

#[test]
fn files_with_something_else_in_them_are_errors() {
    let code = |metadata: GgufWriter, tensors: &[NewTensor]| {
        let error = load(write(metadata, tensors).unwrap()).err().expect("an error");
        (error.code(), error.to_string())
    };
    let sound = tensors(0.0);
    assert_eq!(load(write(metadata(), &sound).unwrap()).unwrap().probability(&[0.0; FRAME]), Ok(0.5));

    for i in 0..sound.len() {
        let with = |change: &dyn Fn(&mut Vec<NewTensor>)| {
            let mut tensors = tensors(0.0);
            change(&mut tensors);
            code(metadata(), &tensors)
        };
        let name = &sound[i].name;
        let missing = with(&|t| drop(t.remove(i)));
        assert_eq!(missing, ("MALFORMED_GGUF", format!("tensor '{name}' is missing from the file")));
        let shape = with(&|t| {
            t[i].shape = vec![3, 1];
            t[i].bytes.truncate(12);
            t[i].bytes.resize(12, 0);
        });
        assert_eq!(shape.0, "MALFORMED_GGUF");
        assert!(shape.1.starts_with(&format!("tensor '{name}' has shape [3, 1], [")), "{}", shape.1);
        let ty = with(&|t| {
            t[i].ty = GgmlType::F16;
            let n = t[i].bytes.len();
            t[i].bytes.truncate(n / 2);
        });
        assert_eq!(ty, ("UNSUPPORTED_TENSOR_TYPE", format!("tensor '{name}' has type F16, F32 is needed")));
    }
    let other = GgufWriter::default().string("general.architecture", "llama");
    assert_eq!(code(other, &sound).0, "UNSUPPORTED_ARCHITECTURE");
    let rate = GgufWriter::default().string("general.architecture", "silero-vad").u32("silero-vad.sample_rate", 8_000);
    assert_eq!(code(rate, &sound).1, "'silero-vad.sample_rate' is 8000, 16000 is supported");
    let none = GgufWriter::default().string("general.architecture", "silero-vad");
    assert_eq!(code(none, &sound).0, "UNSUPPORTED_ARCHITECTURE");
    assert_eq!(code(GgufWriter::default(), &sound).0, "MALFORMED_GGUF");

    // The last tensor's number, and what fills its 32 bytes up.
    let file = write(metadata(), &sound).unwrap();
    for n in [0, 1, 100, 1000, file.len() / 2, file.len() - 32] {
        assert_eq!(load(file[..n].to_vec()).err().expect("an error").code(), "MALFORMED_GGUF", "{n} bytes");
    }
}

#[test]
fn broken_weights_are_an_error() {
    for value in [f32::NAN, f32::INFINITY] {
        let mut vad = load(write(metadata(), &tensors(value)).unwrap()).unwrap();
        assert_eq!(vad.probability(&[1.0; FRAME]).unwrap_err().code(), "NOT_FINITE", "{value}");
    }
}
