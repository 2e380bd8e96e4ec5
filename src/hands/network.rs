//! A network with its weights: from a file's header to a plan that runs.

use std::rc::Rc;

use futures_util::future::try_join;

use super::design::{Act, Design, Layer, Skip, Step, Weight};
use super::kind::{Kind, Task};
use super::memory;
use crate::error::{Error, Result, bail};
use crate::formats::gguf::{Gguf, TensorInfo};
use crate::gpu::{Gpu, Ledger, Plan};
use crate::load::{Destination, Load, LoadEvents, Tally, load_bytes, stream_weights};
use crate::ops::{
    Activation, BatchBuffers, Epilogue, Image, Matrix, Observer, Phase, Recorder, Residual, Vector, Window,
};
use crate::source::ByteSource;

/// A network before it is on the GPU: what it takes, and where the file's tensors go.
pub struct Network {
    pub kind: &'static Kind,
    /// Every buffer: weights and images.
    pub memory: Ledger,
    /// Of these, the weights' bytes.
    pub weight_bytes: u64,
    pub loads: Vec<Load>,
    design: Design,
    images: Vec<Image>,
    weights: Vec<StepWeights>,
    batch: BatchBuffers,
}

/// The weights of a step, as far as it has them.
#[derive(Default)]
struct StepWeights {
    weight: Option<Rc<Matrix>>,
    bias: Option<Vector>,
    slope: Option<Vector>,
}

/// A network on the GPU, recorded.
pub struct Loaded {
    pub network: Network,
    pub plan: Plan,
}

impl Network {
    /// The network of a file for a purpose, for a device that binds buffers of up to `max_binding_bytes`; `None` where the file
    /// has none.
    ///
    /// # Errors
    /// As [`Kind::of_gguf`]. `MalformedGguf` where a tensor is missing or has another shape, `UnsupportedTensorType` where it is
    /// neither F16 nor F32, `UnsupportedArchitecture` where there is one too many.
    pub fn of(gguf: &Gguf, task: Task, max_binding_bytes: u64) -> Result<Option<Network>> {
        let Some(kind) = Kind::of_gguf(gguf, task)? else { return Ok(None) };
        let design = kind.design();
        let memory = Ledger::new(max_binding_bytes);
        let mut loads = Vec::new();
        let weights = design.steps.iter().map(|step| {
            let mut all = StepWeights::default();
            for weight in design.weights(step) {
                let name = format!("{}.{}", step.name, weight.suffix());
                let tensor = tensor(gguf, &name, &weight.shape())?;
                let (rows, cols) = match weight {
                    Weight::Weight { rows, cols } => (rows, cols),
                    Weight::Bias(n) | Weight::Slope(n) => (1, n),
                };
                let matrix = Rc::new(Matrix::as_f32(&memory, &name, tensor.ty, rows, cols)?);
                match weight {
                    Weight::Weight { .. } => all.weight = Some(matrix.clone()),
                    Weight::Bias(_) => all.bias = matrix.as_vector(),
                    Weight::Slope(_) => all.slope = matrix.as_vector(),
                }
                let destination = Destination::Rows { matrix, row0: 0, step: 1 };
                loads.push(Load { tensor: tensor.clone(), destination });
            }
            Ok(all)
        });
        let weights = weights.collect::<Result<Vec<_>>>()?;
        check_all_used(gguf, task, &loads)?;
        let weight_bytes = memory.bytes();
        let images = memory::images(&memory, &design)?;
        let batch = BatchBuffers::new(&memory, 1)?;
        Ok(Some(Network { kind, memory, weight_bytes, loads, images, weights, batch, design }))
    }

    /// The image that it looks at: R, G, B from 0 to 1.
    #[must_use]
    pub fn input(&self) -> &Image {
        &self.images[self.design.input()]
    }

    /// Of palms `(24, 24, 2 + 36)` and `(12, 12, 6 + 108)`: for each place the scores of its anchors before the sigmoid, then 18
    /// numbers each. Of landmarks `(1, 1, 1 + 1 + 63 + 63)`: whether the hand is a right one, presence, points in pixels of the
    /// input, points in metres; in the network of 2020 `(1, 1, 1 + 1 + 63)`: presence, whether it is a right one, points.
    #[must_use]
    pub fn outputs(&self) -> Vec<&Image> {
        self.design.outputs.iter().map(|&id| &self.images[id]).collect()
    }

    /// The forward pass as a plan, seen by the observer if there is one. Ops have the names of their steps.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn record(&self, gpu: &Gpu, observer: Option<&mut dyn Observer>) -> Result<Plan> {
        let phase = Phase::Decode { far: false };
        let mut r = match observer {
            Some(observer) => Recorder::observed_by(gpu, &self.batch, phase, observer),
            None => Recorder::new(gpu, &self.batch, phase),
        };
        for (step, weights) in self.design.steps.iter().zip(&self.weights) {
            self.step(&mut r, step, weights)?;
        }
        Ok(r.plan)
    }

    fn step(&self, r: &mut Recorder<'_>, step: &Step, weights: &StepWeights) -> Result<()> {
        let (name, x, y) = (step.name.as_str(), &self.images[step.x], &self.images[step.y]);
        let activation = match step.act {
            Act::None => Activation::None,
            Act::Relu => Activation::Relu,
            Act::Relu6 => Activation::Relu6,
            Act::Prelu => Activation::Prelu(needed(name, &weights.slope)?),
            Act::Sigmoid(n) => Activation::Sigmoid(n),
        };
        let residual = match step.skip {
            Skip::None => Residual::None,
            Skip::Same(id) => Residual::Same(&self.images[id]),
            Skip::Pooled(id) => Residual::Pooled(&self.images[id]),
        };
        let epilogue = || Ok(Epilogue { bias: needed(name, &weights.bias)?, residual, activation });
        let same = |kernel, stride| Window::same(kernel, stride, x.shape());
        match (step.layer, residual) {
            (Layer::Conv { kernel, stride, same: padded }, _) => {
                let window = if padded { same(kernel, stride) } else { Window { stride, before: [0, 0] } };
                r.conv(name, x, needed(name, &weights.weight)?, kernel, window, epilogue()?, y)
            }
            (Layer::Depthwise { kernel, stride }, _) => {
                r.depthwise(name, x, needed(name, &weights.weight)?, kernel, same(kernel, stride), epilogue()?, y)
            }
            (Layer::Pointwise, _) => r.pointwise(name, x, needed(name, &weights.weight)?, epilogue()?, y),
            (Layer::Upsample, Residual::Same(skip)) => r.upsample_add(name, x, activation, skip, y),
            (Layer::Upsample, _) => bail!(Internal, "{name}: there is nothing to add it to"),
            (Layer::Mean, _) => r.mean(name, x, y),
        }
    }
}

fn needed<'a, T>(name: &str, weights: &'a Option<T>) -> Result<&'a T> {
    weights.as_ref().ok_or_else(|| Error::Internal(format!("{name}: it has no such weights")))
}

fn tensor<'g>(gguf: &'g Gguf, name: &str, shape: &[u32]) -> Result<&'g TensorInfo> {
    let t = gguf.require(name)?;
    if !t.shape.iter().copied().eq(shape.iter().map(|&d| u64::from(d))) {
        bail!(MalformedGguf, "tensor '{name}' has shape {:?}, {shape:?} is needed", t.shape);
    }
    Ok(t)
}

/// Fails where the file has a tensor of this network that no step reads.
fn check_all_used(gguf: &Gguf, task: Task, loads: &[Load]) -> Result<()> {
    let mut of_task = gguf.tensors.iter().filter(|t| t.name.split('.').next() == Some(task.name()));
    match of_task.find(|t| !loads.iter().any(|load| load.tensor.name == t.name)) {
        None => Ok(()),
        Some(t) => bail!(UnsupportedArchitecture, "tensor '{}' is not part of the network as it is supported", t.name),
    }
}

/// Bring networks of a file to the GPU: allocate, record, load and compile side by side.
///
/// # Errors
/// What the source, the GPU or `events` report.
pub async fn load<S: ByteSource>(
    gpu: &Gpu,
    source: &S,
    mut networks: Vec<Network>,
    events: &dyn LoadEvents,
) -> Result<Vec<Loaded>> {
    let allocate = || {
        networks.iter().for_each(|network| network.memory.allocate(gpu));
        Ok(())
    };
    gpu.allocating("the networks", allocate).await?;
    events.check()?;
    let loads: Vec<Load> = networks.iter_mut().flat_map(|network| std::mem::take(&mut network.loads)).collect();
    let record = |network: Network| Ok(Loaded { plan: network.record(gpu, None)?, network });
    let loaded = networks.into_iter().map(record).collect::<Result<Vec<_>>>()?;
    let tally = Tally::new(events, load_bytes(&loads)?);
    tally.begin();
    // Neither waits for the other to end if one fails.
    let compile = gpu.compile(|done, all| tally.set_kernels(done, all));
    try_join(stream_weights(gpu, source, &loads, &tally), compile).await?;
    Ok(loaded)
}

impl Loaded {
    /// Run the network on what its input holds. Nothing is allocated.
    pub fn run(&self, gpu: &Gpu) {
        gpu.submit([&self.plan], 1, None);
    }
}
