//! Tokenizers against llama.cpp's own cases and against Hugging Face tokenizers and SentencePiece.

mod text;

use text::goldens::{check_hashes, check_tokenizer, corpus, fixture};
use text::{metadata, shared_file, shared_tokenizer};
use webgguf::formats::gguf::GgufWriter;
use webgguf::tokenizer::{DecodeOptions, EncodeOptions, Tokenizer};

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

/// Equal to the tokenizer the vocabulary was made with on the texts of `scripts/text/corpus.py`.
macro_rules! goldens {
    ($($name:ident: $golden:literal, $vocab:literal;)*) => {
        $(#[test]
        fn $name() {
            if let Some(tokenizer) = shared_tokenizer($vocab) {
                check_tokenizer($golden, &tokenizer);
            }
        })*
    };
}

goldens! {
    golden_gpt_2: "gpt-2", "llama.cpp-vocab/ggml-vocab-gpt-2.gguf";
    golden_gpt_neox: "gpt-neox", "llama.cpp-vocab/ggml-vocab-gpt-neox.gguf";
    golden_deepseek_llm: "deepseek-llm", "llama.cpp-vocab/ggml-vocab-deepseek-llm.gguf";
    golden_starcoder: "starcoder", "llama.cpp-vocab/ggml-vocab-starcoder.gguf";
    golden_refact: "refact", "llama.cpp-vocab/ggml-vocab-refact.gguf";
    golden_llama_bpe: "llama-bpe", "tokenizers/vocab-llama-bpe.gguf";
    golden_qwen2: "qwen2", "tokenizers/vocab-qwen2.gguf";
    golden_smollm2: "smollm2", "tokenizers/vocab-smollm2.gguf";
    golden_llama_spm: "llama-spm", "llama.cpp-vocab/ggml-vocab-llama-spm.gguf";
    golden_phi_3: "phi-3", "llama.cpp-vocab/ggml-vocab-phi-3.gguf";
    golden_baichuan: "baichuan", "llama.cpp-vocab/ggml-vocab-baichuan.gguf";
    golden_bert_bge: "bert-bge", "llama.cpp-vocab/ggml-vocab-bert-bge.gguf";
}

#[test]
fn golden_tiny_vocabularies() {
    for name in ["tiny-bpe", "tiny-raw-bpe", "tiny-spm", "tiny-unigram", "tiny-wordpiece"] {
        let bytes = std::fs::read(fixture(&format!("{name}.gguf"))).unwrap();
        check_tokenizer(name, &Tokenizer::from_gguf(&metadata(&bytes)).unwrap());
    }
}

/// The tiny BPE vocabulary as if made with another pre-tokenizer. Its merges run over words, digits and lines, so that
/// the ids tell how the text was cut.
fn with_pre(vocab: &str, pre: &str) -> Tokenizer {
    let source = metadata(&std::fs::read(fixture(vocab)).unwrap());
    let strings = |key: &str| source.array(key).unwrap().unwrap().strings().unwrap().collect::<Vec<_>>();
    let types = source.array("tokenizer.ggml.token_type").unwrap().unwrap().numbers().unwrap();
    let file = GgufWriter::default()
        .string("tokenizer.ggml.model", "gpt2")
        .string("tokenizer.ggml.pre", pre)
        .strings("tokenizer.ggml.tokens", &strings("tokenizer.ggml.tokens"))
        .strings("tokenizer.ggml.merges", &strings("tokenizer.ggml.merges"))
        .i32s("tokenizer.ggml.token_type", &types.map(|ty| ty as i32).collect::<Vec<_>>())
        .u32("tokenizer.ggml.bos_token_id", 2);
    Tokenizer::from_gguf(&metadata(&file.finish())).unwrap()
}

/// Every pre-tokenizer against that of Hugging Face tokenizers with the steps of the model's own file.
#[test]
fn golden_pre_tokenizers() {
    let texts = corpus();
    let mut n_pre = 0;
    for file in std::fs::read_dir(fixture("")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let Some(pre) = name.strip_prefix("pre-").and_then(|name| name.strip_suffix(".hashes")) else { continue };
        let vocab = if matches!(pre, "gemma4" | "sarvam-moe") { "tiny-raw-bpe.gguf" } else { "tiny-bpe.gguf" };
        let tokenizer = with_pre(vocab, pre);
        assert_eq!(tokenizer.warnings(), [""; 0]);
        check_hashes(&format!("pre-{pre}"), &texts, |text| tokenizer.encode(text, EncodeOptions::default()));
        n_pre += 1;
    }
    assert_eq!(n_pre, 33);
}
