//! A stable sort whose comparison can fail, as Python's of unlike values does.

use super::Result;

/// Sorts by `less`; equal items keep their order.
pub fn sort<T>(items: Vec<T>, less: &mut impl FnMut(&T, &T) -> Result<bool>) -> Result<Vec<T>> {
    if items.len() < 2 {
        return Ok(items);
    }
    let mut left = items;
    let right = left.split_off(left.len() / 2);
    let (left, right) = (sort(left, less)?, sort(right, less)?);
    let mut out = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let from = if less(b, a)? { &mut right } else { &mut left };
        out.extend(from.next());
    }
    out.extend(left);
    out.extend(right);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jinja::Fault;

    #[test]
    fn sorts_and_fails() {
        let by_tens = |a: &i32, b: &i32| Ok(a / 10 < b / 10);
        assert_eq!(sort(vec![31, 12, 30, 11, 5], &mut { by_tens }).unwrap(), [5, 12, 11, 31, 30]);
        let fault = sort(vec![2, 1], &mut |_, _| Err(Fault::new("no"))).unwrap_err();
        assert_eq!(fault.message, "no");
    }
}
