//! Tensors: name, type, shape, quantisation, and where the data of a constant lies.

use std::ops::Range;

use super::TensorType;
use super::flatbuffer::{Field, File, Place, Table};
use crate::error::{Result, bail};

/// Kernels of the runtime take 8 at most.
pub const MAX_DIMS: usize = 8;
/// A tensor takes no more. Sums over all tensors of a file can't overflow then.
pub const MAX_TENSOR_BYTES: u64 = 1 << 40;

// `Tensor` of the schema.
const SHAPE: Field = Field(0, "shape");
const TYPE: Field = Field(1, "type");
const BUFFER: Field = Field(2, "buffer");
const NAME: Field = Field(3, "name");
const QUANTIZATION: Field = Field(4, "quantization");
const IS_VARIABLE: Field = Field(5, "is_variable");
const SPARSITY: Field = Field(6, "sparsity");
const EXTERNAL_BUFFER: Field = Field(10, "external_buffer");

// `QuantizationParameters` of the schema.
const SCALE: Field = Field(2, "scale");
const ZERO_POINT: Field = Field(3, "zero_point");
const DETAILS_TYPE: Field = Field(4, "details_type");
const QUANTIZED_DIMENSION: Field = Field(6, "quantized_dimension");

// `Buffer` of the schema.
const DATA: Field = Field(0, "data");
const OFFSET: Field = Field(1, "offset");
const SIZE: Field = Field(2, "size");

/// A tensor of a subgraph.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// May be empty, and may be another tensor's name, too.
    pub name: String,
    pub ty: TensorType,
    /// Outermost first; images are `[batch, height, width, channels]`. Empty for a scalar.
    pub shape: Vec<u64>,
    /// Where the data of a constant lies in the file, in bytes. Constants may share it.
    pub file_range: Option<Range<u64>>,
    pub quantization: Option<Quantization>,
    /// It keeps its value from one run to the next.
    pub is_variable: bool,
    /// The data leaves out zeros, so that it is smaller than the shape says.
    pub is_sparse: bool,
}

/// `value = scale * (code - zero_point)`, with a scale and a zero point for the tensor, or for each index of `axis`.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantization {
    pub scale: Vec<f32>,
    /// As many as scales.
    pub zero_point: Vec<i64>,
    pub axis: usize,
}

impl Tensor {
    /// The number of elements; the reader has checked that it does not overflow.
    #[must_use]
    pub fn n_elems(&self) -> u64 {
        self.shape.iter().product()
    }

    /// Bytes of its elements, packed: what it takes while the network runs. Elements of no fixed size count as none.
    #[must_use]
    pub fn n_bytes(&self) -> u64 {
        self.ty.bytes(self.n_elems()).ok().flatten().unwrap_or(0)
    }

    pub(super) fn read(file: &File<'_>, table: Table<'_, '_>, buffers: &Buffers<'_, '_>) -> Result<Tensor> {
        let place = table.place();
        let id: i8 = table.scalar(TYPE, 0)?;
        let Some(ty) = TensorType::from_id(id) else {
            bail!(UnsupportedTensorType, "{place} has type {id}, which is not a known type of TFLite");
        };
        let shape = shape(table)?;
        let n_bytes = n_bytes(table, ty, &shape)?;
        let external: u32 = table.scalar(EXTERNAL_BUFFER, 0)?;
        if external != 0 {
            bail!(UnsupportedArchitecture, "the data of {place} is in another file, data in this one is supported");
        }
        let is_sparse = table.table(SPARSITY, "the sparsity")?.is_some();
        let file_range = buffers.range(file, table.scalar(BUFFER, 0)?, table)?;
        if let (Some(range), Some(wanted)) = (&file_range, n_bytes.filter(|_| !is_sparse))
            && range.end - range.start != wanted
        {
            let found = range.end - range.start;
            bail!(MalformedTflite, "{place} has {found} bytes of data, {ty} of shape {shape:?} takes {wanted}");
        }
        Ok(Tensor {
            name: table.text(NAME)?.unwrap_or_default(),
            quantization: quantization(table, &shape)?,
            is_variable: table.scalar(IS_VARIABLE, false)?,
            ty,
            shape,
            file_range,
            is_sparse,
        })
    }
}

fn shape(table: Table<'_, '_>) -> Result<Vec<u64>> {
    let place = table.place();
    let n_dims = table.count::<i32>(SHAPE)?;
    if n_dims > MAX_DIMS {
        bail!(MalformedTflite, "{place} has {n_dims} dimensions, at most {MAX_DIMS} are allowed");
    }
    table.list(SHAPE, |n: i32| match u64::try_from(n) {
        Ok(n) => Ok(n),
        Err(_) => bail!(MalformedTflite, "{place} has a dimension of {n}, 0 or more is allowed"),
    })
}

fn n_bytes(table: Table<'_, '_>, ty: TensorType, shape: &[u64]) -> Result<Option<u64>> {
    // A zero hides an overflow of the others in one order of the product, and not in another.
    let product = shape.iter().try_fold(1u64, |a, &b| a.checked_mul(b.max(1))).filter(|&n| n <= MAX_TENSOR_BYTES);
    let n_elems = product.map(|n| if shape.contains(&0) { 0 } else { n });
    match n_elems.map(|n| ty.bytes(n)).transpose()? {
        Some(bytes) if bytes.is_none_or(|n| n <= MAX_TENSOR_BYTES) => Ok(bytes),
        _ => {
            bail!(
                MalformedTflite,
                "{} has shape {shape:?} of {ty}, {MAX_TENSOR_BYTES} bytes are allowed",
                table.place()
            )
        }
    }
}

fn quantization(tensor: Table<'_, '_>, shape: &[u64]) -> Result<Option<Quantization>> {
    let Some(table) = tensor.table(QUANTIZATION, "the quantisation")? else { return Ok(None) };
    let place = table.place();
    let details: u8 = table.scalar(DETAILS_TYPE, 0)?;
    if details != 0 {
        bail!(UnsupportedTensorType, "{place} is of kind {details}, only scales and zero points are supported");
    }
    let scale: Vec<f32> = table.list(SCALE, |v: f32| match v.is_finite() {
        true => Ok(v),
        false => bail!(MalformedTflite, "{place} has a scale of {v}, finite ones are allowed"),
    })?;
    if scale.is_empty() {
        return Ok(None);
    }
    let zero_point: Vec<i64> = table.list(ZERO_POINT, Ok)?;
    if zero_point.len() != scale.len() {
        bail!(MalformedTflite, "{place} has {} scales and {} zero points", scale.len(), zero_point.len());
    }
    let axis = table.at_least(QUANTIZED_DIMENSION, 0, 0)? as usize;
    if axis >= shape.len().max(1) {
        bail!(MalformedTflite, "{place} is along dimension {axis}, the tensor has {}", shape.len());
    }
    let wanted = shape.get(axis).copied().unwrap_or(1);
    if scale.len() != 1 && scale.len() as u64 != wanted {
        bail!(MalformedTflite, "{place} has {} scales, 1 or {wanted} are allowed", scale.len());
    }
    Ok(Some(Quantization { scale, zero_point, axis }))
}

/// The model's buffers, read when a tensor asks for one.
pub(super) struct Buffers<'f, 'a> {
    pub model: Table<'f, 'a>,
    pub list: Field,
}

impl Buffers<'_, '_> {
    /// Where the data of a buffer lies in the file; `None` where it has none.
    fn range(&self, file: &File<'_>, i: u32, tensor: Table<'_, '_>) -> Result<Option<Range<u64>>> {
        let n = self.model.count::<u32>(self.list)?;
        // Buffer 0 is the one of tensors without data, there or not.
        if i == 0 && n == 0 {
            return Ok(None);
        }
        let i = i as usize;
        if i >= n {
            bail!(MalformedTflite, "{} has its data in buffer {i}, the model has {n}", tensor.place());
        }
        let buffer = self.model.nth(self.list, i, Place::nth("buffer", i))?;
        let data = buffer.bytes(DATA)?;
        let (offset, size): (u64, u64) = (buffer.scalar(OFFSET, 0)?, buffer.scalar(SIZE, 0)?);
        // Models of more than 2 GB have data behind the FlatBuffer; 1 stands for a place that is not known yet.
        if offset > 1 {
            return match offset.checked_add(size).filter(|&end| end <= file.len() as u64) {
                Some(end) => Ok(Some(offset..end).filter(|r| !r.is_empty())),
                None => bail!(
                    MalformedTflite,
                    "{} has {size} bytes at byte {offset}, the file ends at {} (truncated?)",
                    buffer.place(),
                    file.len()
                ),
            };
        }
        Ok(Some(data.start as u64..data.end as u64).filter(|r| !r.is_empty()))
    }
}
