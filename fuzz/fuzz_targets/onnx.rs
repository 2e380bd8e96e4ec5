//! ONNX files: bytes in, a model or an error out; and what is said and converted of the model. A file that comes in pieces, whose size
//! is not known, is the same model.
#![no_main]

use libfuzzer_sys::fuzz_target;
use webgguf::formats::onnx::{Data, Inspection, Model, Reader};
use webgguf::speech::convert::convert;

const PIECE_BYTES: usize = 100;

fn streamed(data: &[u8]) -> webgguf::Result<Model> {
    let mut reader = Reader::new(None)?;
    while let Some(rest) = data.get(reader.position() as usize..).filter(|rest| !rest.is_empty()) {
        reader.feed(reader.position(), &rest[..rest.len().min(PIECE_BYTES)])?;
    }
    reader.finish()
}

fuzz_target!(|data: &[u8]| {
    let streamed = streamed(data);
    let _ = convert(data);
    let Ok(model) = Model::parse(data) else { return };
    assert!(streamed.expect("the same file").constants().eq(model.constants()));
    let _ = Inspection::new(&model);
    for (_, t) in model.constants() {
        if let Data::Range(range) = &t.data {
            assert!(range.end <= data.len() as u64 && range.end - range.start == t.n_bytes());
        }
    }
});
