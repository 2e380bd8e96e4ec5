//! Long short-term memory in both directions.

#[cfg(all(test, feature = "speech"))]
mod tests;

use std::rc::Rc;

use super::{Recorder, Series};
use crate::error::{Result, bail};
use crate::gpu::{Buffer, Grid, Kernel};

/// Recurrent weights of both directions: codes `(2, H / 4, H)` of four gates by four elements of the state, 16 bytes each, and a scale a
/// direction.
pub struct Recurrent {
    pub codes: Rc<Buffer>,
    pub scales: Rc<Buffer>,
    pub hidden: u32,
}

impl Recurrent {
    /// Bytes of the codes.
    #[must_use]
    pub fn code_bytes(hidden: u32) -> u64 {
        u64::from(hidden) * u64::from(hidden) * 8
    }
}

impl Recorder<'_> {
    /// `y (T, 2 H)`, forwards and backwards side by side, of what the input gives to the gates: `gates (T, 2 4 H)`, of each direction input,
    /// output, forget and cell gates, with their bias.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn lstm(&mut self, name: &str, gates: &Series, w: &Recurrent, y: &Series) -> Result<()> {
        let h = w.hidden;
        let fits = h.is_multiple_of(16)
            && [gates.width(), y.width()] == [8 * h, 2 * h]
            && gates.len() == y.len()
            && w.codes.bytes() >= Recurrent::code_bytes(h);
        if !fits {
            bail!(
                Internal,
                "{name}: y ({}, {}) of gates ({}, {}) by {h} units",
                y.len(),
                y.width(),
                gates.len(),
                gates.width()
            );
        }
        let bindings = [
            ("gates", &gates.rows.buffer),
            ("x_len", gates.len.buffer()),
            ("w", &w.codes),
            ("w_sc", &w.scales),
            ("y", &y.rows.buffer),
        ];
        let k = Kernel::new("lstm/run").set("H", h).set("Y_PITCH", y.rows.stride());
        self.dispatch(name, &k, &bindings, Grid::x(2))
    }
}
