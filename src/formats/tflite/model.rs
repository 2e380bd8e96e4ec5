//! Models: what a TFLite file holds.

use std::rc::Rc;

use super::Subgraph;
use super::flatbuffer::{Budget, Field, File, Place, Table};
use super::operator::{OperatorCode, tensor};
use super::tensor::Buffers;
use crate::error::{Result, bail};

// `Model` of the schema.
const VERSION: Field = Field(0, "version");
const OPERATOR_CODES: Field = Field(1, "operator_codes");
const SUBGRAPHS: Field = Field(2, "subgraphs");
const DESCRIPTION: Field = Field(3, "description");
const BUFFERS: Field = Field(4, "buffers");
const SIGNATURE_DEFS: Field = Field(7, "signature_defs");

// `SignatureDef` of the schema.
const SIGNATURE_INPUTS: Field = Field(0, "inputs");
const SIGNATURE_OUTPUTS: Field = Field(1, "outputs");
const SIGNATURE_KEY: Field = Field(2, "signature_key");
const SUBGRAPH_INDEX: Field = Field(4, "subgraph_index");

// `TensorMap` of the schema.
const MAP_NAME: Field = Field(0, "name");
const MAP_TENSOR: Field = Field(1, "tensor_index");

const IDENTIFIER: &[u8] = b"TFL3";
/// Of the schema. Files of earlier ones are from before 2018.
const SCHEMA_VERSION: u32 = 3;

/// A TFLite file, all but the data of its constants.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// What the converter wrote.
    pub description: String,
    /// The first one is the network; there is one at least.
    pub subgraphs: Vec<Subgraph>,
    pub signatures: Vec<Signature>,
}

/// A name for a subgraph, and for what it takes and gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Signature {
    pub key: String,
    pub subgraph: usize,
    /// Names, and tensors of the subgraph.
    pub inputs: Vec<(String, usize)>,
    pub outputs: Vec<(String, usize)>,
}

/// Whether a file that starts so is a TFLite file.
#[must_use]
pub fn is_tflite(head: &[u8]) -> bool {
    head.get(4..8) == Some(IDENTIFIER)
}

impl Model {
    /// Read the bytes of a whole file.
    ///
    /// # Errors
    /// `MalformedTflite`; `UnsupportedTensorType` and `UnsupportedArchitecture` where the file is of a newer kind.
    pub fn parse(bytes: &[u8]) -> Result<Model> {
        Model::parse_within(bytes, &Budget::new())
    }

    pub(super) fn parse_within(bytes: &[u8], budget: &Budget) -> Result<Model> {
        if !is_tflite(bytes) {
            let Some(found) = bytes.get(4..8).map(String::from_utf8_lossy) else {
                bail!(MalformedTflite, "the file has {} bytes, a TFLite file has 8 or more (truncated?)", bytes.len());
            };
            bail!(MalformedTflite, "the file has {found:?} at byte 4, a TFLite file has \"TFL3\"");
        }
        let file = File::new(bytes, budget)?;
        let model = file.root(Place::only("the model"))?;
        let version: u32 = model.scalar(VERSION, 0)?;
        if version != SCHEMA_VERSION {
            bail!(MalformedTflite, "the file is of version {version} of the schema, {SCHEMA_VERSION} is supported");
        }
        let place = |name| move |i| Place::nth(name, i);
        let codes = model.tables(OPERATOR_CODES, place("operator code"), |_, t| {
            t.charge(size_of::<OperatorCode>())?;
            OperatorCode::read(t).map(Rc::new)
        })?;
        let buffers = Buffers { model, list: BUFFERS };
        let subgraphs =
            model.tables(SUBGRAPHS, place("subgraph"), |i, t| Subgraph::read(&file, i, t, &codes, &buffers))?;
        if subgraphs.is_empty() {
            bail!(MalformedTflite, "the model has no subgraphs, one or more are needed");
        }
        let signatures = model.tables(SIGNATURE_DEFS, place("signature"), |_, t| Signature::read(t, &subgraphs))?;
        Ok(Model { description: model.text(DESCRIPTION)?.unwrap_or_default(), subgraphs, signatures })
    }

    /// The first subgraph.
    #[must_use]
    pub fn network(&self) -> &Subgraph {
        &self.subgraphs[0]
    }

    /// Add to every address: where the file starts among others.
    pub fn move_by(&mut self, bytes: u64) {
        for t in self.subgraphs.iter_mut().flat_map(|s| &mut s.tensors) {
            if let Some(range) = &mut t.file_range {
                *range = range.start + bytes..range.end + bytes;
            }
        }
    }
}

impl Signature {
    fn read(table: Table<'_, '_>, subgraphs: &[Subgraph]) -> Result<Signature> {
        let place = table.place();
        let subgraph = table.scalar::<u32>(SUBGRAPH_INDEX, 0)? as usize;
        let Some(found) = subgraphs.get(subgraph) else {
            bail!(MalformedTflite, "{place} is of subgraph {subgraph}, the model has {}", subgraphs.len());
        };
        let n = found.tensors.len();
        let named = |what, field| {
            table.tables(
                field,
                |_| place.part(what),
                |_, t| {
                    let i: u32 = t.scalar(MAP_TENSOR, 0)?;
                    let i = tensor(t.place(), "its own", i32::try_from(i).unwrap_or(i32::MAX), n)?;
                    Ok((t.text(MAP_NAME)?.unwrap_or_default(), i))
                },
            )
        };
        Ok(Signature {
            inputs: named("an input", SIGNATURE_INPUTS)?,
            outputs: named("an output", SIGNATURE_OUTPUTS)?,
            key: table.text(SIGNATURE_KEY)?.unwrap_or_default(),
            subgraph,
        })
    }
}
