//! Which variants of a kernel there are, as `shaders/kernels.toml` lists them. The build script includes this file
//! too: the variants that it validates are those that can be run.

use std::collections::BTreeSet;

/// A value for each slot: `("WEIGHT", "q8_0")`.
pub type Slots<'a> = Vec<(&'a str, &'a str)>;

/// A kernel's variants.
#[derive(Debug)]
pub struct KernelDecl<'a> {
    /// Values for each slot, of which every combination is a variant.
    pub tables: &'a [&'a [(&'a str, &'a [&'a str])]],
    /// Features that each variant is compiled with and without.
    pub features: &'a [&'a str],
}

impl<'a> KernelDecl<'a> {
    /// The variants: values for the slots, and the features that are on. Tables may have some in common.
    pub fn variants(&self) -> BTreeSet<(Slots<'a>, &'a [&'a str])> {
        let slots = self.tables.iter().flat_map(|table| {
            table.iter().fold(vec![Slots::new()], |variants, &(slot, values)| {
                let with = |v: &Slots<'a>, value| v.iter().copied().chain([(slot, value)]).collect();
                variants.iter().flat_map(|v| values.iter().map(move |&value| with(v, value))).collect()
            })
        });
        let without = (!self.features.is_empty()).then_some(&[][..]);
        slots.flat_map(|slots| without.into_iter().chain([self.features]).map(move |f| (slots.clone(), f))).collect()
    }

    /// Whether there is a variant with these values.
    #[allow(dead_code, reason = "used by the library, which shares this file with the build script")]
    pub fn has(&self, slots: &[(&str, &str)]) -> bool {
        self.tables.iter().any(|table| {
            let value = |slot| slots.iter().find(|s| s.0 == slot).map(|s| s.1);
            slots.len() == table.len()
                && table.iter().all(|&(slot, values)| value(slot).is_some_and(|v| values.contains(&v)))
        })
    }
}
