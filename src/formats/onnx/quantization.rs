//! Weights that are stored as integers: which operators read them, and what has a scale of its own.
//!
//! `value = scale * (code - zero_point)`. `MatMulInteger` and `ConvInteger` sum codes; their scale is applied by a node after
//! them, and has as many values as the zero point that they read. `DynamicQuantizeLSTM` and `DequantizeLinear` read the scale.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{DataType, Model, Node, Tensor};

/// The weights of nodes of one operator. Weights that several nodes read count once.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Quantized {
    pub operator: String,
    pub nodes: usize,
    /// Tensors. None where the operator quantises activations.
    pub weights: usize,
    /// Elements of these tensors.
    pub parameters: u64,
    /// How many tensors are of which type.
    pub types: BTreeMap<&'static str, usize>,
    pub scales: Scales,
}

/// How many tensors have a scale for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Scales {
    /// One scale for all elements.
    pub tensor: usize,
    /// One for each column of a matrix, or output channel of a convolution.
    pub column: usize,
    /// One for each direction of a recurrent network.
    pub direction: usize,
    /// What the file does not say as a constant.
    pub unknown: usize,
}

/// For an operator: pairs of the input with weights and the input that has a value for each scale.
const OPERATORS: [(&str, &[(usize, usize)]); 5] = [
    ("MatMulInteger", &[(1, 3)]),
    ("ConvInteger", &[(1, 3)]),
    ("DynamicQuantizeLSTM", &[(1, 8), (2, 10)]),
    ("DequantizeLinear", &[(0, 1)]),
    ("DynamicQuantizeLinear", &[]),
];

impl Model {
    /// The quantised weights of the file by operator.
    #[must_use]
    pub fn quantized(&self) -> Vec<Quantized> {
        let constants: HashMap<&str, &Tensor> = self.constants().collect();
        let graphs = self.graph.all();
        let nodes: Vec<&Node> = graphs.iter().flat_map(|g| &g.nodes).collect();
        let gathers: HashMap<&str, &Node> = nodes
            .iter()
            .filter(|n| n.op_type == "Gather")
            .flat_map(|&n| n.outputs.iter().map(move |o| (o.as_str(), n)))
            .collect();
        let mut all = Vec::new();
        for (operator, inputs) in OPERATORS {
            let of_operator: Vec<&&Node> = nodes.iter().filter(|n| n.op_type == operator).collect();
            let mut row = Quantized { operator: operator.into(), nodes: of_operator.len(), ..Quantized::default() };
            let mut seen = HashSet::new();
            for (node, &(weight, scale)) in of_operator.iter().flat_map(|n| inputs.iter().map(move |pair| (n, pair))) {
                let Some(mut name) = node.input(weight) else { continue };
                // Rows of an embedding are dequantised after they have been picked.
                if let Some(rows) = gathers.get(name).and_then(|gather| gather.input(0)) {
                    name = rows;
                }
                let weights = constants.get(name).filter(|t| t.ty.is_quantized());
                let Some(weights) = weights.filter(|_| seen.insert(name)) else { continue };
                row.weights += 1;
                row.parameters += weights.n_elems();
                *row.types.entry(weights.ty.name()).or_default() += 1;
                row.scales.count(operator, weights, node.input(scale).and_then(|name| constants.get(name).copied()));
            }
            all.extend(Some(row).filter(|row| row.nodes > 0));
        }
        all
    }
}

impl Scales {
    fn count(&mut self, operator: &str, weights: &Tensor, scale: Option<&Tensor>) {
        let is_recurrent = operator == "DynamicQuantizeLSTM";
        let directions = weights.shape.first().copied();
        match scale.map(Tensor::n_elems) {
            Some(1) => self.tensor += 1,
            Some(n) if is_recurrent && Some(n) == directions => self.direction += 1,
            Some(n) if n > 1 => self.column += 1,
            _ => self.unknown += 1,
        }
    }
}

impl DataType {
    /// Whether it is what weights are quantised to.
    #[must_use]
    pub fn is_quantized(self) -> bool {
        matches!(self, DataType::Int8 | DataType::Uint8 | DataType::Int4 | DataType::Uint4)
    }
}
