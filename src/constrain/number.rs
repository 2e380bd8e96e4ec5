//! Numbers of JSON within limits, digit by digit.

use super::bytes::ByteSet;
use super::term::{EMPTY, Id, MANY, NOTHING, Terms};
use crate::error::{Result, bail};
use crate::floats;

/// Digits that a limit may have.
const MAX_DIGITS: i32 = 400;

/// Digits of what is written, unless a limit has more: those that `JSON.stringify` needs without an exponent, 17 of which count.
/// A model that begins to write zeros could go on for ever.
const MAX_WHOLE: u32 = 21;
const MAX_FRACTION: u32 = 23;

/// A decimal number: 12.5 is 12 and 5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// Without zeros at the front, but for 0 itself.
    whole: Vec<u8>,
    /// Without zeros at the end.
    fraction: Vec<u8>,
}

/// What numbers are allowed.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    pub integer: bool,
    pub least: Option<Decimal>,
    pub most: Option<Decimal>,
}

impl Decimal {
    /// A number as JSON writes it.
    ///
    /// # Errors
    /// `InvalidArgument` if it has more digits than a limit may have.
    pub fn read(text: &str) -> Result<Decimal> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let negative = mantissa.starts_with('-');
        let (whole, fraction) =
            mantissa.trim_start_matches('-').split_once('.').unwrap_or((mantissa.trim_start_matches('-'), ""));
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let point = exponent.trim_start_matches('+').parse::<i32>().ok().map(|e| e.saturating_add(whole.len() as i32));
        let mut point = match point {
            Some(point) if point.abs() <= MAX_DIGITS && digits.len() <= MAX_DIGITS as usize => point,
            _ => bail!(InvalidArgument, "the limit {text} has more than {MAX_DIGITS} digits"),
        };
        while point < 0 {
            digits.insert(0, b'0');
            point += 1;
        }
        while digits.len() < point as usize {
            digits.push(b'0');
        }
        let fraction = digits.split_off(point as usize);
        let fraction: &[u8] = &fraction[..fraction.iter().rposition(|&d| d != b'0').map_or(0, |i| i + 1)];
        let whole = &digits[digits.iter().position(|&d| d != b'0').unwrap_or(digits.len())..];
        let whole = if whole.is_empty() { b"0" } else { whole };
        let zero = whole == b"0" && fraction.is_empty();
        Ok(Decimal { negative: negative && !zero, whole: whole.to_vec(), fraction: fraction.to_vec() })
    }

    /// The nearest float (IEEE 754, double) that is more, or less: what a reader of the number tells apart from it.
    ///
    /// # Errors
    /// As [`Decimal::read`].
    pub fn beyond(text: &str, more: bool) -> Result<Decimal> {
        match floats::parse(text) {
            Some(v) if v.is_finite() => Self::read(&floats::text(if more { v.next_up() } else { v.next_down() })),
            _ => bail!(InvalidArgument, "the limit {text} is no number of double precision"),
        }
    }

    /// The next whole number that is more, or less, or the number itself if it is whole and may stay.
    #[must_use]
    pub fn whole(&self, more: bool, may_stay: bool) -> Decimal {
        let whole = Decimal { fraction: Vec::new(), ..self.clone() };
        let stays = self.fraction.is_empty() && may_stay;
        // Cutting the fraction goes towards zero.
        let cut_is_enough = !self.fraction.is_empty() && self.negative == more;
        let result = if stays || cut_is_enough { whole } else { whole.next(more) };
        if result.whole == b"0" { Decimal { negative: false, ..result } } else { result }
    }

    /// One more, or one less, of a whole number.
    fn next(&self, more: bool) -> Decimal {
        let mut whole = self.whole.clone();
        if self.negative == more {
            // Towards zero: there is something to take.
            for digit in whole.iter_mut().rev() {
                if *digit > b'0' {
                    *digit -= 1;
                    break;
                }
                *digit = b'9';
            }
            let zeros = whole.iter().take_while(|&&d| d == b'0').count().min(whole.len() - 1);
            whole.drain(..zeros);
            return Decimal { negative: self.negative, whole, fraction: Vec::new() };
        }
        let negative = self.negative || !more && self.whole == b"0";
        for digit in whole.iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                return Decimal { negative, whole, fraction: Vec::new() };
            }
            *digit = b'0';
        }
        whole.insert(0, b'1');
        Decimal { negative, whole, fraction: Vec::new() }
    }

    /// By value.
    #[must_use]
    pub fn less_than(&self, other: &Decimal) -> bool {
        let size = |d: &Decimal| (d.whole.len(), d.whole.clone(), d.fraction.clone());
        match (self.negative, other.negative) {
            (true, false) => true,
            (false, true) => false,
            (false, false) => size(self) < size(other),
            (true, true) => size(other) < size(self),
        }
    }
}

/// The numbers within limits. Without limits they may have an exponent.
pub fn numbers(t: &mut Terms, limits: &Limits) -> Id {
    let minus = t.text("-");
    if limits.least.is_none() && limits.most.is_none() {
        let size = sizes(t, limits.integer, None, None);
        let sign = t.opt(minus);
        let exponent = if limits.integer { EMPTY } else { exponent(t) };
        return t.seq(&[sign, size, exponent]);
    }
    let positive = |d: &Option<Decimal>| d.clone().filter(|d| !d.negative);
    let negative = |d: &Option<Decimal>| d.clone().filter(|d| d.negative);
    let zero = Decimal { negative: false, whole: b"0".to_vec(), fraction: Vec::new() };
    // At zero and above: not if the most is below.
    let above = match negative(&limits.most) {
        Some(_) => NOTHING,
        None => sizes(t, limits.integer, positive(&limits.least).as_ref(), limits.most.as_ref()),
    };
    let below = match positive(&limits.least) {
        // -0 is 0.
        Some(least) if least != zero => NOTHING,
        Some(_) => sizes(t, limits.integer, None, Some(&zero)),
        None => sizes(t, limits.integer, negative(&limits.most).as_ref(), limits.least.as_ref()),
    };
    let below = t.cat(minus, below);
    t.alt(&[above, below])
}

fn exponent(t: &mut Terms) -> Id {
    let e = t.byte(ByteSet::of(b"eE"));
    let sign = t.byte(ByteSet::of(b"+-"));
    let sign = t.opt(sign);
    let digits = digits(t, 1, 3);
    let exponent = t.seq(&[e, sign, digits]);
    t.opt(exponent)
}

fn digits(t: &mut Terms, least: u32, most: u32) -> Id {
    let digit = t.range(b'0', b'9');
    t.repeat(digit, least, most)
}

/// Numbers without a sign, from one to another; signs of these do not count.
fn sizes(t: &mut Terms, integer: bool, least: Option<&Decimal>, most: Option<&Decimal>) -> Id {
    let limits = || least.into_iter().chain(most);
    let n_whole = limits().map(|d| d.whole.len() as u32).fold(MAX_WHOLE, u32::max);
    let n_fraction = limits().map(|d| d.fraction.len() as u32).fold(MAX_FRACTION, u32::max);
    let first = t.range(b'1', b'9');
    let rest = digits(t, 0, n_whole - 1);
    let zero = t.text("0");
    let whole = t.cat(first, rest);
    let whole = t.alt(&[zero, whole]);
    let mut all = if integer {
        whole
    } else {
        let (point, digits) = (t.text("."), digits(t, 1, n_fraction));
        let fraction = t.cat(point, digits);
        let fraction = t.opt(fraction);
        t.cat(whole, fraction)
    };
    for (limit, more) in [(least, true), (most, false)] {
        if let Some(limit) = limit {
            let side = one_side(t, limit, more);
            all = t.and(all, side);
        }
    }
    all
}

/// A point and digits, or nothing.
fn any_fraction(t: &mut Terms) -> Id {
    let (point, digits) = (t.text("."), digits(t, 1, MANY));
    let fraction = t.cat(point, digits);
    t.opt(fraction)
}

/// Numbers from a limit on, or up to it.
fn one_side(t: &mut Terms, limit: &Decimal, more: bool) -> Id {
    let n = limit.whole.len() as u32;
    let fraction = any_fraction(t);
    let first = t.range(b'1', b'9');
    let mut parts = Vec::new();
    // With more digits, or with fewer.
    if more {
        let rest = digits(t, n, MANY);
        parts.push(t.seq(&[first, rest, fraction]));
    } else if n > 1 {
        let rest = digits(t, 0, n - 2);
        let zero = t.text("0");
        let nonzero = t.cat(first, rest);
        let whole = t.alt(&[zero, nonzero]);
        parts.push(t.cat(whole, fraction));
    }
    // With as many, of which the first that differs decides.
    let mut same = EMPTY;
    for (i, &digit) in (0..n).zip(&limit.whole) {
        let other = beside(t, digit, more);
        let rest = digits(t, n - 1 - i, n - 1 - i);
        parts.push(t.seq(&[same, other, rest, fraction]));
        let digit = t.range(digit, digit);
        same = t.cat(same, digit);
    }
    let end = fraction_side(t, &limit.fraction, more);
    parts.push(t.cat(same, end));
    // Of one digit, any may come first; of more, no zero. What is no number at all is left out by the caller's.
    t.alt(&parts)
}

/// The digits above one, or below.
fn beside(t: &mut Terms, digit: u8, more: bool) -> Id {
    match (digit, more) {
        (b'9', true) | (b'0', false) => NOTHING,
        (digit, true) => t.range(digit + 1, b'9'),
        (digit, false) => t.range(b'0', digit - 1),
    }
}

/// Fractions from a limit on, or up to it: what follows the digits that are the same.
fn fraction_side(t: &mut Terms, limit: &[u8], more: bool) -> Id {
    let any = any_fraction(t);
    let zeros = {
        let zero = t.text("0");
        t.star(zero)
    };
    let point = t.text(".");
    if limit.is_empty() {
        if more {
            return any;
        }
        let zero = t.text("0");
        let zeros = t.seq(&[point, zero, zeros]);
        return t.opt(zeros);
    }
    // Ending early is as zeros are.
    let mut parts = if more { Vec::new() } else { vec![EMPTY] };
    let mut same = point;
    let all = digits(t, 0, MANY);
    for (i, &digit) in limit.iter().enumerate() {
        let other = beside(t, digit, more);
        parts.push(t.seq(&[same, other, all]));
        let digit = t.range(digit, digit);
        same = t.cat(same, digit);
        if !more && i + 1 < limit.len() {
            parts.push(same);
        }
    }
    parts.push(t.cat(same, if more { all } else { zeros }));
    t.alt(&parts)
}
