//! Nodes: an operator, the values that it reads and writes, and its attributes.

use super::message::{Field, Message};
use super::reader::within;
use super::{Graph, Tensor};
use crate::error::{Result, bail};

// `NodeProto` of the schema.
const INPUT: Field = Field(1, "input");
const OUTPUT: Field = Field(2, "output");
const NODE_NAME: Field = Field(3, "name");
const OP_TYPE: Field = Field(4, "op_type");
const ATTRIBUTE: Field = Field(5, "attribute");
const DOMAIN: Field = Field(7, "domain");

// `AttributeProto` of the schema.
const NAME: Field = Field(1, "name");
const F: Field = Field(2, "f");
const I: Field = Field(3, "i");
const S: Field = Field(4, "s");
const T: Field = Field(5, "t");
const G: Field = Field(6, "g");
const FLOATS: Field = Field(7, "floats");
const INTS: Field = Field(8, "ints");
const STRINGS: Field = Field(9, "strings");
const TENSORS: Field = Field(10, "tensors");
const GRAPHS: Field = Field(11, "graphs");
const TYPE: Field = Field(20, "type");
const REF_ATTR_NAME: Field = Field(21, "ref_attr_name");

/// A node of a graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub name: String,
    /// Empty for ONNX's own operators, otherwise as `com.microsoft`.
    pub domain: String,
    pub op_type: String,
    /// Names of values; empty for one that is left out.
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub attributes: Vec<Attribute>,
}

/// A setting of an operator.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    pub name: String,
    pub value: AttributeValue,
}

/// Text may be any bytes in a file; what is not UTF-8 in it is U+FFFD.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeValue {
    Float(f32),
    Int(i64),
    Text(String),
    Tensor(Tensor),
    Graph(Graph),
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    Texts(Vec<String>),
    Tensors(Vec<Tensor>),
    Graphs(Vec<Graph>),
    /// Of a type that is not read, with its number in the schema: sparse tensors, types, what is newer.
    Other(i64),
}

impl Node {
    /// The domain and the operator: `Conv`, `com.microsoft.FastGelu`.
    #[must_use]
    pub fn operator(&self) -> String {
        if self.domain.is_empty() { self.op_type.clone() } else { format!("{}.{}", self.domain, self.op_type) }
    }

    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&AttributeValue> {
        self.attributes.iter().find(|a| a.name == name).map(|a| &a.value)
    }

    /// The name of an input; `None` where it is left out.
    #[must_use]
    pub fn input(&self, i: usize) -> Option<&str> {
        self.inputs.get(i).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// The graphs in its attributes: branches, the body of a loop.
    pub fn graphs(&self) -> impl Iterator<Item = &Graph> {
        self.attributes.iter().flat_map(|a| match &a.value {
            AttributeValue::Graph(graph) => std::slice::from_ref(graph),
            AttributeValue::Graphs(graphs) => graphs,
            _ => &[],
        })
    }

    /// The name and the tensor of a `Constant` node; `None` of others, and where its value is a number or a list.
    #[must_use]
    pub fn constant(&self) -> Option<(&str, &Tensor)> {
        let is_constant = self.op_type == "Constant" && self.domain.is_empty();
        match (self.attribute("value").filter(|_| is_constant), self.outputs.first()) {
            (Some(AttributeValue::Tensor(tensor)), Some(name)) => Some((name, tensor)),
            _ => None,
        }
    }

    /// The `i`-th node of its graph.
    pub(super) fn read(i: usize, message: Message<'_>) -> Result<Node> {
        let name = within(message.text(NODE_NAME), || format!("node {i}"))?;
        within(Node::read_named(&name, message), || format!("node {i} '{name}'"))
    }

    fn read_named(name: &str, message: Message<'_>) -> Result<Node> {
        let op_type = message.text(OP_TYPE)?;
        if op_type.is_empty() {
            bail!(MalformedOnnx, "the node has no operator");
        }
        let domain = message.text(DOMAIN)?;
        let attributes = message.messages(ATTRIBUTE, Attribute::read)?;
        if let Some(name) = repeated(attributes.iter().map(|a| a.name.as_str())) {
            bail!(MalformedOnnx, "attribute '{name}' is there twice");
        }
        Ok(Node {
            name: name.to_owned(),
            // Both name ONNX's own operators.
            domain: if domain == "ai.onnx" { String::new() } else { domain },
            op_type,
            inputs: message.texts(INPUT)?,
            outputs: message.texts(OUTPUT)?,
            attributes,
        })
    }
}

/// A name that is there twice.
pub(super) fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

impl Attribute {
    fn read(i: usize, message: Message<'_>) -> Result<Attribute> {
        let name = within(message.text(NAME), || format!("attribute {i}"))?;
        let value = within(Attribute::value(message), || format!("attribute '{name}'"))?;
        Ok(Attribute { name, value })
    }

    fn value(message: Message<'_>) -> Result<AttributeValue> {
        // A function's attributes may stand for those of the node that calls it.
        if !message.text(REF_ATTR_NAME)?.is_empty() {
            bail!(MalformedOnnx, "the attribute refers to one of a function, the node is in none");
        }
        let missing = |field: Field| -> Result<AttributeValue> {
            bail!(MalformedOnnx, "the attribute has no '{}', which its type needs", field.1)
        };
        let tensor = |m| within(Tensor::read(m), || "the tensor".into());
        Ok(match message.int(TYPE)?.unwrap_or(0) {
            1 => AttributeValue::Float(message.float(F)?.unwrap_or(0.0)),
            2 => AttributeValue::Int(message.int(I)?.unwrap_or(0)),
            3 => AttributeValue::Text(message.lossy_text(S)?),
            4 => match message.message(T)? {
                Some(m) => AttributeValue::Tensor(tensor(m)?),
                None => missing(T)?,
            },
            5 => match message.message(G)? {
                Some(m) => AttributeValue::Graph(Graph::read(m)?),
                None => missing(G)?,
            },
            6 => AttributeValue::Floats(message.numbers(FLOATS)?),
            7 => AttributeValue::Ints(message.numbers(INTS)?),
            8 => AttributeValue::Texts(message.lossy_texts(STRINGS)?),
            9 => AttributeValue::Tensors(message.messages(TENSORS, |_, m| tensor(m))?),
            10 => AttributeValue::Graphs(
                message.messages(GRAPHS, |i, m| within(Graph::read(m), || format!("graph {i}")))?,
            ),
            0 => bail!(MalformedOnnx, "the attribute has no type"),
            other => AttributeValue::Other(other),
        })
    }
}
