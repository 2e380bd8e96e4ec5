//! Operators: what they do, with which options, on which tensors.

use std::rc::Rc;

use super::builtin_name;
use super::flatbuffer::{Field, Place, Table};
use crate::error::{Result, bail};

// `Operator` of the schema.
const OPCODE_INDEX: Field = Field(0, "opcode_index");
const INPUTS: Field = Field(1, "inputs");
const OUTPUTS: Field = Field(2, "outputs");
const BUILTIN_OPTIONS_TYPE: Field = Field(3, "builtin_options_type");
const BUILTIN_OPTIONS: Field = Field(4, "builtin_options");

// `OperatorCode` of the schema.
const DEPRECATED_BUILTIN_CODE: Field = Field(0, "deprecated_builtin_code");
const CUSTOM_CODE: Field = Field(1, "custom_code");
const VERSION: Field = Field(2, "version");
const BUILTIN_CODE: Field = Field(3, "builtin_code");

/// The number of custom operators.
const CUSTOM: i32 = 32;

/// An operator of a subgraph.
#[derive(Debug, Clone, PartialEq)]
pub struct Operator {
    pub code: Rc<OperatorCode>,
    pub kind: OperatorKind,
    /// Tensors of the subgraph; `None` for one that is left out.
    pub inputs: Vec<Option<usize>>,
    pub outputs: Vec<usize>,
}

/// Which operator it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorCode {
    /// In the schema's list of builtin operators.
    pub number: i32,
    /// The name of a custom one.
    pub custom: Option<String>,
    pub version: i32,
}

/// What the operators do that image networks are made of, with their options.
#[derive(Debug, Clone, PartialEq)]
pub enum OperatorKind {
    Add {
        activation: Activation,
    },
    AveragePool2d(Pool2d),
    Concatenation {
        axis: i32,
        activation: Activation,
    },
    Conv2d(Conv2d),
    /// The multiplier is there for old runtimes; the shapes say the same, and may be all there is.
    DepthwiseConv2d {
        conv: Conv2d,
        depth_multiplier: u32,
    },
    Dequantize,
    FullyConnected {
        activation: Activation,
        keep_num_dims: bool,
    },
    Logistic,
    MaxPool2d(Pool2d),
    Mean {
        keep_dims: bool,
    },
    Mul {
        activation: Activation,
    },
    Pad,
    Prelu,
    Relu,
    Relu6,
    /// The shape is in the second input instead, where there is one.
    Reshape {
        new_shape: Vec<i32>,
    },
    ResizeBilinear {
        align_corners: bool,
        half_pixel_centers: bool,
    },
    Softmax {
        beta: f32,
    },
    /// Any other: `Operator::name` has its name.
    Other,
}

/// What follows an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    None,
    Relu,
    ReluN1To1,
    Relu6,
    Tanh,
    SignBit,
}

/// `Same`: as many places as the input has, divided by the stride and rounded up; an odd place of padding is at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    Same,
    Valid,
}

/// Height before width, as in shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv2d {
    pub padding: Padding,
    pub stride: [u32; 2],
    pub dilation: [u32; 2],
    pub activation: Activation,
}

/// Height before width, as in shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool2d {
    pub padding: Padding,
    pub stride: [u32; 2],
    pub filter: [u32; 2],
    pub activation: Activation,
}

impl OperatorCode {
    pub(super) fn read(table: Table<'_, '_>) -> Result<OperatorCode> {
        // Writers before 2020 knew the first field only; later ones fill both while the number fits.
        let old: i8 = table.scalar(DEPRECATED_BUILTIN_CODE, 0)?;
        let number = table.scalar(BUILTIN_CODE, 0)?.max(i32::from(old));
        if number < 0 {
            bail!(MalformedTflite, "{} is {number}, 0 or more is allowed", table.place());
        }
        let custom = table.text(CUSTOM_CODE)?.filter(|_| number == CUSTOM);
        if number == CUSTOM && custom.is_none() {
            bail!(MalformedTflite, "{} is a custom operator without a name", table.place());
        }
        Ok(OperatorCode { number, custom, version: table.scalar(VERSION, 1)? })
    }

    /// The name of a custom operator, the schema's name of a builtin one, or its number where it is newer.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.custom {
            Some(name) => name.clone(),
            None => builtin_name(self.number).map_or_else(|| format!("BUILTIN_{}", self.number), str::to_owned),
        }
    }
}

impl Operator {
    /// The name of a custom operator, the schema's name of a builtin one, or its number where it is newer.
    #[must_use]
    pub fn name(&self) -> String {
        self.code.name()
    }

    pub(super) fn read(table: Table<'_, '_>, codes: &[Rc<OperatorCode>], n_tensors: usize) -> Result<Operator> {
        let place = table.place();
        let i: u32 = table.scalar(OPCODE_INDEX, 0)?;
        let Some(code) = codes.get(i as usize) else {
            bail!(MalformedTflite, "{place} is of operator code {i}, the model has {}", codes.len());
        };
        let inputs = table.list(INPUTS, |i: i32| match i {
            -1 => Ok(None),
            _ => tensor(place, "input", i, n_tensors).map(Some),
        })?;
        let outputs = table.list(OUTPUTS, |i: i32| tensor(place, "output", i, n_tensors))?;
        Ok(Operator { code: code.clone(), kind: kind(table, code)?, inputs, outputs })
    }
}

/// A number that stands for one of the subgraph's tensors.
pub(super) fn tensor(place: Place, what: &str, i: i32, n_tensors: usize) -> Result<usize> {
    match usize::try_from(i) {
        Ok(i) if i < n_tensors => Ok(i),
        _ => bail!(MalformedTflite, "{place} has tensor {i} as {what}, the subgraph has {n_tensors}"),
    }
}

/// Options of one kind, where the operator has any: each field has a default.
struct Options<'f, 'a> {
    table: Option<Table<'f, 'a>>,
    place: Place,
}

impl<'f, 'a> Options<'f, 'a> {
    /// `id` is the kind's in the union `BuiltinOptions`.
    fn of(operator: Table<'f, 'a>, id: u8) -> Result<Self> {
        let place = operator.place().part("the options");
        let found: u8 = operator.scalar(BUILTIN_OPTIONS_TYPE, 0)?;
        if found != id && found != 0 {
            bail!(MalformedTflite, "{place} are of kind {found}, {id} is needed");
        }
        let table = if found == 0 { None } else { operator.table(BUILTIN_OPTIONS, "the options")? };
        Ok(Options { table, place })
    }

    fn flag(&self, field: u16, name: &'static str) -> Result<bool> {
        self.table.map_or(Ok(false), |t| t.scalar(Field(field, name), false))
    }

    fn i32(&self, field: u16, name: &'static str) -> Result<i32> {
        self.table.map_or(Ok(0), |t| t.scalar(Field(field, name), 0))
    }

    /// A height and a width of 1 or more; their fields are numbered.
    fn sides(&self, name: &'static str, [height, width]: [u16; 2], default: i32) -> Result<[u32; 2]> {
        let Some(table) = self.table else {
            bail!(MalformedTflite, "{} are missing, which have the {name}", self.place);
        };
        let side = |field| table.at_least(Field(field, name), default, 1);
        Ok([side(height)?, side(width)?])
    }

    fn padding(&self) -> Result<Padding> {
        match self.byte(0, "padding")? {
            0 => Ok(Padding::Same),
            1 => Ok(Padding::Valid),
            n => bail!(MalformedTflite, "'padding' of {} is {n}, 0 and 1 are known", self.place),
        }
    }

    fn activation(&self, field: u16) -> Result<Activation> {
        use Activation::*;
        let n = self.byte(field, "fused_activation_function")?;
        match [None, Relu, ReluN1To1, Relu6, Tanh, SignBit].get(usize::from(n)) {
            Some(&activation) => Ok(activation),
            _ => bail!(MalformedTflite, "'fused_activation_function' of {} is {n}, 0 to 5 are known", self.place),
        }
    }

    fn byte(&self, field: u16, name: &'static str) -> Result<u8> {
        self.table.map_or(Ok(0), |t| t.scalar(Field(field, name), 0))
    }

    fn pool(&self) -> Result<Pool2d> {
        Ok(Pool2d {
            padding: self.padding()?,
            stride: self.sides("stride", [2, 1], 0)?,
            filter: self.sides("filter", [4, 3], 0)?,
            activation: self.activation(5)?,
        })
    }
}

/// Numbers of operators, of options and of fields are the schema's.
fn kind(table: Table<'_, '_>, code: &OperatorCode) -> Result<OperatorKind> {
    let options = |id| Options::of(table, id);
    let activation = |id| options(id)?.activation(0);
    Ok(match code.number {
        0 => OperatorKind::Add { activation: activation(11)? },
        1 => OperatorKind::AveragePool2d(options(5)?.pool()?),
        2 => {
            let options = options(10)?;
            OperatorKind::Concatenation { axis: options.i32(0, "axis")?, activation: options.activation(1)? }
        }
        3 => {
            let options = options(1)?;
            OperatorKind::Conv2d(Conv2d {
                padding: options.padding()?,
                stride: options.sides("stride", [2, 1], 0)?,
                dilation: options.sides("dilation", [5, 4], 1)?,
                activation: options.activation(3)?,
            })
        }
        4 => {
            let options = options(2)?;
            let conv = Conv2d {
                padding: options.padding()?,
                stride: options.sides("stride", [2, 1], 0)?,
                dilation: options.sides("dilation", [6, 5], 1)?,
                activation: options.activation(4)?,
            };
            let multiplier = options.table.map(|t| t.at_least(Field(3, "depth_multiplier"), 0, 0));
            OperatorKind::DepthwiseConv2d { conv, depth_multiplier: multiplier.transpose()?.unwrap_or(0) }
        }
        6 => OperatorKind::Dequantize,
        9 => {
            let options = options(8)?;
            if options.byte(1, "weights_format")? != 0 {
                bail!(UnsupportedTensorType, "{} say that the weights are shuffled", options.place);
            }
            let keep_num_dims = options.flag(2, "keep_num_dims")?;
            OperatorKind::FullyConnected { activation: options.activation(0)?, keep_num_dims }
        }
        14 => OperatorKind::Logistic,
        17 => OperatorKind::MaxPool2d(options(5)?.pool()?),
        18 => OperatorKind::Mul { activation: activation(21)? },
        19 => OperatorKind::Relu,
        21 => OperatorKind::Relu6,
        22 => {
            let shape = options(17)?.table.map(|t| t.list(Field(0, "new_shape"), Ok));
            OperatorKind::Reshape { new_shape: shape.transpose()?.unwrap_or_default() }
        }
        23 => {
            let options = options(15)?;
            OperatorKind::ResizeBilinear {
                align_corners: options.flag(2, "align_corners")?,
                half_pixel_centers: options.flag(3, "half_pixel_centers")?,
            }
        }
        25 => {
            let beta = options(9)?.table.map(|t| t.scalar(Field(0, "beta"), 0.0));
            OperatorKind::Softmax { beta: beta.transpose()?.unwrap_or(0.0) }
        }
        34 => OperatorKind::Pad,
        40 => OperatorKind::Mean { keep_dims: options(27)?.flag(0, "keep_dims")? },
        54 => OperatorKind::Prelu,
        _ => OperatorKind::Other,
    })
}
