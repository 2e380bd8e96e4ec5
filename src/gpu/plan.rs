//! Plans: dispatches recorded once and replayed for every batch of rows. Replaying allocates, hashes and formats
//! nothing.

use std::fmt;
use std::ops::Range;
use std::rc::Rc;

use super::raw;
use super::{Buffer, Commands, Gpu, Kernel, Pipeline, Readback};
use crate::error::{Result, bail};

/// Workgroups along one dimension of a dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    Fixed(u32),
    /// One workgroup for this many rows of the batch, rounded up.
    PerRows(u32),
}

impl Extent {
    fn workgroups(self, n_rows: u32) -> u32 {
        match self {
            Extent::Fixed(n) => n,
            Extent::PerRows(rows) => n_rows.div_ceil(rows),
        }
    }
}

/// The grid of a dispatch, in workgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    pub x: Extent,
    pub y: Extent,
    pub z: u32,
}

impl Grid {
    #[must_use]
    pub fn x(n: u32) -> Self {
        Grid { x: Extent::Fixed(n), y: Extent::Fixed(1), z: 1 }
    }

    #[must_use]
    pub fn xy(x: u32, y: Extent) -> Self {
        Grid { x: Extent::Fixed(x), y, z: 1 }
    }
}

/// A buffer for a binding, by the binding's name in the WGSL.
pub type Binding<'a> = (&'static str, &'a Rc<Buffer>);

/// What a dispatch is called: `L07.attn_qkv`.
#[derive(Debug, Clone, Copy)]
pub struct Label<'a> {
    /// Dispatches of one name do the same in several groups. May be empty.
    pub group: &'a str,
    pub name: &'a str,
}

impl<'a> Label<'a> {
    /// A label without a group.
    #[must_use]
    pub fn of(name: &'a str) -> Self {
        Label { group: "", name }
    }
}

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.group {
            "" => f.write_str(self.name),
            group => write!(f, "{group}.{}", self.name),
        }
    }
}

/// Bytes of a buffer that the host is to read.
pub struct CopyOut<'a> {
    pub from: &'a Buffer,
    /// Which of its bytes; multiples of 4.
    pub bytes: Range<u64>,
    /// Gets them at its start.
    pub to: &'a Readback,
}

/// A recorded dispatch.
pub struct Dispatch {
    pipeline: Rc<Pipeline>,
    bind_group: raw::BindGroup,
    grid: Grid,
    /// What the bind group refers to lives as long as the plan.
    _buffers: Vec<Rc<Buffer>>,
    /// The label's name, without its group.
    pub(super) name: String,
}

impl Dispatch {
    pub(super) fn encode(&self, gpu: &Gpu, pass: &mut raw::Pass, n_rows: u32, set_pipeline: bool) {
        if set_pipeline {
            pass.set_pipeline(self.pipeline.raw(&gpu.device));
        }
        pass.set_bind_group(&self.bind_group);
        pass.dispatch(self.grid.x.workgroups(n_rows), self.grid.y.workgroups(n_rows), self.grid.z);
    }
}

enum Step {
    Dispatch(Dispatch),
    /// Copy the first `bytes` to a byte of another buffer.
    Copy {
        src: Rc<Buffer>,
        dst: Rc<Buffer>,
        dst_at: u64,
        bytes: u64,
    },
}

/// A sequence of dispatches.
#[derive(Default)]
pub struct Plan {
    steps: Vec<Step>,
}

impl Plan {
    /// Record a dispatch.
    ///
    /// # Errors
    /// `Internal` where the bindings are not the kernel's or the grid is beyond the device's limit: a
    /// defect in the op.
    pub fn dispatch(
        &mut self,
        gpu: &Gpu,
        label: Label<'_>,
        kernel: &Kernel,
        bindings: &[Binding<'_>],
        grid: Grid,
    ) -> Result<()> {
        let dispatch = gpu.prepare(label, kernel, bindings, grid)?;
        self.steps.push(Step::Dispatch(dispatch));
        Ok(())
    }

    /// Record a copy of the first `bytes` of a buffer, as it is at this point of the plan.
    pub fn copy(&mut self, src: Rc<Buffer>, dst: Rc<Buffer>, bytes: u64) {
        self.copy_to(src, dst, 0, bytes);
    }

    /// The same, to byte `dst_at` on; it and `bytes` are multiples of 4.
    pub fn copy_to(&mut self, src: Rc<Buffer>, dst: Rc<Buffer>, dst_at: u64, bytes: u64) {
        self.steps.push(Step::Copy { src, dst, dst_at, bytes });
    }

    /// Its dispatches, in order.
    pub fn dispatches(&self) -> impl Iterator<Item = &Dispatch> {
        self.steps.iter().filter_map(|step| match step {
            Step::Dispatch(d) => Some(d),
            Step::Copy { .. } => None,
        })
    }

    #[must_use]
    pub fn n_dispatches(&self) -> usize {
        self.dispatches().count()
    }
}

impl Gpu {
    pub(super) fn prepare(
        &self,
        label: Label<'_>,
        kernel: &Kernel,
        bindings: &[Binding<'_>],
        grid: Grid,
    ) -> Result<Dispatch> {
        let pipeline = self.pipeline(kernel)?;
        let declared = &pipeline.interface.bindings;
        if let Some((name, _)) = bindings.iter().find(|(name, _)| !declared.iter().any(|b| b.name == *name)) {
            bail!(Internal, "{label}: kernel '{}' has no binding '{name}'", kernel.name);
        }
        let mut entries = Vec::with_capacity(declared.len());
        for decl in declared {
            let Some((_, buffer)) = bindings.iter().find(|(name, _)| *name == decl.name) else {
                bail!(Internal, "{label}: kernel '{}' needs binding '{}'", kernel.name, decl.name);
            };
            entries.push((decl.index, buffer.raw(self)));
        }
        let fixed = [grid.x, grid.y, Extent::Fixed(grid.z)].map(|e| if let Extent::Fixed(n) = e { n } else { 1 });
        if fixed.iter().any(|&n| n == 0 || n > self.caps.max_workgroups) {
            bail!(Internal, "{label}: a grid of {fixed:?} workgroups, 1 to {} are allowed", self.caps.max_workgroups);
        }
        let bind_group = self.device.bind_group(&label.to_string(), &pipeline.layout, &entries);
        let _buffers = bindings.iter().map(|(_, buffer)| Rc::clone(buffer)).collect();
        Ok(Dispatch { pipeline, bind_group, grid, _buffers, name: label.name.to_owned() })
    }

    /// Submit plans one after the other, for a batch of `n_rows`: in one compute pass, or in as many submits of one as
    /// the device's limit of dispatches makes. Then copy out what the host is to read.
    pub fn submit<'p>(&self, plans: impl IntoIterator<Item = &'p Plan>, n_rows: u32, read: Option<CopyOut<'_>>) {
        self.submit_after(None, plans, n_rows, read);
    }

    /// As [`Gpu::submit`], with commands that run before the plans.
    pub fn submit_after<'p>(
        &self,
        commands: Option<Commands>,
        plans: impl IntoIterator<Item = &'p Plan>,
        n_rows: u32,
        read: Option<CopyOut<'_>>,
    ) {
        self.n_submits.update(|n| n + 1);
        let mut before = commands;
        let mut encoder = self.device.encoder();
        let mut steps = plans.into_iter().flat_map(|plan| &plan.steps).peekable();
        while let Some(step) = steps.peek() {
            if let Step::Copy { src, dst, dst_at, bytes } = step {
                encoder.copy(src.raw(self), 0, dst.raw(self), *dst_at, *bytes);
                steps.next();
                continue;
            }
            let mut pass = encoder.pass(None);
            let mut current: Option<&Rc<Pipeline>> = None;
            let mut n = 0;
            while let Some(Step::Dispatch(d)) = steps.peek()
                && n < self.caps.dispatches_per_submit
            {
                d.encode(self, &mut pass, n_rows, !current.is_some_and(|p| Rc::ptr_eq(p, &d.pipeline)));
                current = Some(&d.pipeline);
                n += 1;
                steps.next();
            }
            pass.end();
            if n == self.caps.dispatches_per_submit {
                self.device.submit(before.take().into_iter().chain([encoder.finish()]));
                encoder = self.device.encoder();
            }
        }
        if let Some(CopyOut { from, bytes, to }) = read {
            encoder.copy(from.raw(self), bytes.start, &to.raw, 0, bytes.end - bytes.start);
        }
        self.device.submit(before.into_iter().chain([encoder.finish()]));
    }

    /// Run one kernel once, outside any plan.
    ///
    /// # Errors
    /// As [`Plan::dispatch`].
    pub fn run(&self, label: &str, kernel: &Kernel, bindings: &[Binding<'_>], grid: Grid) -> Result<()> {
        let mut plan = Plan::default();
        plan.dispatch(self, Label::of(label), kernel, bindings, grid)?;
        self.submit([&plan], 1, None);
        Ok(())
    }
}
