//! Models: what an ONNX file holds.

use super::message::{Field, Header, Message};
use super::node::repeated;
use super::reader::within;
use super::{Graph, Tensor};
use crate::error::{Result, bail};

// `ModelProto` of the schema.
const IR_VERSION: Field = Field(1, "ir_version");
const PRODUCER_NAME: Field = Field(2, "producer_name");
const PRODUCER_VERSION: Field = Field(3, "producer_version");
const DOMAIN: Field = Field(4, "domain");
const MODEL_VERSION: Field = Field(5, "model_version");
const GRAPH: Field = Field(7, "graph");
const OPSET_IMPORT: Field = Field(8, "opset_import");
const METADATA_PROPS: Field = Field(14, "metadata_props");
const FUNCTIONS: Field = Field(25, "functions");

// `OperatorSetIdProto` of the schema.
const OPSET_DOMAIN: Field = Field(1, "domain");
const OPSET_VERSION: Field = Field(2, "version");

// `StringStringEntryProto` of the schema.
const KEY: Field = Field(1, "key");
const VALUE: Field = Field(2, "value");

/// Earlier ones, from before November 2017, have no opsets.
const MIN_IR_VERSION: i64 = 3;

/// An ONNX file, all but the data of its tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Of the format.
    pub ir_version: i64,
    pub producer_name: String,
    pub producer_version: String,
    pub domain: String,
    pub model_version: i64,
    /// There is one at least.
    pub opsets: Vec<Opset>,
    /// Keys and values, in the file's order.
    pub metadata: Vec<(String, String)>,
    pub graph: Graph,
    /// How many functions the file defines; their nodes are not read.
    pub n_functions: usize,
}

/// Which version of a set of operators the nodes are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opset {
    /// Empty for ONNX's own operators.
    pub domain: String,
    pub version: i64,
}

/// Whether a file that starts so is an ONNX file: Protocol Buffers have no signature, but writers begin with the version
/// of the format, a small number, and go on with a field of the model.
#[must_use]
pub fn is_onnx(head: &[u8]) -> bool {
    matches!(head, [0x08, 1..=0x7f, 0x12 | 0x1a | 0x22 | 0x28 | 0x32 | 0x3a | 0x42 | 0x72, ..])
}

impl Opset {
    fn read(message: Message<'_>) -> Result<Opset> {
        let domain = message.text(OPSET_DOMAIN)?;
        let domain = if domain == "ai.onnx" { String::new() } else { domain };
        Ok(Opset { domain, version: message.int(OPSET_VERSION)?.unwrap_or(0) })
    }
}

/// A key and its value.
pub(super) fn pair(message: Message<'_>) -> Result<(String, String)> {
    Ok((message.text(KEY)?, message.text(VALUE)?))
}

impl Model {
    pub(super) fn read(header: &Header) -> Result<Model> {
        let message = header.root();
        let Some(ir_version) = message.int(IR_VERSION)? else {
            bail!(MalformedOnnx, "the file has no 'ir_version', it is no ONNX file or a truncated one");
        };
        if ir_version < MIN_IR_VERSION {
            bail!(
                MalformedOnnx,
                "the file is of version {ir_version} of the format, {MIN_IR_VERSION} or more is supported"
            );
        }
        let opsets = message.messages(OPSET_IMPORT, |i, m| within(Opset::read(m), || format!("opset {i}")))?;
        if let Some(domain) = repeated(opsets.iter().map(|o| o.domain.as_str())) {
            bail!(MalformedOnnx, "operators of domain '{domain}' are there in two versions");
        }
        let Some(graph) = message.message(GRAPH)? else {
            bail!(MalformedOnnx, "the file has no graph, one is needed (truncated?)");
        };
        let graph = within(Graph::read(graph), || "the graph".into())?;
        within(graph.check_order(&mut Vec::new()), || "the graph".into())?;
        if opsets.is_empty() {
            bail!(MalformedOnnx, "the file has no 'opset_import', one or more are needed (truncated?)");
        }
        Ok(Model {
            ir_version,
            producer_name: message.text(PRODUCER_NAME)?,
            producer_version: message.text(PRODUCER_VERSION)?,
            domain: message.text(DOMAIN)?,
            model_version: message.int(MODEL_VERSION)?.unwrap_or(0),
            opsets,
            metadata: message.messages(METADATA_PROPS, |i, m| within(pair(m), || format!("metadata {i}")))?,
            graph,
            n_functions: message.count(FUNCTIONS)?,
        })
    }

    /// The tensors with values of the whole file, of initializers and `Constant` nodes, those in graphs inside nodes among
    /// them. Two graphs may have the same name for two tensors.
    pub fn constants(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.graph.all().into_iter().flat_map(Graph::constants)
    }
}
