//! Tokenizers against llama.cpp's own cases and against Hugging Face tokenizers and SentencePiece.

mod text;

use text::{shared_file, shared_tokenizer};
use webgguf::tokenizer::{DecodeOptions, EncodeOptions};

/// llama.cpp's test cases: `.inp` holds the texts, `.out` their ids without BOS and EOS.
fn llama_cpp_cases(vocab: &str, cases: &str, lossless: bool) {
    let Some(tokenizer) = shared_tokenizer(vocab) else {
        return;
    };
    let read = |ext: &str| shared_file(&format!("{cases}.{ext}")).map(|path| std::fs::read_to_string(path).unwrap());
    let (Some(inputs), Some(outputs)) = (read("inp"), read("out")) else {
        return;
    };
    let inputs: Vec<&str> = inputs.split("\n__ggml_vocab_test__\n").collect();
    // The last case is the empty text, which has no ids and in some files no line.
    let ids = |line: &str| line.split_whitespace().map(|id| id.parse().unwrap()).collect();
    let mut outputs: Vec<Vec<u32>> = outputs.lines().map(ids).collect();
    outputs.resize(inputs.len(), Vec::new());
    let mut n_equal = 0;
    for (input, wanted) in inputs.iter().zip(&outputs) {
        let ids = tokenizer.encode(input, EncodeOptions::default());
        if ids == *wanted {
            n_equal += 1;
        } else {
            println!("{vocab}: {input:?}\n  wanted {wanted:?}\n  got    {ids:?}");
        }
        if lossless {
            assert_eq!(tokenizer.decode(&ids, DecodeOptions::default()), *input);
        }
    }
    println!("{vocab}: {n_equal} of {} cases", outputs.len());
    assert_eq!(n_equal, outputs.len());
    assert_eq!(outputs.len(), 47);
    assert_eq!(tokenizer.warnings(), [""; 0]);
}

macro_rules! llama_cpp_cases {
    ($($name:ident: $vocab:literal, $cases:literal, $lossless:literal;)*) => {
        $(#[test]
        fn $name() {
            llama_cpp_cases($vocab, $cases, $lossless);
        })*
    };
}

llama_cpp_cases! {
    llama_spm: "llama.cpp-vocab/ggml-vocab-llama-spm.gguf", "llama.cpp-vocab/ggml-vocab-llama-spm.gguf", true;
    phi_3: "llama.cpp-vocab/ggml-vocab-phi-3.gguf", "llama.cpp-vocab/ggml-vocab-phi-3.gguf", true;
    gpt_2: "llama.cpp-vocab/ggml-vocab-gpt-2.gguf", "llama.cpp-vocab/ggml-vocab-gpt-2.gguf", true;
    deepseek_llm: "llama.cpp-vocab/ggml-vocab-deepseek-llm.gguf", "llama.cpp-vocab/ggml-vocab-deepseek-llm.gguf", true;
    starcoder: "llama.cpp-vocab/ggml-vocab-starcoder.gguf", "llama.cpp-vocab/ggml-vocab-starcoder.gguf", true;
    refact: "llama.cpp-vocab/ggml-vocab-refact.gguf", "llama.cpp-vocab/ggml-vocab-refact.gguf", true;
    bert_bge: "llama.cpp-vocab/ggml-vocab-bert-bge.gguf", "llama.cpp-vocab/ggml-vocab-bert-bge.gguf", false;
    smollm2: "tokenizers/vocab-smollm2.gguf", "tokenizers/vocab-smollm2.gguf", true;
    llama_bpe: "tokenizers/vocab-llama-bpe.gguf", "llama.cpp-vocab/ggml-vocab-llama-bpe.gguf", true;
    qwen2: "tokenizers/vocab-qwen2.gguf", "llama.cpp-vocab/ggml-vocab-qwen2.gguf", true;
    deepseek_r1_qwen: "tokenizers/vocab-qwen2.gguf", "llama.cpp-vocab/ggml-vocab-deepseek-r1-qwen.gguf", true;
}
