//! The parser, with the file's size known and unknown: bytes in, a header or an error out.
#![no_main]

use libfuzzer_sys::fuzz_target;
use webgguf::formats::gguf::{Parsed, join, parse};

fuzz_target!(|data: &[u8]| {
    for file_len in [None, Some(data.len() as u64), Some(u64::MAX)] {
        let Ok(Parsed::Done { gguf, .. }) = parse(data.to_vec(), file_len) else { continue };
        for t in &gguf.tensors {
            let _ = (t.n_elems(), t.rows(), t.split_rows(t.rows() / 2));
        }
        let _ = (gguf.end(), gguf.metadata.iter().count());
        let mut second = (*gguf).clone();
        second.move_by(1 << 40);
        let _ = join(vec![*gguf, second]);
    }
});
