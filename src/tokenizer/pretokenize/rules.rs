//! The pre-tokenizers by their name in `tokenizer.ggml.pre`.
//!
//! A name stands for the pre-tokenizer of the model it was made for, so the patterns are those of that model's
//! `tokenizer.json`, and what it was trained with. llama.cpp knows the same names but approximates some patterns,
//! as its regular expressions have neither cases nor marks of other scripts; where that shows, a comment says so.

use super::Split::{self, FromRight, Pattern};
use crate::tokenizer::unicode::Category;

/// A pre-tokenizer and the defaults of tokenizers that use it.
pub(crate) struct Rules {
    pub names: &'static [&'static str],
    pub splits: &'static [Split],
    /// A piece that is a token is that token, whatever the merges say.
    pub ignore_merges: bool,
    /// Where `tokenizer.ggml.add_bos_token` is absent.
    pub add_bos: bool,
    /// The text begins with BOS even where `tokenizer.ggml.add_bos_token` says no: files of Gemma 4 do, wrongly.
    pub always_bos: bool,
    /// A run of newlines that is a token is that token: its merges are lost in GGUF files, as they hold newlines.
    pub newline_runs: bool,
    /// Tokens spell bytes with the alphabet of GPT-2; otherwise they are UTF-8 with `▁` for a space.
    pub byte_level: bool,
}

/// What most have; rows name what they have otherwise.
const PLAIN: Rules = Rules {
    names: &[],
    splits: &[],
    ignore_merges: false,
    add_bos: false,
    always_bos: false,
    newline_runs: false,
    byte_level: true,
};

const DIGIT: Split = Pattern(r"\p{N}");
const DIGITS_3: Split = Pattern(r"\p{N}{1,3}");
const GPT_2: Split = Pattern(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+");
const LLAMA_3: Split = Pattern(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
);
const QWEN_2: Split = Pattern(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
);
/// llama.cpp takes every letter beyond ASCII for both cases and ends a word at a mark.
const GPT_4O: Split = Pattern(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
);
const BLOOM: Split = Pattern(r" ?[^(\s|.,!?…。，、।۔،)]+");
const CJK_DEEPSEEK: Split = Pattern("[\u{4e00}-\u{9fa5}\u{800}-\u{4e00}\u{ac00}-\u{d7ff}]+");
const HAN_KANA: Split = Pattern("[\u{4e00}-\u{9fa5}\u{3040}-\u{309f}\u{30a0}-\u{30ff}]+");
const WORDS_DEEPSEEK_3: Split = Pattern(
    r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##,
);
/// A newline is never merged with anything else, and nothing else is split.
const LINES: Split = Pattern(r"[^\n]+|[\n]+");

/// The first row is for files that name no pre-tokenizer, or one that is unknown.
pub(super) const RULES: &[Rules] = &[
    Rules {
        names: &["default"],
        splits: &[Pattern(r"[\p{P}\$\+<=>\^~\|]+"), GPT_2, Pattern(r"\p{N}+"), Pattern("[0-9][0-9][0-9]")],
        ..PLAIN
    },
    Rules {
        names: &[
            "gpt-2",
            "phi-2",
            "jina-es",
            "jina-de",
            "gigachat",
            "jina-v2-es",
            "jina-v2-de",
            "a.x-4.0",
            "mellum",
            "modern-bert",
            "jina-v1-en",
            "jina-v2-code",
            "roberta-bpe",
            "exaone4",
            "mpt",
            "olmo",
            "jais",
            "trillion",
            "granite-docling",
        ],
        splits: &[GPT_2],
        ..PLAIN
    },
    Rules {
        names: &[
            "starcoder",
            "refact",
            "granite",
            "command-r",
            "smollm",
            "codeshell",
            "exaone",
            "minerva-7b",
            "mellum2",
        ],
        splits: &[DIGIT, GPT_2],
        ..PLAIN
    },
    Rules {
        names: &[
            "llama3",
            "llama-v3",
            "llama-bpe",
            "falcon3",
            "falcon-h1",
            "pixtral",
            "midm-2.0",
            "lfm2",
            "jina-v5-nano",
        ],
        splits: &[LLAMA_3],
        ignore_merges: true,
        add_bos: true,
        ..PLAIN
    },
    Rules { names: &["dbrx", "smaug-bpe", "chatglm-bpe"], splits: &[LLAMA_3], ..PLAIN },
    Rules { names: &["glm4", "glm5"], splits: &[LLAMA_3], ignore_merges: true, ..PLAIN },
    Rules {
        names: &["jais-2"],
        splits: &[Pattern(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}",
        )],
        ..PLAIN
    },
    Rules {
        names: &[
            "qwen2",
            "deepseek-r1-qwen",
            "kormo",
            "f2llmv2",
            "megrez",
            "stablelm2",
            "hunyuan",
            "solar-open",
            "grok-2",
        ],
        splits: &[QWEN_2],
        ..PLAIN
    },
    Rules {
        names: &["qwen35"],
        splits: &[Pattern(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        )],
        ..PLAIN
    },
    Rules { names: &["laguna"], splits: &[LINES, QWEN_2], ..PLAIN },
    Rules {
        // No contractions: Turkish suffixes stay with their apostrophe.
        names: &["ufakzeka"],
        splits: &[Pattern(r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")],
        ..PLAIN
    },
    Rules {
        names: &["seed-coder"],
        splits: &[Pattern(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+",
        )],
        ..PLAIN
    },
    Rules {
        names: &["bailingmoe", "bailingmoe2", "llada-moe"],
        splits: &[Pattern(
            r"(?i:'s|'d|'m|'t|'ll|'ve|'re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
        )],
        ..PLAIN
    },
    Rules {
        names: &["exaone-moe"],
        splits: &[Pattern(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+",
        )],
        ..PLAIN
    },
    Rules {
        names: &["minicpm5"],
        splits: &[
            DIGITS_3,
            Pattern(
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            ),
        ],
        ignore_merges: true,
        ..PLAIN
    },
    Rules { names: &["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"], splits: &[GPT_4O], ..PLAIN },
    Rules { names: &["granite-embed-multi-97m"], splits: &[GPT_4O], ignore_merges: true, ..PLAIN },
    Rules {
        names: &["tiny_aya", "cohere2moe"],
        splits: &[FromRight { digits: Category::mask("Nd"), to_word_end: true }, GPT_4O],
        ..PLAIN
    },
    Rules {
        // llama.cpp: as for GPT_4O.
        names: &["tekken"],
        splits: &[Pattern(
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        )],
        ignore_merges: true,
        add_bos: true,
        ..PLAIN
    },
    Rules {
        // llama.cpp: as for GPT_4O.
        names: &["youtu"],
        splits: &[
            Pattern(
                "[\u{ac00}-\u{d7a3}\u{3131}-\u{318e}]+|[\u{ff01}\u{2026}\u{201c}\u{201d}\u{2018}\u{2019}\u{2014}\
                 \u{ff1a}\u{ff1b}\u{ff0c}\u{3001}-\u{303f}\u{fe30}-\u{fe4f}]+|[\u{3105}-\u{312f}]+|[\u{4e00}-\
                 \u{9fa5}\u{3040}-\u{309f}\u{30a0}-\u{30ff}]+",
            ),
            Pattern(
                r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            ),
        ],
        ignore_merges: true,
        ..PLAIN
    },
    Rules {
        // llama.cpp: neither cases nor marks, and Han without its punctuation-like letters.
        names: &["kimi-k2"],
        splits: &[Pattern(
            r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        )],
        ..PLAIN
    },
    Rules {
        names: &["deepseek-llm"],
        splits: &[
            Pattern(r"[\r\n]"),
            Pattern(
                "\\s?[A-Za-z\u{b5}\u{c0}-\u{d6}\u{d8}-\u{f6}\u{f8}-\u{1ba}\u{1bc}-\u{1bf}\u{1c4}-\u{293}\u{295}-\
                 \u{2af}\u{370}-\u{373}\u{376}\u{377}\u{37b}-\u{37d}\u{37f}\u{386}\u{388}-\u{38a}\u{38c}\u{38e}-\
                 \u{3a1}\u{3a3}-\u{3f5}\u{3f7}-\u{481}\u{48a}-\u{52f}\u{531}-\u{556}\u{10a0}-\u{10c5}\u{13a0}-\
                 \u{13f5}\u{13f8}-\u{13fd}\u{1c90}-\u{1cba}\u{1cbd}-\u{1cbf}\u{1d00}-\u{1d2b}\u{1d6b}-\u{1d77}\
                 \u{1d79}-\u{1d9a}\u{1e00}-\u{1f15}\u{1f18}-\u{1f1d}\u{1f20}-\u{1f45}\u{1f48}-\u{1f4d}\u{1f50}-\
                 \u{1f57}\u{1f59}\u{1f5b}\u{1f5d}\u{1f5f}-\u{1f7d}\u{1f80}-\u{1fb4}\u{1fb6}-\u{1fbc}\u{1fbe}\
                 \u{1fc2}-\u{1fc4}\u{1fc6}-\u{1fcc}\u{1fd0}-\u{1fd3}\u{1fd6}-\u{1fdb}\u{1fe0}-\u{1fec}\u{1ff2}-\
                 \u{1ff4}\u{1ff6}-\u{1ffc}\u{2102}\u{2107}\u{210a}-\u{2113}\u{2115}\u{2119}-\u{211d}\u{2124}\
                 \u{2126}\u{2128}\u{212a}-\u{212d}\u{212f}-\u{2134}\u{2139}\u{213c}-\u{213f}\u{2145}-\u{2149}\
                 \u{214e}\u{2183}\u{2184}\u{2c00}-\u{2c7b}\u{2c7e}-\u{2ce4}\u{2ceb}-\u{2cee}\u{2cf2}\u{2cf3}\
                 \u{a640}-\u{a66d}\u{a680}-\u{a69b}\u{a722}-\u{a76f}\u{a771}-\u{a787}\u{a78b}-\u{a78e}\u{ab70}-\
                 \u{abbf}\u{fb00}-\u{fb06}\u{fb13}-\u{fb17}\u{ff21}-\u{ff3a}\u{ff41}-\u{ff5a}\u{10400}-\u{1044f}\
                 \u{104b0}-\u{104d3}\u{104d8}-\u{104fb}\u{10c80}-\u{10cb2}\u{10cc0}-\u{10cf2}\u{118a0}-\u{118df}\
                 \u{1e900}-\u{1e943}]+",
            ),
            Pattern("\\s?[!-/:-~\u{ff01}-\u{ff0f}\u{ff1a}-\u{ff5e}\u{2018}-\u{201f}\u{3000}-\u{3002}]+"),
            Pattern(r"\s+$"),
            CJK_DEEPSEEK,
            DIGIT,
        ],
        ..PLAIN
    },
    Rules {
        names: &["deepseek-coder"],
        splits: &[Pattern(r"[\r\n]"), Pattern(r"\s?\p{L}+"), Pattern(r"\s?\p{P}+"), CJK_DEEPSEEK, DIGIT],
        ..PLAIN
    },
    Rules {
        names: &["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"],
        splits: &[DIGITS_3, HAN_KANA, WORDS_DEEPSEEK_3],
        ..PLAIN
    },
    Rules {
        names: &["spark2_5"],
        splits: &[
            DIGITS_3,
            HAN_KANA,
            Pattern(
                r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+"##,
            ),
            DIGIT,
        ],
        ..PLAIN
    },
    Rules {
        names: &["afmoe"],
        splits: &[
            FromRight { digits: Category::mask("N"), to_word_end: false },
            Pattern(
                // CJK, kana, radicals, Thai, Lao, Khmer, Myanmar, Hangul. llama.cpp starts the compatibility ideographs
                // at U+8C48, to which the normalization NFC turns U+F900.
                "[\u{4e00}-\u{9fff}\u{3400}-\u{4dbf}\u{f900}-\u{faff}\u{3040}-\u{309f}\u{30a0}-\u{30ff}\u{ff65}-\
                 \u{ff9f}\u{2f00}-\u{2fdf}\u{e40}-\u{e7f}\u{e80}-\u{eff}\u{1780}-\u{17ff}\u{1000}-\u{109f}\
                 \u{aa60}-\u{aa7f}\u{a9e0}-\u{a9ff}\u{ac00}-\u{d7af}\u{1100}-\u{11ff}]+",
            ),
            WORDS_DEEPSEEK_3,
        ],
        ..PLAIN
    },
    Rules {
        names: &["superbpe"],
        splits: &[Pattern(r"\p{N}+"), FromRight { digits: Category::mask("Nd"), to_word_end: false }],
        ..PLAIN
    },
    Rules {
        names: &["falcon"],
        splits: &[Pattern(r"[\p{P}\$\+<=>\^~\|`]+"), GPT_2, Pattern("[0-9][0-9][0-9]")],
        ..PLAIN
    },
    Rules { names: &["poro-chat", "bloom", "gpt3-finnish"], splits: &[BLOOM], ..PLAIN },
    Rules { names: &["viking"], splits: &[BLOOM, DIGIT], ..PLAIN },
    Rules {
        names: &["chameleon"],
        splits: &[
            Pattern("<sentinel:[0-9]+>"),
            Pattern("IMGIMG[A-I]{1,4}Z"),
            Pattern(r"[\t\n]|    |  "),
            DIGIT,
            Pattern(r"[\p{P}!-/:-@\[-`{-~]"),
            GPT_2,
        ],
        add_bos: true,
        ..PLAIN
    },
    Rules {
        names: &["gemma4", "granite-embed-multi-311m"],
        splits: &[LINES],
        always_bos: true,
        newline_runs: true,
        byte_level: false,
        ..PLAIN
    },
    Rules { names: &["sarvam-moe"], splits: &[LINES], byte_level: false, ..PLAIN },
];
