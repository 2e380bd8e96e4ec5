//! Sets of characters: a class of a pattern.

use crate::tokenizer::unicode::{Categories, Category, CategoryMask};

/// A class such as `[^\r\n\p{L}]`.
#[derive(Debug, Clone, Default)]
pub(super) struct CharSet {
    categories: CategoryMask,
    ranges: Vec<(char, char)>,
    negated: bool,
    /// The right side of `&&`.
    and: Option<Box<CharSet>>,
    /// The answer for ASCII, one bit a character; made by `finish`.
    ascii: u128,
}

/// Script=Han (Scripts.txt), which is no general category.
const HAN: [(char, char); 14] = [
    ('\u{2e80}', '\u{2e99}'),
    ('\u{2e9b}', '\u{2ef3}'),
    ('\u{2f00}', '\u{2fd5}'),
    ('\u{3005}', '\u{3005}'),
    ('\u{3007}', '\u{3007}'),
    ('\u{3021}', '\u{3029}'),
    ('\u{3038}', '\u{303b}'),
    ('\u{3400}', '\u{4dbf}'),
    ('\u{4e00}', '\u{9fff}'),
    ('\u{f900}', '\u{fa6d}'),
    ('\u{fa70}', '\u{fad9}'),
    ('\u{16fe2}', '\u{16fe3}'),
    ('\u{16ff0}', '\u{16ff6}'),
    ('\u{20000}', '\u{323af}'),
];

impl CharSet {
    pub fn add(&mut self, first: char, last: char) {
        self.ranges.push((first, last));
    }

    /// `\p{name}`; `None` where no property has the name.
    pub fn add_property(&mut self, name: &str) -> Option<()> {
        if name == "Han" {
            self.ranges.extend(HAN);
            return Some(());
        }
        let mask = Category::mask(name);
        self.categories |= mask;
        (mask != 0).then_some(())
    }

    /// `\s`: White_Space, which is the separators and six controls.
    pub fn add_whitespace(&mut self) {
        const SEPARATORS: CategoryMask = Category::mask("Z");
        self.categories |= SEPARATORS;
        self.ranges.extend([('\t', '\r'), ('\u{85}', '\u{85}')]);
    }

    pub fn negate(&mut self) {
        self.negated = true;
    }

    pub fn intersect(&mut self, with: CharSet) {
        self.and = Some(Box::new(with));
    }

    /// To call once the set is complete.
    pub fn finish(mut self) -> CharSet {
        let categories = Categories::get();
        for c in '\0'..='\x7f' {
            self.ascii |= u128::from(self.search(c, categories.of(c))) << c as u32;
        }
        self
    }

    #[inline]
    pub fn contains(&self, c: char) -> bool {
        if c.is_ascii() {
            return self.ascii >> (c as u32) & 1 != 0;
        }
        self.search(c, Categories::get().of(c))
    }

    fn search(&self, c: char, category: Category) -> bool {
        let found = category.is_in(self.categories) || self.ranges.iter().any(|&(first, last)| first <= c && c <= last);
        found != self.negated && self.and.as_ref().is_none_or(|and| and.search(c, category))
    }
}
