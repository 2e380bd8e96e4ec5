//! The one sort of the bundle. The standard library's is another 3 kB of wasm for each type and order.

use std::cmp::Ordering;

/// As many items are sorted where they are, each put in its place among those before: merging takes memory.
const FEW: usize = 16;

/// The indices of `n` items in their order, where `before(i, j)` says whether item `i` comes before item `j`. Items of which
/// neither does stay as they are. Merge sort: some `n log2(n)` comparisons.
#[must_use]
pub fn order(n: usize, before: &dyn Fn(usize, usize) -> bool) -> Vec<usize> {
    let mut from: Vec<usize> = (0..n).collect();
    let mut to = from.clone();
    let mut width = 1;
    while width < n {
        for start in (0..n).step_by(2 * width) {
            let (middle, end) = ((start + width).min(n), (start + 2 * width).min(n));
            let (mut left, mut right) = (start, middle);
            for slot in &mut to[start..end] {
                let takes_right = left == middle || right < end && before(from[right], from[left]);
                let taken = if takes_right { &mut right } else { &mut left };
                *slot = from[*taken];
                *taken += 1;
            }
        }
        std::mem::swap(&mut from, &mut to);
        width *= 2;
    }
    from
}

/// Sort items by what `before` says of two; equal ones stay as they are.
pub fn sort<T>(items: &mut Vec<T>, before: impl Fn(&T, &T) -> bool) {
    if items.len() <= FEW {
        for end in 1..items.len() {
            let mut at = end;
            while at > 0 && before(&items[at], &items[at - 1]) {
                items.swap(at, at - 1);
                at -= 1;
            }
        }
        return;
    }
    let order = order(items.len(), &|i, j| before(&items[i], &items[j]));
    let mut from: Vec<Option<T>> = std::mem::take(items).into_iter().map(Some).collect();
    items.extend(order.into_iter().filter_map(|i| from[i].take()));
}

/// An item that equals another one, if there is any.
#[must_use]
pub fn twice(n: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Option<usize> {
    let order = order(n, &|i, j| compare(i, j).is_lt());
    order.windows(2).find(|pair| compare(pair[0], pair[1]).is_eq()).map(|pair| pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_stable_sort_of_any_length() {
        for n in 0..70_u32 {
            let mut items: Vec<(u32, u32)> = (0..n).map(|i| (i.wrapping_mul(2_654_435_761) >> 28, i)).collect();
            let mut want = items.clone();
            want.sort_by_key(|item| item.0);
            sort(&mut items, |a, b| a.0 < b.0);
            assert_eq!(items, want);
        }
    }

    #[test]
    fn what_is_there_twice_is_found() {
        let found = |items: &[u32]| twice(items.len(), &|i, j| items[i].cmp(&items[j]));
        assert_eq!(found(&[3, 1, 2, 1]), Some(3));
        assert_eq!(found(&[3, 1, 2]), None);
        assert_eq!(found(&[]), None);
    }
}
