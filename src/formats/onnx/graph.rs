//! Graphs: nodes in the order of running, the tensors with their weights, and what they take and give.

use std::collections::HashSet;
use std::fmt;

use super::message::{Field, Message};
use super::node::repeated;
use super::reader::within;
use super::{DataType, Node, Tensor};
use crate::error::{Error, Result, bail};

// `GraphProto` of the schema.
const NODE: Field = Field(1, "node");
const NAME: Field = Field(2, "name");
const INITIALIZER: Field = Field(5, "initializer");
const INPUT: Field = Field(11, "input");
const OUTPUT: Field = Field(12, "output");
const SPARSE_INITIALIZER: Field = Field(15, "sparse_initializer");

// `ValueInfoProto`, `TypeProto`, `TypeProto.Tensor` and `TensorShapeProto` of the schema.
const PORT_NAME: Field = Field(1, "name");
const PORT_TYPE: Field = Field(2, "type");
const TENSOR_TYPE: Field = Field(1, "tensor_type");
const ELEM_TYPE: Field = Field(1, "elem_type");
const SHAPE: Field = Field(2, "shape");
const DIM: Field = Field(1, "dim");
const DIM_VALUE: Field = Field(1, "dim_value");
const DIM_PARAM: Field = Field(2, "dim_param");

/// What a name takes in the set of those that are there, at most.
const NAME_BYTES: usize = 40;

/// A network, or a branch or the body of a loop of another.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    pub name: String,
    /// In the order of running: what a node reads is there when it runs. Graphs inside nodes read values of those around
    /// them, too.
    pub nodes: Vec<Node>,
    /// Tensors with values, each of another name. Other values are in [`Node::constant`].
    pub initializers: Vec<Tensor>,
    /// An initializer of the same name is the default.
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
}

/// An input or an output.
#[derive(Debug, Clone, PartialEq)]
pub struct Port {
    pub name: String,
    /// `None` where the file does not say it, or it is no tensor.
    pub ty: Option<DataType>,
    pub shape: Option<Vec<Dim>>,
}

/// A dimension of an input or an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dim {
    Fixed(u64),
    /// Any number, the same wherever the name is.
    Named(String),
    Unknown,
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dim::Fixed(n) => write!(f, "{n}"),
            Dim::Named(name) => f.write_str(name),
            Dim::Unknown => f.write_str("?"),
        }
    }
}

impl Graph {
    #[must_use]
    pub fn initializer(&self, name: &str) -> Option<&Tensor> {
        self.initializers.iter().find(|t| t.name == name)
    }

    /// # Errors
    /// `MalformedOnnx` naming the initializer that is missing.
    pub fn require(&self, name: &str) -> Result<&Tensor> {
        self.initializer(name)
            .ok_or_else(|| Error::MalformedOnnx(format!("initializer '{name}' is missing from the file")))
    }

    /// This graph and all inside its nodes, in order.
    #[must_use]
    pub fn all(&self) -> Vec<&Graph> {
        let mut all = vec![self];
        let mut next = 0;
        while let Some(&graph) = all.get(next) {
            all.extend(graph.nodes.iter().flat_map(Node::graphs));
            next += 1;
        }
        all
    }

    /// The tensors with values of this graph: initializers, then those of `Constant` nodes.
    pub fn constants(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.initializers.iter().map(|t| (t.name.as_str(), t)).chain(self.nodes.iter().filter_map(Node::constant))
    }

    pub(super) fn read(message: Message<'_>) -> Result<Graph> {
        let sparse = message.count(SPARSE_INITIALIZER)?;
        if sparse > 0 {
            bail!(UnsupportedArchitecture, "the graph has {sparse} sparse initializers, dense ones are supported");
        }
        let initializers = message.messages(INITIALIZER, |i, m| {
            let name = within(Tensor::name(m), || format!("initializer {i}"))?;
            within(Tensor::read(m), || format!("initializer {i} '{name}'"))
        })?;
        if let Some(name) = repeated(initializers.iter().map(|t| t.name.as_str())) {
            bail!(MalformedOnnx, "initializer '{name}' is there twice");
        }
        let graph = Graph {
            name: message.text(NAME)?,
            nodes: message.messages(NODE, Node::read)?,
            initializers,
            inputs: message.messages(INPUT, |i, m| within(Port::read(m), || format!("input {i}")))?,
            outputs: message.messages(OUTPUT, |i, m| within(Port::read(m), || format!("output {i}")))?,
        };
        message.header.charge(graph.names().count() * NAME_BYTES)?;
        if let Some(name) = repeated(graph.inputs.iter().map(|p| p.name.as_str())) {
            bail!(MalformedOnnx, "input '{name}' is there twice");
        }
        Ok(graph)
    }

    /// The names of values that are given or written in this graph.
    fn names(&self) -> impl Iterator<Item = &str> {
        let given =
            self.initializers.iter().map(|t| t.name.as_str()).chain(self.inputs.iter().map(|p| p.name.as_str()));
        given.chain(self.nodes.iter().flat_map(|n| &n.outputs).map(String::as_str))
    }

    /// What a node reads is there, and nothing is computed twice. `around` are the values of the graphs around this one.
    pub(super) fn check_order<'a>(&'a self, around: &mut Vec<HashSet<&'a str>>) -> Result<()> {
        let mut there = HashSet::with_capacity(self.names().count());
        there.extend(self.initializers.iter().map(|t| t.name.as_str()));
        there.extend(self.inputs.iter().map(|p| p.name.as_str()));
        around.push(there);
        let own = around.len() - 1;
        for (i, node) in self.nodes.iter().enumerate() {
            let object = || format!("node {i} '{}'", node.name);
            let is_missing = |name: &&String| !name.is_empty() && !around.iter().any(|s| s.contains(name.as_str()));
            if let Some(name) = node.inputs.iter().find(is_missing) {
                return within(missing("reads", name), object);
            }
            for graph in node.graphs() {
                within(graph.check_order(around), object)?;
            }
            for name in node.outputs.iter().filter(|name| !name.is_empty()) {
                if !around[own].insert(name) {
                    return within(twice(name), object);
                }
            }
        }
        let is_missing = |p: &&Port| !around.iter().any(|s| s.contains(p.name.as_str()));
        if let Some(port) = self.outputs.iter().find(is_missing) {
            bail!(MalformedOnnx, "output '{}' is there nowhere, a node that writes it is needed", short(&port.name));
        }
        around.pop();
        Ok(())
    }
}

fn missing(verb: &str, name: &str) -> Result<()> {
    bail!(MalformedOnnx, "the node {verb} '{}', which nothing before it writes", short(name))
}

fn twice(name: &str) -> Result<()> {
    bail!(MalformedOnnx, "the node writes '{}', which is there before it", short(name))
}

/// The start of a name: files may have any.
fn short(name: &str) -> &str {
    name.char_indices().nth(200).map_or(name, |(end, _)| &name[..end])
}

impl Port {
    fn read(message: Message<'_>) -> Result<Port> {
        let name = message.text(PORT_NAME)?;
        let tensor = message.message(PORT_TYPE)?.map(|m| m.message(TENSOR_TYPE)).transpose()?.flatten();
        let Some(tensor) = tensor else { return Ok(Port { name, ty: None, shape: None }) };
        let id = tensor.int(ELEM_TYPE)?.unwrap_or(0);
        let ty = DataType::from_id(id);
        if ty.is_none() && id != 0 {
            bail!(UnsupportedTensorType, "'{}' has type {id}, which is not a known type of ONNX", short(&name));
        }
        let shape = tensor.message(SHAPE)?.map(|m| m.messages(DIM, |_, m| Dim::read(m))).transpose()?;
        Ok(Port { name, ty, shape })
    }
}

impl Dim {
    fn read(message: Message<'_>) -> Result<Dim> {
        let name = message.text(DIM_PARAM)?;
        match message.int(DIM_VALUE)? {
            Some(n) => match u64::try_from(n) {
                Ok(n) => Ok(Dim::Fixed(n)),
                Err(_) => bail!(MalformedOnnx, "a dimension is {n}, 0 or more is allowed"),
            },
            None if name.is_empty() => Ok(Dim::Unknown),
            None => Ok(Dim::Named(name)),
        }
    }
}
