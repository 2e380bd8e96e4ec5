//! What a TFLite file says of itself, for a reader.

use std::collections::{BTreeMap, HashSet};

use super::{Named, Peak, Subgraph, Tensor, TensorType};

/// What there is to say of a model in a file.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspection<'a> {
    /// The file's name in its bundle.
    pub name: Option<&'a str>,
    pub description: &'a str,
    /// The name of a known network.
    pub network: Option<&'static str>,
    pub file_bytes: u64,
    /// Elements of constants that are weights: of a floating type, or quantised.
    pub parameters: u64,
    pub weight_bytes: u64,
    /// Of the first subgraph: the most that its operators need at a time.
    pub activations: Peak,
    pub inputs: Vec<Port<'a>>,
    pub outputs: Vec<Port<'a>>,
    pub signatures: Vec<&'a str>,
    pub subgraphs: usize,
    /// The most frequent first.
    pub operators: Vec<Operators>,
    /// Tensors by type.
    pub types: Vec<Types>,
    pub tensors: Vec<Shown<'a>>,
}

/// An input or an output.
#[derive(serde::Serialize)]
pub struct Port<'a> {
    pub name: &'a str,
    #[serde(rename = "type")]
    pub ty: &'static str,
    pub shape: &'a [u64],
}

/// Operators of one kind.
#[derive(serde::Serialize)]
pub struct Operators {
    pub name: String,
    pub count: usize,
}

/// Tensors of one type.
#[derive(serde::Serialize)]
pub struct Types {
    #[serde(rename = "type")]
    pub ty: &'static str,
    pub tensors: usize,
    /// How many of them have data in the file.
    pub constants: usize,
    /// Bytes of the data, what tensors share once.
    pub bytes: u64,
    /// How many have scales and zero points.
    pub quantized: usize,
}

/// A tensor.
#[derive(serde::Serialize)]
pub struct Shown<'a> {
    pub name: &'a str,
    #[serde(rename = "type")]
    pub ty: &'static str,
    pub shape: &'a [u64],
    /// Where the data of a constant lies in the file.
    pub offset: Option<u64>,
    pub bytes: Option<u64>,
}

impl<'a> Inspection<'a> {
    #[must_use]
    pub fn new(of: &'a Named) -> Self {
        let (model, network) = (&of.model, of.model.network());
        let tensors = || model.subgraphs.iter().flat_map(|s| &s.tensors);
        let weights: Vec<&Tensor> =
            once(tensors()).into_iter().filter(|t| t.ty.is_float() || t.quantization.is_some()).collect();
        Inspection {
            name: of.name.as_deref(),
            description: &model.description,
            network: model.known_network(),
            file_bytes: of.file_range.end - of.file_range.start,
            parameters: weights.iter().map(|t| t.n_elems()).sum(),
            weight_bytes: weights.iter().map(|t| data_bytes(t)).sum(),
            activations: network.peak(),
            inputs: ports(network, &network.inputs),
            outputs: ports(network, &network.outputs),
            signatures: model.signatures.iter().map(|s| s.key.as_str()).collect(),
            subgraphs: model.subgraphs.len(),
            operators: operators(&model.subgraphs),
            types: types(&tensors().collect::<Vec<_>>()),
            tensors: tensors().map(shown).collect(),
        }
    }
}

fn data_bytes(t: &Tensor) -> u64 {
    t.file_range.as_ref().map_or(0, |r| r.end - r.start)
}

/// The constants among tensors, of those that share their data the first.
fn once<'a>(tensors: impl Iterator<Item = &'a Tensor>) -> Vec<&'a Tensor> {
    let mut seen = HashSet::new();
    tensors.filter(|t| t.file_range.as_ref().is_some_and(|r| seen.insert(r.start))).collect()
}

fn ports<'a>(of: &'a Subgraph, indices: &[usize]) -> Vec<Port<'a>> {
    let tensors = indices.iter().map(|&i| &of.tensors[i]);
    tensors.map(|t| Port { name: &t.name, ty: t.ty.name(), shape: &t.shape }).collect()
}

fn shown(t: &Tensor) -> Shown<'_> {
    let offset = t.file_range.as_ref().map(|r| r.start);
    Shown { name: &t.name, ty: t.ty.name(), shape: &t.shape, offset, bytes: offset.map(|_| data_bytes(t)) }
}

fn operators(subgraphs: &[Subgraph]) -> Vec<Operators> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for operator in subgraphs.iter().flat_map(|s| &s.operators) {
        *counts.entry(operator.name()).or_default() += 1;
    }
    let mut list: Vec<Operators> = counts.into_iter().map(|(name, count)| Operators { name, count }).collect();
    list.sort_by_key(|o| std::cmp::Reverse(o.count));
    list
}

fn types(tensors: &[&Tensor]) -> Vec<Types> {
    let mut by_type: BTreeMap<TensorType, Vec<&Tensor>> = BTreeMap::new();
    for &t in tensors {
        by_type.entry(t.ty).or_default().push(t);
    }
    let row = |(ty, tensors): (TensorType, Vec<&Tensor>)| Types {
        ty: ty.name(),
        tensors: tensors.len(),
        constants: tensors.iter().filter(|t| t.file_range.is_some()).count(),
        bytes: once(tensors.iter().copied()).into_iter().map(data_bytes).sum(),
        quantized: tensors.iter().filter(|t| t.quantization.is_some()).count(),
    };
    by_type.into_iter().map(row).collect()
}
