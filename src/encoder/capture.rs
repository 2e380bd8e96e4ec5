//! What the ops of a forward pass read and write, for tests: the pass does not know of it.

use std::rc::Rc;

use crate::error::Result;
use crate::gpu::{Buffer, Gpu, Usage};
use crate::ops::{Input, Observer, Op, Recorder, Tensor};

/// A tensor as it was beside an op.
pub struct Captured {
    /// The op's name and what the tensor was: `L00.attn_qkv.x` is what it read, `.y` what it left, and `.before` what was in y before.
    pub name: String,
    /// Rows follow each other without padding where `width` is a multiple of 16.
    pub copy: Rc<Buffer>,
    pub width: u32,
}

/// Copies the operands of every op.
pub struct Capture<'a> {
    pub gpu: &'a Gpu,
    pub captured: Vec<Captured>,
}

impl Capture<'_> {
    fn take(&mut self, r: &mut Recorder<'_>, name: &str, what: &str, t: &Tensor) -> Result<()> {
        let layer = r.layer().map_or_else(String::new, |l| format!("L{l:02}."));
        let copy = self.gpu.buffer("capture", t.buffer.bytes(), Usage::Storage)?;
        r.plan.copy(t.buffer.clone(), copy.clone(), copy.bytes());
        self.captured.push(Captured { name: format!("{layer}{name}.{what}"), copy, width: t.width });
        Ok(())
    }
}

impl Observer for Capture<'_> {
    fn before(&mut self, r: &mut Recorder<'_>, op: &Op<'_>) -> Result<()> {
        match op {
            Op::Matmul { name, input: Input::Plain(x), output, .. } => {
                self.take(r, name, "x", x)?;
                self.take(r, name, "before", output.y())
            }
            Op::Packed { name, x: Some(x), .. } => self.take(r, name, "x", x),
            _ => Ok(()),
        }
    }

    fn after(&mut self, r: &mut Recorder<'_>, op: &Op<'_>) -> Result<()> {
        match op {
            Op::Matmul { name, output, .. } => self.take(r, name, "y", output.y()),
            Op::Packed { name, y, .. } => self.take(r, name, "y", y),
            _ => Ok(()),
        }
    }
}
