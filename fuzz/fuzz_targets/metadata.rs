//! All that is done with a header before a GPU is needed: configuration, tokenizer, memory need.
#![no_main]

use std::ops::Range;

use libfuzzer_sys::fuzz_target;
use webgguf::error::Result;
use webgguf::llm::{Budget, Fit, LoadOptions};
use webgguf::llm::{Opened, types};
use webgguf::source::{ByteSource, MemorySource, Sink};

/// A header without the weights, of a server that does not tell the file's size: mutations are spent on the header.
struct Header(MemorySource);

impl ByteSource for Header {
    fn len(&self) -> Option<u64> {
        None
    }

    async fn stream(&self, range: Range<u64>, sink: &mut impl Sink) -> Result<()> {
        self.0.stream(range, sink).await
    }
}

fuzz_target!(|data: &[u8]| {
    let source = Header(MemorySource(data.to_vec()));
    let Ok(opened) = pollster::block_on(Opened::read(&source, &())) else { return };
    let _ = types(&opened.gguf);
    for total in [None, Some(1 << 20)] {
        let budget = Budget { total, buffer: 1 << 27 };
        let _ = Fit::of(&opened.gguf, &opened.config, &LoadOptions::default(), &budget).map(|fit| fit.reason());
    }
});
