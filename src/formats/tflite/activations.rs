//! What a network takes in memory while it runs, beside its weights.

use super::Subgraph;

/// The operator with the most bytes of tensors that are read or written then, or are still to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Peak {
    pub bytes: u64,
    pub operator: usize,
}

impl Subgraph {
    /// Whether each tensor is the same in every run: a constant, or computed of constants alone, as weights that are
    /// stored as halves are.
    #[must_use]
    pub fn constants(&self) -> Vec<bool> {
        let mut constant: Vec<bool> = self.tensors.iter().map(|t| t.file_range.is_some()).collect();
        for operator in &self.operators {
            let mut inputs = operator.inputs.iter().flatten().peekable();
            // What has no inputs may be random numbers.
            if inputs.peek().is_some() && inputs.all(|&i| constant[i]) {
                for &i in &operator.outputs {
                    constant[i] = true;
                }
            }
        }
        constant
    }

    /// The largest sum of the tensors that are needed at a time, over the operators in order. Each tensor is there
    /// from the operator that computes it to the last one that reads it; inputs are there from the beginning, outputs
    /// to the end, variables always. Constants do not count, nor what is computed of constants alone.
    #[must_use]
    pub fn peak(&self) -> Peak {
        let constant = self.constants();
        let end = self.operators.len();
        let mut lives: Vec<Option<(usize, usize)>> = vec![None; self.tensors.len()];
        let mut touch = |i: usize, at: usize| {
            let (from, to) = lives[i].unwrap_or((at, at));
            lives[i] = Some((from, to.max(at)));
        };
        for i in (0..self.tensors.len()).filter(|&i| self.tensors[i].is_variable) {
            touch(i, 0);
            touch(i, end);
        }
        self.inputs.iter().for_each(|&i| touch(i, 0));
        for (at, operator) in self.operators.iter().enumerate() {
            operator.inputs.iter().flatten().chain(&operator.outputs).for_each(|&i| touch(i, at));
        }
        self.outputs.iter().for_each(|&i| touch(i, end));

        // What comes with each operator, and what goes after it.
        let (mut come, mut go) = (vec![0; end + 1], vec![0; end + 1]);
        for (i, t) in self.tensors.iter().enumerate().filter(|&(i, _)| !constant[i]) {
            if let Some((from, to)) = lives[i] {
                come[from] += t.n_bytes();
                go[to] += t.n_bytes();
            }
        }
        let mut live = 0;
        let mut peak = Peak::default();
        for at in 0..=end {
            live += come[at];
            if live > peak.bytes {
                peak = Peak { bytes: live, operator: at.min(end.saturating_sub(1)) };
            }
            live -= go[at];
        }
        peak
    }
}
