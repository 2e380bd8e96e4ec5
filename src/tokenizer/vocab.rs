//! The vocabulary: the bytes each token stands for, its kind, and the way back from bytes to the token.

use super::index::Index;

/// `llama_token_type`, as `tokenizer.ggml.token_type` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

impl Kind {
    /// Values that are not of the enumeration are normal tokens.
    pub fn from_number(n: f64) -> Kind {
        match n as i64 {
            2 => Kind::Unknown,
            3 => Kind::Control,
            4 => Kind::UserDefined,
            5 => Kind::Unused,
            6 => Kind::Byte,
            _ => Kind::Normal,
        }
    }

    /// Ordinary text can become this token.
    pub fn is_text(self) -> bool {
        matches!(self, Kind::Normal | Kind::Unused | Kind::UserDefined)
    }

    /// The token is found in the text before anything else is.
    pub fn is_special(self) -> bool {
        matches!(self, Kind::Control | Kind::Unknown | Kind::UserDefined)
    }
}

/// A token's whereabouts: no allocation a token, as there are up to 262,144.
#[derive(Debug, Default)]
pub(super) struct Vocab {
    /// The tokens' bytes, one after the other.
    arena: Vec<u8>,
    /// Where each token ends in the arena.
    ends: Vec<u32>,
    kinds: Vec<Kind>,
    /// Tokens that text can become, by their bytes.
    index: Index,
}

impl Vocab {
    pub fn with_capacity(n_tokens: usize, n_bytes: usize) -> Vocab {
        Vocab {
            arena: Vec::with_capacity(n_bytes),
            ends: Vec::with_capacity(n_tokens),
            kinds: Vec::with_capacity(n_tokens),
            index: Index::default(),
        }
    }

    /// Adds the next token; `spell` appends its bytes.
    pub fn push(&mut self, kind: Kind, spell: impl FnOnce(&mut Vec<u8>)) {
        spell(&mut self.arena);
        self.ends.push(self.arena.len() as u32);
        self.kinds.push(kind);
    }

    pub fn set_kind(&mut self, id: u32, kind: Kind) {
        if let Some(slot) = self.kinds.get_mut(id as usize) {
            *slot = kind;
        }
    }

    /// To call once all tokens are there and have their kinds. Of two tokens with the same bytes, a normal one
    /// goes before one that is matched as a whole, and a lower id before a higher.
    pub fn build_index(&mut self) {
        let user_defined = |id: &u32| self.kinds[*id as usize] == Kind::UserDefined;
        let text = (0..self.len()).filter(|&id| self.kinds[id as usize].is_text() && !self.bytes(id).is_empty());
        let (last, first): (Vec<u32>, Vec<u32>) = text.partition(user_defined);
        let mut index = Index::with_capacity(first.len() + last.len());
        for id in first.into_iter().chain(last) {
            index.insert(self.bytes(id), id, |other| self.bytes(other));
        }
        self.index = index;
    }

    pub fn len(&self) -> u32 {
        self.ends.len() as u32
    }

    /// What the token stands for; nothing where there is no such token.
    pub fn bytes(&self, id: u32) -> &[u8] {
        let id = id as usize;
        let Some(&end) = self.ends.get(id) else { return &[] };
        let start = if id == 0 { 0 } else { self.ends[id - 1] };
        &self.arena[start as usize..end as usize]
    }

    pub fn kind(&self, id: u32) -> Option<Kind> {
        self.kinds.get(id as usize).copied()
    }

    /// The token that ordinary text of these bytes can become.
    pub fn find(&self, bytes: &[u8]) -> Option<u32> {
        self.index.get(bytes, |id| self.bytes(id))
    }

    /// The ids of the tokens of which `wanted` is true of the kind.
    pub fn ids_of(&self, wanted: impl Fn(Kind) -> bool) -> Vec<u32> {
        (0..self.len()).filter(|&id| wanted(self.kinds[id as usize])).collect()
    }
}
