//! A number as it is written: signs, thousands separators, decimals.

use super::numerals::{cardinal, is_year, one_by_one, year};
use crate::speech::phonemes::english::lexemes::At;

pub struct Number {
    /// Lexemes.
    pub n: isize,
    /// "minus" or "plus".
    sign: Option<&'static str>,
    /// Digits before the point, without separators.
    pub whole: String,
    pub decimals: Option<String>,
    /// Whether thousands are separated.
    grouped: bool,
}

/// More digits than these are no amount: they are said one by one.
const MAX_AMOUNT: usize = 9;

impl Number {
    /// The number that begins at `k`.
    pub fn read(at: &At, k: isize) -> Option<Number> {
        let free = At { i: at.i.checked_add_signed(k)?, ..*at }.is_free();
        let sign = match at.mark(k) {
            Some('-') if free => Some("minus"),
            Some('+') if free => Some("plus"),
            _ => None,
        };
        let start = k + isize::from(sign.is_some());
        let mut number = Number { n: start - k, sign, whole: String::new(), decimals: None, grouped: false };
        if let Some(digits) = at.digits(start) {
            number.whole = digits.into();
            number.n += 1;
            while digits.len() <= 3 && at.is_mark(k + number.n, ',') {
                let Some(group) = at.digits(k + number.n + 1).filter(|group| group.len() == 3) else { break };
                number.whole += group;
                number.grouped = true;
                number.n += 2;
            }
        } else if !(at.is_mark(start, '.') && free) {
            return None;
        }
        if at.is_mark(k + number.n, '.')
            && let Some(decimals) = at.digits(k + number.n + 1)
        {
            number.decimals = Some(decimals.into());
            number.n += 2;
        }
        (!number.whole.is_empty() || number.decimals.is_some()).then_some(number)
    }

    pub fn is_one(&self) -> bool {
        self.whole == "1" && self.decimals.is_none()
    }

    /// Whether the whole part is one.
    pub fn is_amount_one(&self) -> bool {
        self.whole == "1"
    }

    /// Digits and nothing else.
    pub fn is_plain(&self) -> bool {
        self.sign.is_none() && self.decimals.is_none() && !self.grouped
    }

    pub fn is_negative(&self) -> bool {
        self.sign == Some("minus")
    }

    /// In words, as an amount.
    pub fn amount(&self) -> String {
        let whole = match self.whole.as_str() {
            "" => String::new(),
            whole if whole.len() > 1 && whole.starts_with('0') => one_by_one(whole),
            whole if whole.len() > MAX_AMOUNT && !self.grouped => one_by_one(whole),
            whole => cardinal(whole),
        };
        let decimals = self.decimals.as_ref().map(|decimals| format!("point {}", one_by_one(decimals)));
        let parts = [self.sign.unwrap_or_default(), &whole, decimals.as_deref().unwrap_or_default()];
        parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ")
    }

    /// In words where nothing says what it counts: four digits can be a year.
    pub fn alone(&self) -> String {
        match self.is_plain() && is_year(&self.whole) {
            true => year(&self.whole),
            false => self.amount(),
        }
    }
}
