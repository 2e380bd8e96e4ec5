//! From the metadata of a GGUF file to a [`Tokenizer`]. The keys are those of the GGUF specification
//! (<https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>) and of llama.cpp's converters.

use super::bpe::Bpe;
use super::charsmap::Charsmap;
use super::merges::{Merge, Merges};
use super::prefixes::Prefixes;
use super::pretokenize::{self, Rules};
use super::special::{NamedTokens, SpecialIds, SpecialMatcher, Strip};
use super::spm::{Spm, has_inner_space};
use super::unigram::Unigram;
use super::vocab::{Kind, Vocab};
use super::wordpiece::WordPiece;
use super::{Algorithm, Tokenizer, byte_level};
use crate::error::{Error, Result, bail};
use crate::formats::gguf::{Array, Metadata};

/// How the tokens of a file are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// Bytes in the alphabet of GPT-2.
    ByteLevel,
    /// UTF-8, with `▁` for a space.
    Spaces,
    /// As `Spaces`, but what is matched as a whole is written as in the text.
    SpacesInText,
    /// UTF-8, with `▁` before what begins a word.
    WordStarts,
}

/// The models that are supported.
#[derive(Clone, Copy)]
enum ModelKind {
    Bpe(&'static Rules),
    Spm,
    WordPiece,
    Unigram,
}

/// What the model expects where the file does not say.
struct Defaults {
    ids: SpecialIds,
    adds_bos: bool,
    adds_eos: bool,
    space_prefix: bool,
}

fn missing(key: &str) -> Error {
    Error::UnsupportedTokenizer(format!("metadata '{key}' is missing: the file holds no tokenizer"))
}

impl Tokenizer {
    /// Builds the tokenizer of a model file. It keeps its own copy of what it needs.
    ///
    /// # Errors
    /// `UnsupportedTokenizer` where the metadata has no tokenizer, one of an unknown kind or one that
    /// contradicts itself; `MalformedGguf` where a value has the wrong type.
    pub fn from_gguf(metadata: &Metadata) -> Result<Tokenizer> {
        let mut warnings = Vec::new();
        let kind = model_kind(metadata, &mut warnings)?;
        let spelling = kind.spelling();

        let mut named = NamedTokens::default();
        let mut vocab = read_vocab(metadata, spelling, &mut named)?;
        vocab.build_index();
        let merges = match kind {
            ModelKind::Bpe(_) => read_merges(metadata, &vocab, spelling, &mut warnings)?,
            _ => Merges::new(Vec::new()),
        };
        // What merges make is text, whatever it looks like: `</s>` is a tag of HTML to Qwen.
        named.forget(merges.merged());
        let defaults = kind.defaults();
        let ids = special_ids(metadata, &vocab, defaults.ids, &named, &mut warnings)?;
        let mut ending = named.end_of_generation(&ids, &mut vocab);
        for key in ["fim_pad", "fim_rep", "fim_sep"] {
            let id = metadata.u32(&format!("tokenizer.ggml.{key}_token_id"))?;
            ending.extend(id.filter(|&id| id < vocab.len()));
        }
        ending.sort_unstable();
        ending.dedup();
        vocab.build_index();
        let specials = SpecialMatcher::new(&vocab, strips(metadata, &vocab)?);

        let space_prefix = metadata.bool("tokenizer.ggml.add_space_prefix")?.unwrap_or(defaults.space_prefix);
        let adds = |key: &str, default: bool| -> Result<bool> { Ok(metadata.bool(key)?.unwrap_or(default)) };
        let mut adds_bos = adds("tokenizer.ggml.add_bos_token", defaults.adds_bos)?;
        let mut adds_eos = adds("tokenizer.ggml.add_eos_token", defaults.adds_eos)?;
        adds_bos |= matches!(kind, ModelKind::Bpe(rules) if rules.always_bos);
        for (adds, id, name) in [(&mut adds_bos, ids.bos, "BOS"), (&mut adds_eos, ids.eos, "EOS")] {
            if *adds && id.is_none() {
                warnings.push(format!("the file asks for {name} but has no such token: none is added"));
                *adds = false;
            }
        }
        let adds_separator = matches!(kind, ModelKind::WordPiece);

        let algorithm = match kind {
            ModelKind::Bpe(rules) => Algorithm::Bpe(Box::new(Bpe::new(rules, merges, byte_ids(&vocab, spelling)))),
            ModelKind::Spm => Algorithm::Spm(Spm {
                scores: read_scores(metadata, &vocab)?,
                byte_ids: byte_ids(&vocab, spelling),
                unknown: ids.unknown,
                max_token_bytes: (0..vocab.len()).map(|id| vocab.bytes(id).len()).max().unwrap_or(0),
                by_words: !vocab.ids_of(Kind::is_text).into_iter().any(|id| has_inner_space(vocab.bytes(id))),
            }),
            ModelKind::WordPiece => {
                let lowercase = metadata.bool("tokenizer.ggml.normalizer.lowercase")?.unwrap_or(true);
                let strip_accents = metadata.bool("tokenizer.ggml.normalizer.strip_accents")?;
                Algorithm::WordPiece(WordPiece {
                    prefixes: Prefixes::new(vocab.ids_of(Kind::is_text), &vocab),
                    unknown: ids.unknown,
                    lowercase,
                    strip_accents: strip_accents.unwrap_or(lowercase),
                })
            }
            ModelKind::Unigram => Algorithm::Unigram(Box::new(read_unigram(metadata, &vocab, &ids, space_prefix)?)),
        };
        Ok(Tokenizer {
            vocab,
            algorithm,
            specials,
            ids,
            ending,
            adds_bos,
            adds_eos,
            adds_separator,
            space_prefix,
            warnings,
        })
    }
}

fn model_kind(metadata: &Metadata, warnings: &mut Vec<String>) -> Result<ModelKind> {
    let key = "tokenizer.ggml.model";
    let model = metadata.str(key)?.ok_or_else(|| missing(key))?;
    Ok(match model {
        "gpt2" => ModelKind::Bpe(match metadata.str("tokenizer.ggml.pre")? {
            Some(pre) => pretokenize::rules(pre).unwrap_or_else(|| {
                warnings.push(format!(
                    "the pre-tokenizer '{pre}' is unknown, the default one is used: text may be cut into other \
                     tokens than the model was trained with"
                ));
                pretokenize::default_rules()
            }),
            None => {
                warnings.push(
                    "the file names no pre-tokenizer (tokenizer.ggml.pre), the default one is used: text may be cut \
                     into other tokens than the model was trained with"
                        .into(),
                );
                pretokenize::default_rules()
            }
        }),
        "gemma4" => ModelKind::Bpe(pretokenize::rules("gemma4").ok_or_else(|| missing("gemma4"))?),
        "llama" => ModelKind::Spm,
        "bert" => ModelKind::WordPiece,
        "t5" => ModelKind::Unigram,
        _ => bail!(
            UnsupportedTokenizer,
            "the tokenizer model is '{model}'; gpt2, gemma4, llama, bert and t5 are supported"
        ),
    })
}

impl ModelKind {
    fn spelling(self) -> Spelling {
        match self {
            ModelKind::Bpe(rules) if rules.byte_level => Spelling::ByteLevel,
            ModelKind::Bpe(_) => Spelling::SpacesInText,
            ModelKind::WordPiece => Spelling::WordStarts,
            ModelKind::Spm | ModelKind::Unigram => Spelling::Spaces,
        }
    }

    fn defaults(self) -> Defaults {
        let (ids, adds_bos, adds_eos, space_prefix) = match self {
            ModelKind::Bpe(rules) => (SpecialIds::default(), rules.add_bos, false, false),
            ModelKind::Spm => {
                let ids = SpecialIds { bos: Some(1), eos: Some(2), unknown: Some(0), ..SpecialIds::default() };
                (ids, true, false, true)
            }
            ModelKind::WordPiece => {
                let ids = SpecialIds {
                    bos: Some(101),
                    separator: Some(102),
                    unknown: Some(100),
                    padding: Some(0),
                    mask: Some(103),
                    ..SpecialIds::default()
                };
                (ids, true, false, false)
            }
            ModelKind::Unigram => {
                let ids = SpecialIds { eos: Some(1), unknown: Some(2), padding: Some(0), ..SpecialIds::default() };
                (ids, false, true, false)
            }
        };
        Defaults { ids, adds_bos, adds_eos, space_prefix }
    }
}

/// The elements of an array of numbers.
fn numbers<'a>(array: Array<'a>, key: &str) -> Result<impl Iterator<Item = f64> + use<'a>> {
    let ty = array.ty;
    array
        .numbers()
        .ok_or_else(|| Error::UnsupportedTokenizer(format!("metadata '{key}' is an array of {ty:?}, not of numbers")))
}

/// The elements of an array of strings.
fn strings<'a>(array: Array<'a>, key: &str) -> Result<impl Iterator<Item = &'a [u8]> + use<'a>> {
    let ty = array.ty;
    array
        .strings()
        .ok_or_else(|| Error::UnsupportedTokenizer(format!("metadata '{key}' is an array of {ty:?}, not of strings")))
}

/// An array with a number for each token, if it is there.
fn per_token<'a>(
    metadata: &'a Metadata,
    key: &str,
    n_tokens: usize,
) -> Result<Option<impl Iterator<Item = f64> + use<'a>>> {
    let Some(array) = metadata.array(key)? else {
        return Ok(None);
    };
    if array.len < n_tokens {
        bail!(
            UnsupportedTokenizer,
            "metadata '{key}' has {} elements, one for each of {n_tokens} tokens is needed",
            array.len
        );
    }
    Ok(Some(numbers(array, key)?.take(n_tokens)))
}

fn read_vocab(metadata: &Metadata, spelling: Spelling, named: &mut NamedTokens) -> Result<Vocab> {
    let key = "tokenizer.ggml.tokens";
    let tokens = metadata.array(key)?.ok_or_else(|| missing(key))?;
    let n_tokens = tokens.len;
    if n_tokens == 0 {
        bail!(UnsupportedTokenizer, "metadata '{key}' is empty");
    }
    let mut kinds = per_token(metadata, "tokenizer.ggml.token_type", n_tokens)?;
    let n_bytes = strings(tokens, key)?.map(<[u8]>::len).sum();
    let mut vocab = Vocab::with_capacity(n_tokens, n_bytes);
    for (id, text) in strings(tokens, key)?.enumerate() {
        let byte = byte_token(text);
        let mut kind = match &mut kinds {
            Some(kinds) => kinds.next().map_or(Kind::Normal, Kind::from_number),
            None if byte.is_some() && spelling != Spelling::ByteLevel => Kind::Byte,
            None => Kind::Normal,
        };
        // Nobody types `▁`: such a token is what merges make, whatever its kind.
        if kind == Kind::UserDefined && spelling == Spelling::SpacesInText && text.starts_with("▁".as_bytes()) {
            kind = Kind::Normal;
        }
        named.see(id as u32, text);
        vocab.push(kind, |out| match (kind, byte) {
            (Kind::Byte, Some(byte)) => out.push(byte),
            _ => spelling.decode(kind, text, out),
        });
    }
    Ok(vocab)
}

impl Spelling {
    /// Appends the bytes that a token of the file stands for.
    fn decode(self, kind: Kind, text: &[u8], out: &mut Vec<u8>) {
        match (self, kind) {
            (Spelling::ByteLevel, Kind::Normal | Kind::Unused) => byte_level::decode(text, out),
            (Spelling::Spaces, Kind::Normal | Kind::Unused | Kind::UserDefined)
            | (Spelling::SpacesInText, Kind::Normal | Kind::Unused) => {
                let mut rest = text;
                while let Some((&byte, tail)) = rest.split_first() {
                    let after_mark = rest.strip_prefix("▁".as_bytes());
                    out.push(if after_mark.is_some() { b' ' } else { byte });
                    rest = after_mark.unwrap_or(tail);
                }
            }
            (Spelling::WordStarts, Kind::Normal | Kind::Unused) => {
                let word = text.strip_prefix("▁".as_bytes());
                out.extend(word.map(|_| b' '));
                out.extend_from_slice(word.unwrap_or(text));
            }
            _ => out.extend_from_slice(text),
        }
    }
}

/// The byte of a token `<0x0A>`.
fn byte_token(text: &[u8]) -> Option<u8> {
    let digits = text.strip_prefix(b"<0x")?.strip_suffix(b">")?;
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.len() == 2)?;
    u8::from_str_radix(digits, 16).ok()
}

/// The tokens that single bytes become: `<0x00>` to `<0xFF>`, or in a byte-level vocabulary those of one byte.
fn byte_ids(vocab: &Vocab, spelling: Spelling) -> Box<[Option<u32>; 256]> {
    let mut ids = Box::new([None; 256]);
    for id in vocab.ids_of(|kind| kind == Kind::Byte) {
        if let &[byte] = vocab.bytes(id) {
            ids[usize::from(byte)].get_or_insert(id);
        }
    }
    if spelling == Spelling::ByteLevel {
        for byte in 0..=255 {
            let slot = &mut ids[usize::from(byte)];
            *slot = vocab.find(&[byte]).or(*slot);
        }
    }
    ids
}

/// The ids of the file, or else the defaults that are in the vocabulary, or else those of well-known names.
fn special_ids(
    metadata: &Metadata,
    vocab: &Vocab,
    defaults: SpecialIds,
    named: &NamedTokens,
    warnings: &mut Vec<String>,
) -> Result<SpecialIds> {
    let mut id = |name: &str, default: Option<u32>| -> Result<Option<u32>> {
        let key = format!("tokenizer.ggml.{name}_token_id");
        let default = default.filter(|&id| id < vocab.len());
        match metadata.u32(&key)? {
            Some(id) if id >= vocab.len() => {
                warnings.push(format!("metadata '{key}' is {id}, beyond the {} tokens: it is ignored", vocab.len()));
                Ok(default)
            }
            id => Ok(id.or(default)),
        }
    };
    // What older files of BERT call `cls` is `bos` in newer ones.
    let cls = id("cls", defaults.bos)?;
    Ok(SpecialIds {
        bos: id("bos", cls)?,
        eos: id("eos", defaults.eos)?,
        eot: id("eot", None)?.or(named.end_of_turn()),
        eom: id("eom", None)?.or(named.end_of_message),
        unknown: id("unknown", defaults.unknown)?,
        // The key is misspelt in the specification.
        separator: id("seperator", defaults.separator)?,
        padding: id("padding", defaults.padding)?,
        mask: id("mask", defaults.mask)?,
    })
}

/// Tokens that take the white space around them. GGUF files do not say which, so this goes by the model's name, as
/// in llama.cpp.
fn strips(metadata: &Metadata, vocab: &Vocab) -> Result<Vec<(u32, Strip)>> {
    let text = |key: &str| -> Result<String> { Ok(metadata.str(key)?.unwrap_or_default().to_lowercase()) };
    let (pre, architecture) = (text("tokenizer.ggml.pre")?, text("general.architecture")?);
    let name = metadata.description("general.name").unwrap_or_default().to_lowercase();
    let is_named = |id: &u32, name: &str| vocab.bytes(*id) == name.as_bytes();
    let specials = vocab.ids_of(Kind::is_special);
    let mask = if ["jina-v2-de", "jina-v2-es", "jina-v2-code"].contains(&pre.as_str())
        || ["nomic-bert-moe", "jina-bert-v3"].contains(&architecture.as_str())
    {
        "<mask>"
    } else if name.contains("phi-3") || name.contains("phi3") {
        let keeps = |id: &u32| ["<unk>", "<s>", "<|endoftext|>"].iter().any(|name| is_named(id, name));
        return Ok(specials.into_iter().filter(|id| !keeps(id)).map(|id| (id, Strip::After)).collect());
    } else if name.contains("modern-bert") {
        "[MASK]"
    } else {
        return Ok(Vec::new());
    };
    Ok(specials.into_iter().filter(|id| is_named(id, mask)).map(|id| (id, Strip::Before)).collect())
}

fn read_scores(metadata: &Metadata, vocab: &Vocab) -> Result<Vec<f32>> {
    let key = "tokenizer.ggml.scores";
    match per_token(metadata, key, vocab.len() as usize)? {
        Some(scores) => {
            let scores: Vec<f32> = scores.map(|score| score as f32).collect();
            if let Some(id) = scores.iter().position(|score| score.is_nan()) {
                bail!(UnsupportedTokenizer, "metadata '{key}' is NaN for token {id}, a number is needed");
            }
            Ok(scores)
        }
        None => bail!(UnsupportedTokenizer, "metadata '{key}' is missing, which this tokenizer needs"),
    }
}

fn read_unigram(metadata: &Metadata, vocab: &Vocab, ids: &SpecialIds, add_space_prefix: bool) -> Result<Unigram> {
    let key = "tokenizer.ggml.precompiled_charsmap";
    let charsmap: Vec<u8> = match metadata.array(key)? {
        Some(array) => numbers(array, key)?.map(|n| n as i64 as u8).collect(),
        None => Vec::new(),
    };
    let scores = read_scores(metadata, vocab)?;
    let normal = vocab.ids_of(|kind| kind == Kind::Normal);
    let min_score = normal.iter().map(|&id| scores[id as usize]).reduce(f32::min).unwrap_or(0.0);
    Ok(Unigram {
        prefixes: Prefixes::new(vocab.ids_of(Kind::is_text), vocab),
        scores,
        min_score,
        charsmap: Charsmap::parse(&charsmap)?,
        unknown: ids.unknown,
        byte_ids: byte_ids(vocab, Spelling::Spaces),
        add_space_prefix,
        remove_extra_spaces: metadata.bool("tokenizer.ggml.remove_extra_whitespaces")?.unwrap_or(false),
    })
}

/// The merges, each `left right`.
fn read_merges(metadata: &Metadata, vocab: &Vocab, spelling: Spelling, warnings: &mut Vec<String>) -> Result<Merges> {
    let key = "tokenizer.ggml.merges";
    let array = metadata.array(key)?.ok_or_else(|| missing(key))?;
    let mut merges = Vec::with_capacity(array.len);
    let mut spelt = Vec::new();
    let mut n_unknown = 0;
    for (rank, merge) in strings(array, key)?.enumerate() {
        // A left side may start with a space.
        let Some(space) = merge.iter().skip(1).position(|&byte| byte == b' ') else {
            bail!(
                UnsupportedTokenizer,
                "merge {rank} of the tokenizer is '{}', two tokens with a space between them are needed",
                String::from_utf8_lossy(merge)
            );
        };
        spelt.clear();
        spelling.decode(Kind::Normal, &merge[..=space], &mut spelt);
        let middle = spelt.len();
        spelling.decode(Kind::Normal, &merge[space + 2..], &mut spelt);
        match (vocab.find(&spelt[..middle]), vocab.find(&spelt[middle..]), vocab.find(&spelt)) {
            (Some(left), Some(right), Some(merged)) => merges.push(Merge { left, right, merged }),
            _ => n_unknown += 1,
        }
    }
    if n_unknown > 0 {
        warnings.push(format!(
            "{n_unknown} of {} merges name tokens that are not in the vocabulary: they are ignored",
            array.len
        ));
    }
    Ok(Merges::new(merges))
}
