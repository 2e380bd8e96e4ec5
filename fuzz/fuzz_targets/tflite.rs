//! TFLite files and bundles of them: bytes in, models or an error out; and what is said of the models.
#![no_main]

use libfuzzer_sys::fuzz_target;
use webgguf::formats::tflite::{Inspection, models};

fuzz_target!(|data: &[u8]| {
    let Ok(models) = models(data) else { return };
    for named in &models {
        let _ = Inspection::new(named);
        for t in named.model.subgraphs.iter().flat_map(|s| &s.tensors) {
            assert!(t.file_range.as_ref().is_none_or(|r| r.end <= data.len() as u64));
        }
    }
});
