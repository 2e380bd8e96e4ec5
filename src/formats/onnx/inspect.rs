//! What an ONNX file says of itself, for a reader.

use std::collections::BTreeMap;

use super::{Data, DataType, Model, Port, Quantized, Tensor};

/// What there is to say of a model.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspection<'a> {
    pub ir_version: i64,
    pub producer: &'a str,
    pub producer_version: &'a str,
    pub opsets: Vec<Opset<'a>>,
    pub metadata: BTreeMap<&'a str, &'a str>,
    /// Elements of tensors that are weights: of a floating type, or quantised.
    pub parameters: u64,
    pub weight_bytes: u64,
    pub inputs: Vec<Shown<'a>>,
    pub outputs: Vec<Shown<'a>>,
    /// Graphs inside nodes: branches, bodies of loops.
    pub subgraphs: usize,
    pub functions: usize,
    /// The most frequent first, those of subgraphs among them.
    pub operators: Vec<Operators<'a>>,
    /// Tensors with values by type.
    pub types: Vec<Types>,
    pub quantization: Vec<Quantized>,
    pub tensors: Vec<Listed<'a>>,
}

/// Which version of a set of operators the nodes are of.
#[derive(serde::Serialize)]
pub struct Opset<'a> {
    /// Empty for ONNX's own operators.
    pub domain: &'a str,
    pub version: i64,
}

/// An input or an output.
#[derive(serde::Serialize)]
pub struct Shown<'a> {
    pub name: &'a str,
    #[serde(rename = "type")]
    pub ty: Option<&'static str>,
    /// Numbers and names; `?` is any number.
    pub shape: Option<Vec<String>>,
}

/// Nodes of one kind.
#[derive(serde::Serialize)]
pub struct Operators<'a> {
    /// Empty for ONNX's own operators.
    pub domain: &'a str,
    pub name: &'a str,
    pub count: usize,
}

/// Tensors of one type.
#[derive(serde::Serialize)]
pub struct Types {
    #[serde(rename = "type")]
    pub ty: &'static str,
    pub initializers: usize,
    /// Values of `Constant` nodes.
    pub constants: usize,
    pub elements: u64,
    pub bytes: u64,
}

/// A tensor with values.
#[derive(serde::Serialize)]
pub struct Listed<'a> {
    pub name: &'a str,
    #[serde(rename = "type")]
    pub ty: &'static str,
    pub shape: &'a [u64],
    /// Where the data lies in the file; small ones are not looked up.
    pub offset: Option<u64>,
    pub bytes: u64,
    /// The name of another file that the data is in.
    pub file: Option<&'a str>,
}

impl<'a> Inspection<'a> {
    #[must_use]
    pub fn new(model: &'a Model) -> Self {
        let graphs = model.graph.all();
        let weights = || model.constants().map(|(_, t)| t).filter(|t| t.ty.is_float() || t.ty.is_quantized());
        let mut operators: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for node in graphs.iter().flat_map(|g| &g.nodes) {
            *operators.entry((&node.domain, &node.op_type)).or_default() += 1;
        }
        let row = |((domain, name), count)| Operators { domain, name, count };
        let mut operators: Vec<Operators<'a>> = operators.into_iter().map(row).collect();
        operators.sort_by_key(|o| std::cmp::Reverse(o.count));
        let mut tensors = Vec::with_capacity(model.constants().count());
        tensors.extend(model.constants().map(listed));
        Inspection {
            ir_version: model.ir_version,
            producer: &model.producer_name,
            producer_version: &model.producer_version,
            opsets: model.opsets.iter().map(|o| Opset { domain: &o.domain, version: o.version }).collect(),
            metadata: model.metadata.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
            parameters: weights().map(Tensor::n_elems).sum(),
            weight_bytes: weights().map(Tensor::n_bytes).sum(),
            inputs: model.graph.inputs.iter().map(shown).collect(),
            outputs: model.graph.outputs.iter().map(shown).collect(),
            subgraphs: graphs.len() - 1,
            functions: model.n_functions,
            operators,
            types: types(model),
            quantization: model.quantized(),
            tensors,
        }
    }
}

fn shown(port: &Port) -> Shown<'_> {
    let shape = port.shape.as_ref().map(|shape| shape.iter().map(ToString::to_string).collect());
    Shown { name: &port.name, ty: port.ty.map(DataType::name), shape }
}

fn listed<'a>((name, t): (&'a str, &'a Tensor)) -> Listed<'a> {
    let (offset, file) = match &t.data {
        Data::Range(range) => (Some(range.start), None),
        Data::External(file) => (None, Some(file.as_str())),
        Data::Values(_) | Data::Texts(_) => (None, None),
    };
    Listed { name, ty: t.ty.name(), shape: &t.shape, offset, bytes: t.n_bytes(), file }
}

fn types(model: &Model) -> Vec<Types> {
    let mut by_type: BTreeMap<DataType, Types> = BTreeMap::new();
    for graph in model.graph.all() {
        for (i, (_, t)) in graph.constants().enumerate() {
            let new = Types { ty: t.ty.name(), initializers: 0, constants: 0, elements: 0, bytes: 0 };
            let row = by_type.entry(t.ty).or_insert(new);
            if i < graph.initializers.len() {
                row.initializers += 1
            } else {
                row.constants += 1
            }
            row.elements += t.n_elems();
            row.bytes += t.n_bytes();
        }
    }
    by_type.into_values().collect()
}
