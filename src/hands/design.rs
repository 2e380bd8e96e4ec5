//! A network before it has weights: its images, and the steps that make one of another.

use crate::ops::{Shape, strided};

/// An image of the network, by its number.
pub type Id = usize;

/// What a network computes.
pub struct Design {
    /// What the names of its tensors begin with.
    pub prefix: &'static str,
    /// The first one is the input.
    pub images: Vec<Shape>,
    /// In the order of running.
    pub steps: Vec<Step>,
    pub outputs: Vec<Id>,
}

/// One op: `y = act(layer(x) + skip)`, of [`Layer::Upsample`] `y = skip + act(layer(x))`.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// `palm.stage2.block1.depthwise`; its tensors are `NAME.weight`, `NAME.bias`, `NAME.slope`.
    pub name: String,
    pub layer: Layer,
    pub x: Id,
    pub skip: Skip,
    pub act: Act,
    pub y: Id,
    /// Channels of y that the layers make which this one stands for, one after the other: heads on one image are one layer.
    pub heads: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// A convolution of `kernel x kernel` over all channels. `same`: with TensorFlow's SAME padding, else VALID.
    Conv { kernel: u32, stride: u32, same: bool },
    /// A convolution of each channel by itself, with SAME padding.
    Depthwise { kernel: u32, stride: u32 },
    /// A convolution of 1 x 1.
    Pointwise,
    /// Twice as large, bilinear.
    Upsample,
    /// The mean over all places.
    Mean,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    None,
    Same(Id),
    /// The maximum of 2 x 2 places.
    Pooled(Id),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    None,
    Relu,
    Relu6,
    /// With a slope a channel.
    Prelu,
    /// The sigmoid of the first channels.
    Sigmoid(u32),
}

/// A tensor of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// `(N, kernel kernel C)`, or `(kernel kernel, N)` of a depthwise convolution.
    Weight { rows: u32, cols: u32 },
    /// `(N)`
    Bias(u32),
    /// `(N)`
    Slope(u32),
}

impl Skip {
    #[must_use]
    pub fn id(self) -> Option<Id> {
        match self {
            Skip::None => None,
            Skip::Same(id) | Skip::Pooled(id) => Some(id),
        }
    }
}

impl Weight {
    /// What follows the step's name in the tensor's.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Weight::Weight { .. } => "weight",
            Weight::Bias(_) => "bias",
            Weight::Slope(_) => "slope",
        }
    }

    /// Outermost first.
    #[must_use]
    pub fn shape(self) -> Vec<u32> {
        match self {
            Weight::Weight { rows, cols } => vec![rows, cols],
            Weight::Bias(n) | Weight::Slope(n) => vec![n],
        }
    }
}

impl Design {
    /// A network that looks at images of this shape.
    #[must_use]
    pub fn new(prefix: &'static str, input: Shape) -> Self {
        Design { prefix, images: vec![input], steps: Vec::new(), outputs: Vec::new() }
    }

    /// The image that the network looks at.
    #[must_use]
    pub fn input(&self) -> Id {
        0
    }

    fn channels(&self, x: Id) -> u32 {
        self.images[x].channels
    }

    fn step(&mut self, name: &str, layer: Layer, x: Id, skip: Skip, act: Act, y: Shape) -> Id {
        let id = self.images.len();
        self.images.push(y);
        let name = format!("{}.{name}", self.prefix);
        self.steps.push(Step { name, layer, x, skip, act, y: id, heads: vec![y.channels] });
        id
    }

    /// A convolution over all channels, with SAME padding.
    pub fn conv(&mut self, name: &str, x: Id, kernel: u32, stride: u32, channels: u32, act: Act) -> Id {
        let y = strided(self.images[x], stride, channels);
        self.step(name, Layer::Conv { kernel, stride, same: true }, x, Skip::None, act, y)
    }

    /// A convolution of each channel by itself.
    pub fn depthwise(&mut self, name: &str, x: Id, kernel: u32, stride: u32, act: Act) -> Id {
        let y = strided(self.images[x], stride, self.channels(x));
        self.step(name, Layer::Depthwise { kernel, stride }, x, Skip::None, act, y)
    }

    /// A convolution of 1 x 1.
    pub fn pointwise(&mut self, name: &str, x: Id, channels: u32, skip: Skip, act: Act) -> Id {
        let y = strided(self.images[x], 1, channels);
        self.step(name, Layer::Pointwise, x, skip, act, y)
    }

    /// `skip + act(x, twice as large)`
    pub fn upsample(&mut self, name: &str, x: Id, act: Act, skip: Id) -> Id {
        let y = self.images[skip];
        self.step(name, Layer::Upsample, x, Skip::Same(skip), act, y)
    }

    /// The mean over all places.
    pub fn mean(&mut self, name: &str, x: Id) -> Id {
        let y = Shape::new(1, 1, self.channels(x));
        self.step(name, Layer::Mean, x, Skip::None, Act::None, y)
    }

    /// Heads on one image, an output of the network. Each sees the whole image if `whole`, else a place of it.
    pub fn heads(&mut self, name: &str, x: Id, whole: bool, heads: &[u32], act: Act) -> Id {
        let (shape, channels) = (self.images[x], heads.iter().sum());
        let y = match whole {
            true => {
                let layer = Layer::Conv { kernel: shape.height, stride: 1, same: false };
                self.step(name, layer, x, Skip::None, act, Shape::new(1, 1, channels))
            }
            false => self.pointwise(name, x, channels, Skip::None, act),
        };
        if let Some(step) = self.steps.last_mut() {
            step.heads = heads.to_vec();
        }
        self.outputs.push(y);
        y
    }

    /// The tensors of a step, in the order in which a TFLite file's operators read them.
    #[must_use]
    pub fn weights(&self, step: &Step) -> Vec<Weight> {
        let (c, n) = (self.channels(step.x), self.channels(step.y));
        let weight = match step.layer {
            Layer::Conv { kernel, .. } => Some((n, kernel * kernel * c)),
            Layer::Depthwise { kernel, .. } => Some((kernel * kernel, n)),
            Layer::Pointwise => Some((n, c)),
            Layer::Upsample | Layer::Mean => None,
        };
        let of_layer = weight.map(|(rows, cols)| [Weight::Weight { rows, cols }, Weight::Bias(n)]);
        let slope = (step.act == Act::Prelu).then_some(Weight::Slope(n));
        of_layer.into_iter().flatten().chain(slope).collect()
    }
}
