//! The pre-tokenizers by their name in `tokenizer.ggml.pre`.
//!
//! A name stands for the pre-tokenizer of the model it was made for, so the patterns are those of that model's
//! `tokenizer.json`, and what it was trained with. llama.cpp knows the same names but approximates some patterns,
//! as its regular expressions have neither cases nor marks of other scripts; where that shows, a comment says so.

use super::Split::{self, DigitsFromRight, Pattern};

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
const CJK_DEEPSEEK: Split = Pattern("[一-龥ࠀ-一가-퟿]+");
const HAN_KANA: Split = Pattern("[一-龥぀-ゟ゠-ヿ]+");
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
        names: &["starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2"],
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
    Rules { names: &["tiny_aya", "cohere2moe"], splits: &[DigitsFromRight { to_word_end: true }, GPT_4O], ..PLAIN },
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
            Pattern("[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+"),
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
                r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+",
            ),
            Pattern(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"),
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
            DigitsFromRight { to_word_end: false },
            Pattern("[一-鿿㐀-䶿豈-﫿぀-ゟ゠-ヿ･-ﾟ⼀-⿟เ-๿຀-໿ក-៿က-႟ꩠ-ꩿꧠ-꧿가-힯ᄀ-ᇿ]+"),
            WORDS_DEEPSEEK_3,
        ],
        ..PLAIN
    },
    Rules { names: &["superbpe"], splits: &[Pattern(r"\p{N}+"), DigitsFromRight { to_word_end: false }], ..PLAIN },
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
