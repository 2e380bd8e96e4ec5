//! Plans: dispatches recorded once and replayed for every token. Replaying allocates, hashes and formats
//! nothing.

use std::rc::Rc;

use super::{Buffer, Gpu, Kernel, Pipeline};
use crate::error::{Result, bail};

/// Workgroups along one dimension of a dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    Fixed(u32),
    /// One workgroup for every so many tokens of the batch, rounded up.
    PerTokens(u32),
}

impl Extent {
    fn workgroups(self, n_tokens: u32) -> u32 {
        match self {
            Extent::Fixed(n) => n,
            Extent::PerTokens(tokens) => n_tokens.div_ceil(tokens),
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

/// A recorded dispatch.
pub struct Dispatch {
    pipeline: Rc<Pipeline>,
    bind_group: wgpu::BindGroup,
    grid: Grid,
    /// What the bind group refers to lives as long as the plan.
    _buffers: Vec<Rc<Buffer>>,
    /// `L07.attn_qkv`
    pub label: String,
}

impl Dispatch {
    pub(super) fn encode(&self, gpu: &Gpu, pass: &mut wgpu::ComputePass<'_>, n_tokens: u32, set_pipeline: bool) {
        if set_pipeline {
            pass.set_pipeline(self.pipeline.raw(&gpu.device));
        }
        pass.set_bind_group(0, &self.bind_group, &[]);
        pass.dispatch_workgroups(self.grid.x.workgroups(n_tokens), self.grid.y.workgroups(n_tokens), self.grid.z);
    }
}

enum Step {
    Dispatch(Dispatch),
    /// Copy the first `bytes_per_token` bytes of every token's row. Only debug captures copy.
    Copy {
        src: Rc<Buffer>,
        dst: Rc<Buffer>,
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
        label: String,
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
        self.steps.push(Step::Copy { src, dst, bytes });
    }

    /// Its dispatches, in order.
    pub fn dispatches(&self) -> impl Iterator<Item = &Dispatch> {
        self.steps.iter().filter_map(|step| match step {
            Step::Dispatch(d) => Some(d),
            Step::Copy { .. } => None,
        })
    }

    /// The labels of its dispatches.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.dispatches().map(|d| d.label.as_str())
    }

    #[must_use]
    pub fn n_dispatches(&self) -> usize {
        self.dispatches().count()
    }
}

impl Gpu {
    pub(super) fn prepare(
        &self,
        label: String,
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
            entries.push(wgpu::BindGroupEntry { binding: decl.index, resource: buffer.raw.as_entire_binding() });
        }
        let fixed = [grid.x, grid.y, Extent::Fixed(grid.z)].map(|e| if let Extent::Fixed(n) = e { n } else { 1 });
        if fixed.iter().any(|&n| n == 0 || n > self.caps.max_workgroups) {
            bail!(Internal, "{label}: a grid of {fixed:?} workgroups, 1 to {} are allowed", self.caps.max_workgroups);
        }
        let bind_group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(&label),
            layout: &pipeline.layout,
            entries: &entries,
        });
        let _buffers = bindings.iter().map(|(_, buffer)| Rc::clone(buffer)).collect();
        Ok(Dispatch { pipeline, bind_group, grid, _buffers, label })
    }

    /// Submit plans one after the other, for a batch of `n_tokens`: in one compute pass, or in as many submits of one as
    /// the device's limit of dispatches makes. Then copy the first `read.bytes()` of `from` into `read`.
    pub fn submit<'p>(
        &self,
        plans: impl IntoIterator<Item = &'p Plan>,
        n_tokens: u32,
        read: Option<(&Buffer, &super::Readback)>,
    ) {
        let new_encoder = || self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut encoder = new_encoder();
        let mut steps = plans.into_iter().flat_map(|plan| &plan.steps).peekable();
        while let Some(step) = steps.peek() {
            if let Step::Copy { src, dst, bytes } = step {
                encoder.copy_buffer_to_buffer(&src.raw, 0, &dst.raw, 0, *bytes);
                steps.next();
                continue;
            }
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            let mut current: Option<&Rc<Pipeline>> = None;
            let mut n = 0;
            while let Some(Step::Dispatch(d)) = steps.peek()
                && n < self.caps.dispatches_per_submit
            {
                d.encode(self, &mut pass, n_tokens, !current.is_some_and(|p| Rc::ptr_eq(p, &d.pipeline)));
                current = Some(&d.pipeline);
                n += 1;
                steps.next();
            }
            drop(pass);
            if n == self.caps.dispatches_per_submit {
                self.queue.submit([encoder.finish()]);
                encoder = new_encoder();
            }
        }
        if let Some((from, read)) = read {
            encoder.copy_buffer_to_buffer(&from.raw, 0, &read.raw, 0, read.bytes());
        }
        self.queue.submit([encoder.finish()]);
    }

    /// Run one kernel once, outside any plan.
    ///
    /// # Errors
    /// As [`Plan::dispatch`].
    pub fn run(&self, label: &str, kernel: &Kernel, bindings: &[Binding<'_>], grid: Grid) -> Result<()> {
        let mut plan = Plan::default();
        plan.dispatch(self, label.to_owned(), kernel, bindings, grid)?;
        self.submit([&plan], 1, None);
        Ok(())
    }
}
