//! Subgraphs: tensors, and the operators that compute them in order.

use std::rc::Rc;

use super::flatbuffer::{Field, File, Place, Table};
use super::operator::{OperatorCode, tensor};
use super::tensor::Buffers;
use super::{Operator, Tensor};
use crate::error::{Error, Result, bail};

// `SubGraph` of the schema.
const TENSORS: Field = Field(0, "tensors");
const INPUTS: Field = Field(1, "inputs");
const OUTPUTS: Field = Field(2, "outputs");
const OPERATORS: Field = Field(3, "operators");
const NAME: Field = Field(4, "name");

/// A network, or the body of a loop or a branch of another.
#[derive(Debug, Clone, PartialEq)]
pub struct Subgraph {
    pub name: String,
    pub tensors: Vec<Tensor>,
    /// Tensors that are given before it runs.
    pub inputs: Vec<usize>,
    /// Tensors that are asked for.
    pub outputs: Vec<usize>,
    /// In the order of running: what an operator reads is there when it runs.
    pub operators: Vec<Operator>,
}

impl Subgraph {
    /// The first tensor of that name.
    #[must_use]
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.tensors.iter().find(|t| t.name == name)
    }

    /// # Errors
    /// `MalformedTflite` naming the tensor that is missing.
    pub fn require(&self, name: &str) -> Result<&Tensor> {
        self.tensor(name).ok_or_else(|| Error::MalformedTflite(format!("tensor '{name}' is missing from the file")))
    }

    /// The `number`-th subgraph of the model.
    pub(super) fn read(
        file: &File<'_>,
        number: usize,
        table: Table<'_, '_>,
        codes: &[Rc<OperatorCode>],
        buffers: &Buffers<'_, '_>,
    ) -> Result<Subgraph> {
        let place = table.place();
        let place_of = |name| move |i| Place::nth(name, i).of_subgraph(number);
        let tensors = table.tables(TENSORS, place_of("tensor"), |_, t| Tensor::read(file, t, buffers))?;
        let n = tensors.len();
        let subgraph = Subgraph {
            name: table.text(NAME)?.unwrap_or_default(),
            inputs: table.list(INPUTS, |i: i32| tensor(place, "input", i, n))?,
            outputs: table.list(OUTPUTS, |i: i32| tensor(place, "output", i, n))?,
            operators: table.tables(OPERATORS, place_of("operator"), |_, t| Operator::read(t, codes, n))?,
            tensors,
        };
        subgraph.check_order(place)?;
        Ok(subgraph)
    }

    /// What an operator reads is there, and nothing is computed twice.
    fn check_order(&self, place: Place) -> Result<()> {
        let given = |t: &Tensor| t.file_range.is_some() || t.is_variable || t.n_elems() == 0;
        let mut there: Vec<bool> = self.tensors.iter().map(given).collect();
        let mut fixed: Vec<bool> = self.tensors.iter().map(|t| t.file_range.is_some()).collect();
        for &i in &self.inputs {
            (there[i], fixed[i]) = (true, true);
        }
        for (number, operator) in self.operators.iter().enumerate() {
            if let Some(i) = operator.inputs.iter().flatten().find(|&&i| !there[i]) {
                bail!(
                    MalformedTflite,
                    "operator {number} of {place} reads tensor {i}, which nothing before it computes"
                );
            }
            for &i in &operator.outputs {
                if fixed[i] {
                    bail!(MalformedTflite, "operator {number} of {place} writes tensor {i}, which is there before it");
                }
                (there[i], fixed[i]) = (true, true);
            }
        }
        match self.outputs.iter().find(|&&i| !there[i]) {
            Some(i) => bail!(MalformedTflite, "tensor {i} is an output of {place}, which no operator computes"),
            None => Ok(()),
        }
    }
}
