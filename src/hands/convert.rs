//! From MediaPipe's TFLite files to one GGUF file. The data of tensors stays as it is, bit for bit: a convolution's weights
//! `(N, kernel, kernel, C)` are rows of a matrix, a depthwise one's `(1, kernel, kernel, N)` are rows of taps. Heads on the same
//! image become one matrix.

use super::design::{Design, Layer, Step, Weight};
use super::kind::{ARCHITECTURE, Kind};
use crate::error::{Result, bail};
use crate::formats::gguf::{GgmlType, GgufWriter, NewTensor, write};
use crate::formats::tflite::{Model, Operator, OperatorKind, Subgraph, TensorType};

/// Where the networks come from, and under what terms.
const METADATA: [(&str, &str); 4] = [
    ("general.architecture", ARCHITECTURE),
    ("general.author", "Google, MediaPipe"),
    ("general.license", "Apache-2.0"),
    ("general.source.url", "https://github.com/google-ai-edge/mediapipe"),
];

/// The bytes of a GGUF file with these networks, each a whole TFLite file: one for palms, one for landmarks, or either.
///
/// # Errors
/// `InvalidArgument` where there are none, or two for the same purpose; as [`Model::parse`] and [`Kind::of_tflite`];
/// `MalformedTflite` where weights are not as the network's; `UnsupportedTensorType` where they are neither F16 nor F32.
pub fn convert(files: &[&[u8]]) -> Result<Vec<u8>> {
    let mut kinds: Vec<&Kind> = Vec::new();
    let mut tensors = Vec::new();
    for &file in files {
        let model = Model::parse(file)?;
        let kind = Kind::of_tflite(&model)?;
        if let Some(other) = kinds.iter().find(|other| other.task == kind.task) {
            bail!(
                InvalidArgument,
                "{} and {} are for the same purpose, one of each is allowed",
                other.source,
                kind.source
            );
        }
        tensors.extend(network_tensors(&kind.design(), model.network(), file)?);
        kinds.push(kind);
    }
    if kinds.is_empty() {
        bail!(InvalidArgument, "there are no networks to convert, one or two are allowed");
    }
    let mut writer = METADATA.iter().fold(GgufWriter::default(), |w, (key, value)| w.string(key, value));
    for kind in &kinds {
        let design = kind.design();
        writer = writer
            .string(&Kind::key(kind.task, "variant"), kind.variant)
            .string(&Kind::key(kind.task, "source"), kind.source)
            .u32(&Kind::key(kind.task, "input_size"), design.images[design.input()].height);
    }
    write(writer, &tensors)
}

/// The tensors of a network, with the names of its steps. Steps and the file's operators with weights are in the same order.
fn network_tensors(design: &Design, network: &Subgraph, file: &[u8]) -> Result<Vec<NewTensor>> {
    let mut operators = network.operators.iter().enumerate().filter(|(_, o)| has_weights(&o.kind));
    let mut tensors = Vec::new();
    for step in &design.steps {
        for weight in design.weights(step) {
            if let Weight::Bias(_) = weight {
                continue; // it came with the weight
            }
            let heads: &[u32] = if matches!(weight, Weight::Weight { .. }) { &step.heads } else { &[0] };
            let mut parts = Vec::new();
            for &rows in heads {
                let Some((number, operator)) = operators.next() else {
                    bail!(MalformedTflite, "the network has no operator for '{}'", step.name);
                };
                check_operator(step, weight, number, operator)?;
                parts.push((number, operator, rows));
            }
            tensors.push(joined(step, weight, 1, &parts, network, file)?);
            if let Weight::Weight { .. } = weight {
                let n = step.heads.iter().sum();
                tensors.push(joined(step, Weight::Bias(n), 2, &parts, network, file)?);
            }
        }
    }
    match operators.next() {
        None => Ok(tensors),
        Some((number, o)) => {
            bail!(MalformedTflite, "operator {number}, {}, is not part of the network as it is supported", o.name())
        }
    }
}

fn has_weights(kind: &OperatorKind) -> bool {
    matches!(
        kind,
        OperatorKind::Conv2d(_)
            | OperatorKind::DepthwiseConv2d { .. }
            | OperatorKind::FullyConnected { .. }
            | OperatorKind::Prelu
    )
}

/// Fails where the operator is another one than the step's.
fn check_operator(step: &Step, weight: Weight, number: usize, operator: &Operator) -> Result<()> {
    let fits = match (weight, step.layer, &operator.kind) {
        (Weight::Slope(_), _, kind) => *kind == OperatorKind::Prelu,
        (_, Layer::Conv { stride, .. }, OperatorKind::Conv2d(conv)) => conv.stride == [stride; 2],
        (_, Layer::Depthwise { stride, .. }, OperatorKind::DepthwiseConv2d { conv, .. }) => conv.stride == [stride; 2],
        (_, Layer::Pointwise, OperatorKind::Conv2d(conv)) => conv.stride == [1; 2],
        (_, Layer::Pointwise, OperatorKind::FullyConnected { .. }) => true,
        _ => false,
    };
    if !fits {
        bail!(
            MalformedTflite,
            "operator {number}, {}, stands where '{}' ({:?}) is needed",
            operator.name(),
            step.name,
            step.layer
        );
    }
    Ok(())
}

/// Input `input` of the operators as one tensor, the parts' rows one after the other.
fn joined(
    step: &Step,
    weight: Weight,
    input: usize,
    parts: &[(usize, &Operator, u32)],
    network: &Subgraph,
    file: &[u8],
) -> Result<NewTensor> {
    let shape = weight.shape();
    let mut joined: Option<NewTensor> = None;
    for &(number, operator, rows) in parts {
        let (ty, bytes, n_elems) = constant(number, operator, input, network, file)?;
        // A part has `rows` of the rows; one that is the whole has all.
        let rows = if parts.len() > 1 { rows } else { shape[0] };
        let wanted = u64::from(rows) * shape[1..].iter().map(|&d| u64::from(d)).product::<u64>();
        if n_elems != wanted {
            bail!(
                MalformedTflite,
                "operator {number} has {n_elems} elements for '{}.{}', {wanted} are needed",
                step.name,
                weight.suffix()
            );
        }
        match &mut joined {
            None => {
                let name = format!("{}.{}", step.name, weight.suffix());
                joined = Some(NewTensor { name, ty, shape: shape.clone(), bytes: bytes.to_vec() });
            }
            Some(joined) if joined.ty == ty => joined.bytes.extend_from_slice(bytes),
            Some(joined) => bail!(
                UnsupportedTensorType,
                "'{}' is in parts of {} and {ty}, one type is needed",
                joined.name,
                joined.ty
            ),
        }
    }
    match joined {
        Some(joined) => Ok(joined),
        None => bail!(Internal, "'{}' has no parts", step.name),
    }
}

/// Type, data and number of elements of a constant that an operator reads, behind DEQUANTIZE or not.
fn constant<'f>(
    number: usize,
    operator: &Operator,
    input: usize,
    network: &Subgraph,
    file: &'f [u8],
) -> Result<(GgmlType, &'f [u8], u64)> {
    let Some(mut id) = operator.inputs.get(input).copied().flatten() else {
        bail!(MalformedTflite, "operator {number}, {}, has no input {input}", operator.name());
    };
    let made_by = network.operators.iter().find(|o| o.outputs.contains(&id));
    if let Some(dequantize) = made_by.filter(|o| o.kind == OperatorKind::Dequantize)
        && let Some(source) = dequantize.inputs.first().copied().flatten()
    {
        id = source;
    }
    let tensor = &network.tensors[id];
    let ty = match tensor.ty {
        TensorType::Float16 => GgmlType::F16,
        TensorType::Float32 => GgmlType::F32,
        other => {
            bail!(UnsupportedTensorType, "tensor '{}' has type {other}; supported are FLOAT16 and FLOAT32", tensor.name)
        }
    };
    let data = tensor.file_range.as_ref().and_then(|r| file.get(r.start as usize..r.end as usize));
    match data {
        Some(data) if !tensor.is_sparse => Ok((ty, data, tensor.n_elems())),
        _ => bail!(MalformedTflite, "input {input} of operator {number}, '{}', is no whole constant", tensor.name),
    }
}
