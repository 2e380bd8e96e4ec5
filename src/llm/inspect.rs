//! What a model file says of itself before its weights: its header, described.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

use super::{LoadOptions, Need, arch, types};
use crate::formats::gguf::{Array, Gguf, Metadata, TensorInfo, Value};
use crate::source::PART_STRIDE;
use crate::tokenizer::Text;

/// A longer array of the metadata is given by its length and its first elements.
const WHOLE: usize = 128;
const FIRST: usize = 8;
/// Integers beyond this are no numbers in JavaScript, but strings of digits.
const MAX_SAFE: i128 = (1 << 53) - 1;

/// A model file, described.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspection<'a> {
    /// Of the format.
    pub version: u32,
    pub architecture: Option<&'a str>,
    pub name: Option<Cow<'a, str>>,
    pub parameters: u64,
    /// Tensor types by the parameters they hold, the most first.
    pub types: Vec<String>,
    pub file_bytes: Option<u64>,
    #[serde(serialize_with = "metadata")]
    pub metadata: &'a Metadata,
    #[serde(serialize_with = "tensors")]
    pub tensors: &'a [TensorInfo],
    /// What it takes on a GPU; `None` where the model is unsupported.
    pub memory: Option<Needs>,
    /// Why the model can't be run; empty where nothing speaks against it.
    pub unsupported: Vec<String>,
    pub warnings: Vec<String>,
}

/// Bytes of GPU memory.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Needs {
    pub context_length: u32,
    pub weights: u64,
    pub kv_cache: u64,
    pub activations: u64,
    pub total: u64,
}

impl From<&Need> for Needs {
    fn from(need: &Need) -> Needs {
        let bytes = &need.bytes;
        Needs {
            context_length: need.sizes.n_ctx,
            weights: bytes.weights,
            kv_cache: bytes.kv_cache,
            activations: bytes.activations,
            total: bytes.total(),
        }
    }
}

impl<'a> Inspection<'a> {
    /// `options` are those of the load that `memory` is of.
    #[must_use]
    pub fn new(gguf: &'a Gguf, file_bytes: Option<u64>, options: &LoadOptions) -> Self {
        let mut unsupported = Vec::new();
        let mut warnings = Vec::new();
        let mut memory = None;
        match arch::config(gguf) {
            Err(e) => unsupported.push(e.to_string()),
            Ok(config) => {
                warnings.extend_from_slice(&config.warnings);
                match Need::of(gguf, &config, options) {
                    Err(e) => unsupported.push(e.to_string()),
                    Ok(need) => memory = Some(Needs::from(&need)),
                }
            }
        }
        match Text::from_gguf(&gguf.metadata) {
            Err(e) => unsupported.push(e.to_string()),
            Ok(text) => warnings.extend(text.warnings().map(str::to_owned)),
        }
        Inspection {
            version: gguf.version,
            architecture: gguf.architecture().ok(),
            name: gguf.metadata.description("general.name"),
            parameters: gguf.n_params(),
            types: types(gguf).iter().map(|(ty, _)| ty.to_string()).collect(),
            file_bytes,
            metadata: &gguf.metadata,
            tensors: &gguf.tensors,
            memory,
            unsupported,
            warnings,
        }
    }
}

fn metadata<S: Serializer>(metadata: &&Metadata, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(metadata.iter().map(|(key, value)| (key, Shown(value))))
}

fn tensors<S: Serializer>(tensors: &&[TensorInfo], serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(tensors.len()))?;
    for tensor in *tensors {
        list.serialize_element(&ShownTensor(tensor))?;
    }
    list.end()
}

struct ShownTensor<'a>(&'a TensorInfo);

impl Serialize for ShownTensor<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let TensorInfo { name, ty, shape, file_range } = self.0;
        let mut tensor = serializer.serialize_struct("Tensor", 5)?;
        tensor.serialize_field("name", name)?;
        tensor.serialize_field("type", &ty.to_string())?;
        tensor.serialize_field("shape", shape)?;
        tensor.serialize_field("offset", &(file_range.start % PART_STRIDE))?;
        tensor.serialize_field("bytes", &(file_range.end - file_range.start))?;
        tensor.end()
    }
}

/// A value of the metadata.
struct Shown<'a>(Value<'a>);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Value::Int(v) if v.abs() <= MAX_SAFE => serializer.serialize_i64(*v as i64),
            Value::Int(v) => serializer.collect_str(v),
            Value::Float(v) if v.is_finite() => serializer.serialize_f64(shortest(*v)),
            Value::Float(_) => serializer.serialize_none(),
            Value::Bool(v) => serializer.serialize_bool(*v),
            Value::String(v) => serializer.serialize_str(v),
            Value::Array(a) => array(*a, serializer),
        }
    }
}

/// Of a number that was written with the precision of an `f32`, the shortest decimal: 0.00001, not 0.000009999999747378752.
fn shortest(v: f64) -> f64 {
    let short = v as f32;
    if f64::from(short) == v { short.to_string().parse().unwrap_or(v) } else { v }
}

fn array<S: Serializer>(array: Array<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    let first = |n| array.values().take(n).map(Shown).collect::<Vec<_>>();
    let all = first(WHOLE + 1);
    // Nested arrays have no values here.
    if all.len() <= WHOLE && all.len() == array.len {
        return all.serialize(serializer);
    }
    let mut map = serializer.serialize_map(Some(3))?;
    map.serialize_entry("type", &format!("{:?}", array.ty).to_lowercase())?;
    map.serialize_entry("length", &array.len)?;
    map.serialize_entry("first", &first(FIRST))?;
    map.end()
}
