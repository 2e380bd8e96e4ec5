//! Floats in decimal, as Python writes them.

use std::fmt::Write;

/// Appends a float as `repr` does: the shortest digits that give it back, with an exponent from 1e16 on and below 1e-4. The
/// names are those of NaN and the infinities.
pub fn push_float(out: &mut String, x: f64, names: [&str; 3]) {
    if x.is_nan() {
        return out.push_str(names[0]);
    }
    if x.is_infinite() {
        return out.push_str(if x > 0.0 { names[1] } else { names[2] });
    }
    let scientific = format!("{x:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        _ = write!(out, "{x:?}");
    } else {
        _ = write!(out, "{digits}{}", exponent_of(exponent));
    }
}

/// An exponent of two digits or more, with its sign.
pub fn exponent_of(exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("e{sign}{:02}", exponent.abs())
}

/// `round(x, digits)`: half to even, of the exact decimal value.
pub fn round(x: f64, digits: i64) -> f64 {
    if !x.is_finite() || digits > 323 {
        return x;
    }
    if digits >= 0 {
        return format!("{x:.*}", digits as usize).parse().unwrap_or(x);
    }
    let scale = 10f64.powi((-digits).min(400) as i32);
    if scale.is_infinite() { 0.0 * x } else { (x / scale).round_ties_even() * scale }
}
