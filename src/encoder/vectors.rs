//! Vectors of texts: cut, normalised, compared.

use crate::error::{Result, bail};

/// A vector of each text, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    /// `(B, dimensions)`
    pub data: Vec<f32>,
    pub dimensions: usize,
    /// Tokens of all texts.
    pub n_tokens: usize,
}

impl Vectors {
    /// The vector of text `i`.
    ///
    /// # Panics
    /// Where there is no such text.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f32] {
        &self.data[i * self.dimensions..][..self.dimensions]
    }
}

/// Append the first `dimensions` elements of a row (Matryoshka representations, arXiv:2205.13147), of length 1 if `normalize`. A row of
/// zeros stays as it is.
///
/// # Errors
/// `NotFinite` where the row has NaN or an infinity.
pub fn push_row(to: &mut Vec<f32>, row: &[f32], dimensions: usize, normalize: bool) -> Result<()> {
    let row = &row[..dimensions];
    if row.iter().any(|v| !v.is_finite()) {
        bail!(NotFinite, "a vector has NaN or an infinity: weights of the file are broken, or values outgrew f32");
    }
    let length = row.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
    let scale = if normalize && length > 0.0 { length.recip() } else { 1.0 };
    to.extend(row.iter().map(|&v| (f64::from(v) * scale) as f32));
    Ok(())
}

/// The cosine of the angle between two vectors, -1 to 1; 0 where one is all zeros.
///
/// # Errors
/// `InvalidArgument` where they have not the same number of elements.
pub fn similarity(a: &[f32], b: &[f32]) -> Result<f64> {
    if a.len() != b.len() {
        bail!(InvalidArgument, "vectors of {} and of {} elements are compared", a.len(), b.len());
    }
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    Ok(if lengths > 0.0 { (dot(a, b) / lengths).clamp(-1.0, 1.0) } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_and_have_length_one() {
        let mut to = Vec::new();
        push_row(&mut to, &[3.0, 4.0, 12.0], 2, true).unwrap();
        push_row(&mut to, &[3.0, 4.0, 12.0], 3, false).unwrap();
        push_row(&mut to, &[0.0, 0.0, 1.0], 2, true).unwrap();
        assert_eq!(to, [0.6, 0.8, 3.0, 4.0, 12.0, 0.0, 0.0]);
        assert_eq!(push_row(&mut to, &[1.0, f32::NAN], 2, true).unwrap_err().code(), "NOT_FINITE");
        // The square of an element is beyond f32.
        push_row(&mut to, &[3e38, 0.0], 2, true).unwrap();
        assert_eq!(to[7..], [1.0, 0.0]);
    }

    #[test]
    fn similarity_is_a_cosine() {
        assert_eq!(similarity(&[1.0, 0.0], &[5.0, 0.0]).unwrap(), 1.0);
        assert_eq!(similarity(&[1.0, 0.0], &[0.0, 2.0]).unwrap(), 0.0);
        assert_eq!(similarity(&[1.0], &[-3.0]).unwrap(), -1.0);
        assert_eq!(similarity(&[0.0], &[1.0]).unwrap(), 0.0);
        assert_eq!(similarity(&[1.0], &[1.0, 2.0]).unwrap_err().code(), "INVALID_ARGUMENT");
    }
}
