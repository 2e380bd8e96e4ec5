//! All that is done with a header before a GPU is needed: configuration, tokenizer, memory need.
#![no_main]

use libfuzzer_sys::fuzz_target;
use webgguf::gguf::{Parsed, parse};
use webgguf::model::{Budget, Fit, LoadOptions, arch};
use webgguf::session::{Opened, types};
use webgguf::source::MemorySource;

fuzz_target!(|data: &[u8]| {
    // Without the weights: mutations are spent on the header.
    if let Ok(Parsed::Done { gguf, .. }) = parse(data.to_vec(), None)
        && let Ok(config) = arch::config(&gguf)
    {
        let _ = types(&gguf);
        for total in [None, Some(1 << 20)] {
            let budget = Budget { total, buffer: 1 << 27 };
            let _ = Fit::of(&gguf, &config, &LoadOptions::default(), &budget).map(|fit| fit.reason());
        }
    }
    let source = MemorySource(data.to_vec());
    let _ = pollster::block_on(Opened::read(&source, &())).map(|opened| opened.config);
});
