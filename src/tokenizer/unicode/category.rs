//! General categories (UAX #44, table 12).

use std::sync::OnceLock;

use super::leb128;

/// Runs of code points of one category: `scripts/text/unicode_tables.mjs` documents the format.
const TABLE: &[u8] = include_bytes!("categories.bin");

/// A general category, as its place in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Category(u8);

const NAMES: &str = "LuLlLtLmLoMnMcMeNdNlNoPcPdPsPePiPfPoSmScSkSoZsZlZpCcCfCsCoCn";

/// A set of categories: bit n is the n-th of the order.
pub(crate) type CategoryMask = u32;

impl Category {
    pub const NONSPACING_MARK: Category = Category(5);

    /// The categories a property name stands for: `L` for every letter, `Lu` for one category. Empty
    /// where there is no such name.
    pub const fn mask(name: &str) -> CategoryMask {
        let (names, name) = (NAMES.as_bytes(), name.as_bytes());
        let (mut mask, mut i) = (0, 0);
        while i < names.len() {
            let same = match name {
                [major] => names[i] == *major,
                [major, minor] => names[i] == *major && names[i + 1] == *minor,
                _ => false,
            };
            mask |= (same as CategoryMask) << (i / 2);
            i += 2;
        }
        mask
    }

    pub fn is_in(self, mask: CategoryMask) -> bool {
        mask >> self.0 & 1 != 0
    }
}

/// The table unpacked: 17 KB, made when the first tokenizer needs it.
pub(crate) struct Categories {
    latin1: [u8; 256],
    /// The first code point of each run, shifted by 5, and its category.
    runs: Vec<u32>,
}

impl Categories {
    pub fn get() -> &'static Categories {
        static CATEGORIES: OnceLock<Categories> = OnceLock::new();
        CATEGORIES.get_or_init(Categories::unpack)
    }

    fn unpack() -> Categories {
        let mut runs = Vec::new();
        let mut start = 0;
        let mut bytes = TABLE.iter().copied();
        while let Some(byte) = bytes.next() {
            runs.push(start << 5 | u32::from(byte & 31));
            let extra = u32::from(byte >> 5);
            start += 1 + if extra == 7 { 7 + leb128(&mut bytes) } else { extra };
        }
        let mut categories = Categories { latin1: [0; 256], runs };
        for c in '\0'..='\u{ff}' {
            categories.latin1[c as usize] = categories.search(c).0;
        }
        categories
    }

    pub fn of(&self, c: char) -> Category {
        match self.latin1.get(c as usize) {
            Some(&category) => Category(category),
            None => self.search(c),
        }
    }

    fn search(&self, c: char) -> Category {
        let after = self.runs.partition_point(|&run| run >> 5 <= c as u32);
        Category((self.runs[after - 1] & 31) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_agree_with_core() {
        if char::UNICODE_VERSION != (17, 0, 0) {
            println!("SKIP: core knows Unicode {:?}, the tables are of 17.0", char::UNICODE_VERSION);
            return;
        }
        let categories = Categories::get();
        let (numbers, controls) = (Category::mask("N"), Category::mask("Cc"));
        for c in '\0'..=char::MAX {
            assert_eq!(categories.of(c).is_in(numbers), c.is_numeric(), "{c:?}");
            assert_eq!(categories.of(c).is_in(controls), c.is_control(), "{c:?}");
        }
    }

    #[test]
    fn categories_of_well_known_characters() {
        let categories = Categories::get();
        for (c, name) in [
            ('A', "Lu"),
            ('ǅ', "Lt"),
            ('ß', "Ll"),
            ('ʰ', "Lm"),
            ('中', "Lo"),
            ('\u{301}', "Mn"),
            ('٣', "Nd"),
            ('½', "No"),
            ('_', "Pc"),
            ('€', "Sc"),
            ('🦙', "So"),
            ('\u{3000}', "Zs"),
            ('\u{200d}', "Cf"),
            ('\u{e000}', "Co"),
            (char::MAX, "Cn"),
        ] {
            assert!(categories.of(c).is_in(Category::mask(name)), "{c:?} is {name}");
            assert_eq!(Category::mask(name).count_ones(), 1);
        }
        assert_eq!(Category::mask("L").count_ones(), 5);
        assert_eq!(Category::mask("X"), 0);
    }
}
