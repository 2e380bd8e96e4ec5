//! Finding the tokens that a text starts with.

use super::vocab::Vocab;

/// Ids sorted by their bytes: walking down the bytes of a text narrows a range of them, as in a trie, in four
/// bytes a token.
#[derive(Debug)]
pub(super) struct Prefixes {
    ids: Vec<u32>,
    /// Where the ids start whose first byte is this or a later one.
    starts: Vec<u32>,
}

impl Prefixes {
    pub fn new(mut ids: Vec<u32>, vocab: &Vocab) -> Prefixes {
        ids.retain(|&id| !vocab.bytes(id).is_empty());
        ids.sort_by_key(|&id| vocab.bytes(id));
        let start = |first: u32| ids.partition_point(|&id| u32::from(vocab.bytes(id)[0]) < first) as u32;
        let starts = (0..=256).map(start).collect();
        Prefixes { ids, starts }
    }

    /// The tokens that `text` starts with, shortest first. Of tokens with the same bytes the lowest id counts.
    pub fn of<'a>(&'a self, text: &'a [u8], vocab: &'a Vocab) -> impl Iterator<Item = u32> + 'a {
        let bounds = |byte: u8| (self.starts[usize::from(byte)] as usize, self.starts[usize::from(byte) + 1] as usize);
        let (mut low, mut high) = text.first().map_or((0, 0), |&byte| bounds(byte));
        let mut depth = 1;
        std::iter::from_fn(move || {
            while low < high {
                let id = self.ids[low];
                let whole = vocab.bytes(id).len() == depth;
                let range = &self.ids[low..high];
                // A token that ends here has no byte at `depth`, which sorts before every byte.
                let next = text.get(depth).copied();
                let byte_at = |id: u32| vocab.bytes(id).get(depth).copied();
                high = match next {
                    Some(_) => low + range.partition_point(|&id| byte_at(id) <= next),
                    None => low,
                };
                low += range.partition_point(|&id| byte_at(id) < next);
                low = low.min(high);
                depth += 1;
                if whole {
                    return Some(id);
                }
            }
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::vocab::Kind;

    #[test]
    fn prefixes_come_shortest_first() {
        let mut vocab = Vocab::default();
        for token in ["abc", "b", "a", "ab", "", "abd", "abcde", "a"] {
            vocab.push(Kind::Normal, |out| out.extend(token.bytes()));
        }
        let prefixes = Prefixes::new((0..vocab.len()).collect(), &vocab);
        let of = |text: &str| prefixes.of(text.as_bytes(), &vocab).collect::<Vec<_>>();
        assert_eq!(of("abcd"), [2, 3, 0]);
        assert_eq!(of("abcdef"), [2, 3, 0, 6]);
        assert_eq!(of("ab"), [2, 3]);
        assert_eq!(of("b!"), [1]);
        assert!(of("x").is_empty());
        assert!(of("").is_empty());
    }
}
