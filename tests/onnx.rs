//! ONNX files of real networks: operators and tensors are those that the package `onnx` reads, and what is converted of them is
//! what `scripts/speech/onnx_tensors.py` lists.

mod common;
#[path = "common/counting.rs"]
mod counting;
#[path = "common/onnx_writer.rs"]
mod writer;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use serde_json::Value as Json;
use webgguf::formats::gguf::{Parsed, parse};
use webgguf::formats::onnx::{Data, Inspection, Model, Tensor};
use webgguf::load::read_onnx;
use webgguf::source::{ByteSource, FileSource, MemorySource, Sink};
use webgguf::speech::convert::convert;

/// A file of Silero VAD and what is listed of it; `None` after a SKIP.
fn silero(name: &str) -> Option<(PathBuf, Json)> {
    let path = common::shared(&format!("audio/{name}.onnx"))?;
    let listed = common::repository().join(format!("tests/fixtures/onnx/{name}.json"));
    Some((path, serde_json::from_str(&std::fs::read_to_string(listed).unwrap()).unwrap()))
}

/// One test at a time: they share the allocator that counts.
static TURN: Mutex<()> = Mutex::new(());

const FILES: [&str; 2] = ["silero_vad_16k_op15", "silero_vad"];

/// CRC-32 as zlib has it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0xedb8_8320 })
    })
}

/// A row of a list of tensors.
fn row(name: &str, ty: &str, shape: &[u64], bytes: &[u8]) -> Json {
    serde_json::json!([name, ty, shape, crc32(bytes)])
}

#[test]
fn tensors_are_those_of_the_reference() {
    let _turn = TURN.lock();
    for (path, listed) in FILES.into_iter().filter_map(silero) {
        let file = std::fs::read(&path).unwrap();
        let model = Model::parse(&file).unwrap();
        let of = |(name, t): (&str, &Tensor)| row(name, t.ty.name(), &t.shape, t.bytes(&file).unwrap());
        let tensors: Vec<Json> = model.constants().map(of).collect();
        assert_eq!(tensors.len(), listed["tensors"].as_array().unwrap().len());
        for (found, wanted) in tensors.iter().zip(listed["tensors"].as_array().unwrap()) {
            assert_eq!(found, wanted, "{}", path.display());
        }
        let inspection = serde_json::to_value(Inspection::new(&model)).unwrap();
        let operators = inspection["operators"].as_array().unwrap().iter();
        let operators: BTreeMap<&str, &Json> = operators.map(|o| (o["name"].as_str().unwrap(), &o["count"])).collect();
        assert_eq!(serde_json::to_value(operators).unwrap(), listed["operators"]);
        assert_eq!(inspection["opsets"][0]["version"], listed["opset"]);
        assert_eq!(inspection["subgraphs"].as_u64().unwrap() + 1, listed["graphs"].as_u64().unwrap());
    }
}

#[test]
fn silero_vad_is_converted_bit_for_bit() {
    let _turn = TURN.lock();
    let mut files = Vec::new();
    for (path, listed) in FILES.into_iter().filter_map(silero) {
        let written = convert(&std::fs::read(path).unwrap()).unwrap();
        let Parsed::Done { gguf, .. } = parse(written.clone(), Some(written.len() as u64)).unwrap() else {
            panic!("whole")
        };
        assert_eq!(gguf.architecture(), Ok("silero-vad"));
        assert_eq!(gguf.metadata.u32("silero-vad.sample_rate"), Ok(Some(16_000)));
        let mut tensors = BTreeMap::new();
        for t in &gguf.tensors {
            let bytes = &written[t.file_range.start as usize..t.file_range.end as usize];
            tensors.insert(t.name.clone(), row(&t.name, t.ty.name(), &t.shape, bytes));
        }
        let wanted = listed["converted"].as_array().unwrap().iter();
        let wanted = wanted.map(|row| (row[0].as_str().unwrap().to_owned(), row.clone())).collect();
        assert_eq!(tensors, wanted);
        files.push(written);
    }
    assert!(files.windows(2).all(|pair| pair[0] == pair[1]), "both files have the same network");
}

#[test]
fn a_model_of_no_family_is_an_error() {
    let _turn = TURN.lock();
    let error = convert(&writer::sound().bytes()).unwrap_err();
    assert_eq!(error.code(), "UNSUPPORTED_ARCHITECTURE");
    let says = "the file's 6 tensors (the first is 'big') are of no model that can be converted; those are: Silero VAD, Kokoro (int8)";
    assert_eq!(error.to_string(), says);
}

/// A file that is read from the start to the end.
struct OneStream(FileSource);

impl ByteSource for OneStream {
    fn len(&self) -> Option<u64> {
        None
    }

    fn random_access(&self) -> bool {
        false
    }

    async fn stream(&self, range: std::ops::Range<u64>, sink: &mut impl Sink) -> webgguf::Result<()> {
        self.0.stream(range, sink).await
    }
}

#[test]
fn sources_of_ranges_and_of_one_stream_give_the_same_model() {
    let _turn = TURN.lock();
    for (path, _) in FILES.into_iter().filter_map(silero) {
        let whole = Model::parse(&std::fs::read(&path).unwrap()).unwrap();
        let file = || FileSource::open(&path).unwrap();
        assert_eq!(pollster::block_on(read_onnx(&file())).unwrap(), whole);
        assert_eq!(pollster::block_on(read_onnx(&OneStream(file()))).unwrap(), whole);
    }
    let bytes = writer::sound().bytes();
    let cut = MemorySource(bytes[..bytes.len() - 1].to_vec());
    assert_eq!(pollster::block_on(read_onnx(&cut)).unwrap_err().code(), "MALFORMED_ONNX");
    assert_eq!(pollster::block_on(read_onnx(&MemorySource(bytes.clone()))).unwrap(), Model::parse(&bytes).unwrap());
}

/// Kokoro-82M with int8 weights, a file of 92 MB that is named by `WEBGGUF_KOKORO`.
#[test]
fn a_large_file_takes_little_memory() {
    let _turn = TURN.lock();
    let Some(path) = std::env::var_os("WEBGGUF_KOKORO") else {
        eprintln!("SKIP: WEBGGUF_KOKORO names no file");
        return;
    };
    let file = FileSource::open(path).unwrap();
    let (model, peak) = counting::peak_bytes(|| pollster::block_on(read_onnx(&file)).unwrap());
    println!("{:?} bytes, {peak} bytes of memory at most", file.len());
    assert!(peak < 10 << 20);
    let skipped = model.constants().filter(|(_, t)| matches!(t.data, Data::Range(_)));
    assert!(skipped.map(|(_, t)| t.n_bytes()).sum::<u64>() > 90_000_000);
    let quantized = model.quantized();
    let of = |name: &str| quantized.iter().find(|q| q.operator == name).unwrap();
    assert_eq!((of("MatMulInteger").nodes, of("ConvInteger").nodes, of("DynamicQuantizeLinear").nodes), (148, 87, 139));
    assert_eq!((of("DynamicQuantizeLSTM").nodes, of("DynamicQuantizeLSTM").scales.direction), (6, 12));
    assert_eq!((of("DequantizeLinear").nodes, of("DequantizeLinear").scales.tensor), (4, 4));
}
