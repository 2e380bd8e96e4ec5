//! Special tokens: which ids have a role, which end the generation, and finding them in a text.

use super::prefixes::Prefixes;
use super::vocab::{Kind, Vocab};

/// The ids with a role, where the file or a well-known name gives one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpecialIds {
    /// Beginning of the text; what BERT calls `[CLS]`.
    pub bos: Option<u32>,
    /// End of the text.
    pub eos: Option<u32>,
    /// End of a turn.
    pub eot: Option<u32>,
    /// End of a message that calls a tool.
    pub eom: Option<u32>,
    pub unknown: Option<u32>,
    /// `[SEP]` of BERT.
    pub separator: Option<u32>,
    pub padding: Option<u32>,
    pub mask: Option<u32>,
}

/// Names by which files mark the end of a turn, the more telling first: a base model's `<|endoftext|>` is there in
/// many chat models, too.
const END_OF_TURN: [&str; 11] = [
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<end_of_turn>",
    "<end_of_utterance>",
    "[EOT]",
    "<EOT>",
    "_<EOT>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<｜end▁of▁sentence｜>",
];

const END_OF_MESSAGE: &str = "<|eom_id|>";

/// Names of tokens that end the generation, beside those above: of gpt-oss (`<|return|>`, `<|call|>`), Solar
/// (`<|flush|>`, `<|calls|>`), PaddleOCR (`</s>`), Kimi (`[EOS]`), Gemma 4 and MiniMax (`[e~[`).
const END_OF_GENERATION: [&str; 10] = [
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "</s>",
    "[EOS]",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
    "[e~[",
];

/// Names of tokens of fill-in-the-middle prompts, which a completion must not run into.
const FILL_IN_THE_MIDDLE: [&str; 11] = [
    "<|fim_pad|>",
    "<fim-pad>",
    "<fim_pad>",
    "<PAD>",
    "[PAD]",
    "<|fim_repo|>",
    "<|repo_name|>",
    "<fim-repo>",
    "<REPO>",
    "<reponame>",
    "<|file_sep|>",
];

/// Tokens of gpt-oss that are part of what the model says.
const SHOWN: [&str; 4] = ["<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"];

/// What the well-known names of a vocabulary say.
#[derive(Debug, Default)]
pub(super) struct NamedTokens {
    end_of_turn: [Option<u32>; END_OF_TURN.len()],
    pub end_of_message: Option<u32>,
    end_of_generation: [Option<u32>; END_OF_GENERATION.len()],
    fill_in_the_middle: [Option<u32>; FILL_IN_THE_MIDDLE.len()],
    shown: [Option<u32>; SHOWN.len()],
}

impl NamedTokens {
    fn lists(&mut self) -> [(&[&str], &mut [Option<u32>]); 5] {
        [
            (&END_OF_TURN, &mut self.end_of_turn),
            (&[END_OF_MESSAGE], std::slice::from_mut(&mut self.end_of_message)),
            (&END_OF_GENERATION, &mut self.end_of_generation),
            (&FILL_IN_THE_MIDDLE, &mut self.fill_in_the_middle),
            (&SHOWN, &mut self.shown),
        ]
    }

    /// Looks at the text of a token as the file has it.
    pub fn see(&mut self, id: u32, text: &[u8]) {
        // All names start with one of these, and few tokens do.
        if !matches!(text.first(), Some(b'<' | b'[' | b'_')) {
            return;
        }
        for (names, ids) in self.lists() {
            if let Some(i) = names.iter().position(|name| name.as_bytes() == text) {
                ids[i].get_or_insert(id);
            }
        }
    }

    /// Forgets the tokens that are among `ids`.
    pub fn forget(&mut self, ids: impl Iterator<Item = u32>) {
        let mut named: Vec<&mut Option<u32>> = self.lists().into_iter().flat_map(|(_, ids)| ids).collect();
        named.retain(|slot| slot.is_some());
        for id in ids {
            named.iter_mut().filter(|slot| ***slot == Some(id)).for_each(|slot| **slot = None);
        }
    }

    pub fn end_of_turn(&self) -> Option<u32> {
        self.end_of_turn.iter().flatten().next().copied()
    }

    fn named(&self, name: &str) -> Option<u32> {
        let i = END_OF_GENERATION.iter().position(|&n| n == name)?;
        self.end_of_generation[i]
    }

    /// Gives the named tokens the kinds they should have had in the file, and returns the tokens that end the
    /// generation, sorted. The rules are llama.cpp's.
    pub fn end_of_generation(&self, ids: &SpecialIds, vocab: &mut Vocab) -> Vec<u32> {
        let named = self.end_of_turn.iter().chain(&self.end_of_generation).chain(&self.fill_in_the_middle);
        let mut ending: Vec<u32> = named.chain([&self.end_of_message]).flatten().copied().collect();
        for &id in &ending {
            vocab.set_kind(id, Kind::Control);
        }
        for &id in self.shown.iter().flatten() {
            vocab.set_kind(id, Kind::UserDefined);
        }
        ending.extend([ids.eos, ids.eot, ids.eom].into_iter().flatten());
        // Where a token ends the whole answer, `<|end|>` ends a part of it only.
        let answer_ends = self.named("<|return|>").is_some() && self.named("<|call|>").is_some()
            || self.named("<|flush|>").is_some() && self.named("<|calls|>").or(self.named("<|call|>")).is_some();
        if answer_ends && let Some(end) = self.end_of_turn[2] {
            ending.retain(|&id| id != end);
            vocab.set_kind(end, Kind::UserDefined);
        }
        // In Gemma 4 `</s>` is the HTML tag.
        if self.named("<|tool_response>").is_some()
            && let Some(tag) = self.named("</s>")
        {
            ending.retain(|&id| id != tag);
            vocab.set_kind(tag, Kind::Normal);
        }
        ending.sort_unstable();
        ending.dedup();
        ending
    }
}

/// Whether a token looks like the marks of a chat format, such as `<|user|>` or `<｜User｜>`. Some files give these the kind
/// of tokens that a user's own text may have.
pub(super) fn is_mark(bytes: &[u8]) -> bool {
    ["<|", "<｜"].iter().any(|start| bytes.starts_with(start.as_bytes())) || bytes.ends_with(b"|>")
}

/// Finding special tokens in a text: the leftmost first, of several there the longest.
#[derive(Debug)]
pub(super) struct SpecialMatcher {
    prefixes: Prefixes,
    /// Bytes that a special token starts with.
    starts: [bool; 256],
    /// Tokens that take the white space before or after them.
    strips: Vec<(u32, Strip)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strip {
    Before,
    After,
}

/// A piece of a text cut at its special tokens.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fragment<'t> {
    Text(&'t str),
    Token(u32),
}

impl SpecialMatcher {
    pub fn new(vocab: &Vocab, strips: Vec<(u32, Strip)>) -> SpecialMatcher {
        let ids = vocab.ids_of(Kind::is_special);
        let mut starts = [false; 256];
        for byte in ids.iter().filter_map(|&id| vocab.bytes(id).first()) {
            starts[usize::from(*byte)] = true;
        }
        SpecialMatcher { prefixes: Prefixes::new(ids, vocab), starts, strips }
    }

    /// The special token of exactly these bytes.
    pub fn find(&self, bytes: &[u8], vocab: &Vocab) -> Option<u32> {
        self.prefixes.of(bytes, vocab).last().filter(|&id| vocab.bytes(id).len() == bytes.len())
    }

    /// The longest special token that the text starts with, of those that `reads` lets count.
    pub fn longest(&self, text: &[u8], vocab: &Vocab, reads: impl Fn(u32) -> bool) -> Option<u32> {
        self.prefixes.of(text, vocab).filter(|&id| reads(id)).last()
    }

    pub fn strips(&self, id: u32, strip: Strip) -> bool {
        self.strips.contains(&(id, strip))
    }

    /// Gives `fragment` the special tokens and the texts between them. `reads` says whether a token at a place counts.
    pub fn split<'t>(
        &self,
        text: &'t str,
        vocab: &Vocab,
        reads: impl Fn(u32, usize) -> bool,
        mut fragment: impl FnMut(Fragment<'t>),
    ) {
        let bytes = text.as_bytes();
        let (mut gap, mut at) = (0, 0);
        while at < bytes.len() {
            if !self.starts[usize::from(bytes[at])] {
                at += 1;
                continue;
            }
            let longest = self.longest(&bytes[at..], vocab, |id| reads(id, at));
            let end = longest.map_or(at, |id| at + vocab.bytes(id).len());
            // A token that is no text of its own cannot cut a character in two.
            let Some(id) = longest.filter(|_| text.is_char_boundary(at) && text.is_char_boundary(end)) else {
                at += 1;
                continue;
            };
            let mut before = &text[gap..at];
            if self.strips(id, Strip::Before) {
                before = before.trim_end();
            }
            if !before.is_empty() {
                fragment(Fragment::Text(before));
            }
            fragment(Fragment::Token(id));
            at = end;
            if self.strips(id, Strip::After) {
                at = text.len() - text[end..].trim_start().len();
            }
            gap = at;
        }
        if gap < text.len() {
            fragment(Fragment::Text(&text[gap..]));
        }
    }
}
