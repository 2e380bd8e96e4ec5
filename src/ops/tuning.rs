//! How kernels divide their work on this device, from what it says of itself. Never from a list of names.

use crate::gpu::Caps;

/// The division of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuning {
    /// Invocations of the smallest subgroup; 0 where subgroups are not used.
    pub subgroup: u32,
    /// Invocations that share a head.
    pub lanes: u32,
    /// Invocations of a workgroup of decode's attention, at most.
    pub attention_workgroup: u32,
    /// Positions up to which decode's attention is not split over workgroups.
    pub near: u32,
    /// Splits beyond that, at most, and the positions that one is worth. With subgroups, one holds all splits.
    pub max_split: u32,
    pub min_split: u32,
    /// Workgroups that search the logits.
    pub search_workgroups: u32,
    /// Whether quantised weights are multiplied as integers.
    pub int8_products: bool,
    /// Whether a CPU plays GPU.
    pub software: bool,
}

/// Invocations that share a head at most.
const MAX_LANES: u32 = 32;
/// Workgroups that search a vector at most.
pub const MAX_SEARCH_WORKGROUPS: u32 = 64;
/// Invocations that keep a large GPU busy.
const FULL: u32 = 100_000;

/// Where a matmul of decode takes its input from: the value of slot `SOURCE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Memory, read by every invocation.
    Plain,
    /// A norm, whose output the workgroup stages.
    RmsNorm,
    LayerNorm,
    /// As [`Source::RmsNorm`], staged in digits: integers that codes are multiplied with.
    RmsNormDigits,
    /// Memory, where a gated unit left digits.
    Digits,
}

impl Source {
    #[must_use]
    pub fn slot(self) -> &'static str {
        match self {
            Source::Plain => "plain",
            Source::RmsNorm => "rms_norm",
            Source::LayerNorm => "layer_norm",
            Source::RmsNormDigits => "rms_norm_digits",
            Source::Digits => "digits",
        }
    }
}

/// How `matmul_vec` divides its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VecTuning {
    pub workgroup: u32,
    /// Invocations that share a row.
    pub lanes: u32,
    /// Rows that share what was read of the input: the value of slot `ROWS`.
    pub rows: u32,
}

impl Tuning {
    #[must_use]
    pub fn of(caps: &Caps) -> Self {
        let lanes = if caps.subgroup_min == 0 { 16 } else { caps.subgroup_min.min(MAX_LANES) };
        let gpu = Tuning {
            subgroup: caps.subgroup_min,
            lanes,
            attention_workgroup: 256,
            near: 256,
            max_split: lanes,
            min_split: 64,
            search_workgroups: MAX_SEARCH_WORKGROUPS,
            int8_products: caps.int8_products,
            software: false,
        };
        // A CPU that plays GPU has few cores, and pays for every invocation and barrier.
        let software = Tuning {
            attention_workgroup: 64,
            near: u32::MAX,
            max_split: 2,
            min_split: 1024,
            search_workgroups: 2,
            int8_products: false,
            software: true,
            ..gpu
        };
        if caps.software { software } else { gpu }
    }

    /// For `rows` rows of `groups` groups of 16; `paired` where rows make outputs in pairs.
    #[must_use]
    pub fn matmul_vec(&self, rows: u32, groups: u32, paired: bool, source: Source) -> VecTuning {
        // Digits cost more to make and less to use, so more rows share them.
        let (fewest, most, many_rows) = match source {
            Source::Plain => (8, 256, u32::MAX),
            Source::RmsNorm | Source::LayerNorm => (8, 64, 8192),
            Source::RmsNormDigits => (if groups.is_multiple_of(16) { 16 } else { 8 }, 64, 2048),
            Source::Digits => (8, 128, 0),
        };
        let per_run = if self.software {
            4 // a CPU gains by reuse alone
        } else if source == Source::Plain {
            // What is read from memory should serve many rows, while they fill the GPU.
            [4, 2].into_iter().find(|r| rows / r * groups.min(most) >= FULL / 2).unwrap_or(if paired { 2 } else { 1 })
        } else if paired || rows >= many_rows {
            2
        } else {
            1
        };
        // As few invocations a row as fill the GPU: summing up costs, and a short row cannot feed many.
        let filling = (FULL / rows.div_ceil(per_run).max(1)).max(1).next_power_of_two().clamp(fewest, most);
        let lanes = if self.subgroup == 0 || self.software { self.lanes } else { filling };
        let lanes = lanes.min(1 << groups.max(1).ilog2());
        let workgroup = if self.subgroup == 0 || self.software { 64 } else { 256 };
        VecTuning { workgroup, lanes, rows: per_run }
    }

    /// Invocations that share a tile of `conv/pointwise`, for `tiles` tiles and rows of `vectors` vectors: as many as fill the
    /// GPU.
    #[must_use]
    pub fn pointwise_lanes(&self, tiles: u32, vectors: u32) -> u32 {
        if self.software {
            return 1;
        }
        (FULL / tiles).max(1).next_power_of_two().min(1 << vectors.ilog2()).min(MAX_LANES)
    }

    /// Places that an invocation of `conv/depthwise` makes side by side, 1 or 4, for an image of `vectors` vectors: neighbours
    /// share what they read, if there are enough to fill the GPU.
    #[must_use]
    pub fn depthwise_outs(&self, vectors: u32) -> u32 {
        if self.software || vectors >= FULL / 2 { 4 } else { 1 }
    }

    /// Splits of a long cache: as many workgroups of all heads as a large GPU holds at a time.
    #[must_use]
    pub fn n_split(&self, n_head: u32) -> u32 {
        self.max_split.min(Self::most_splits(n_head))
    }

    /// The most that [`Tuning::n_split`] is on any device.
    #[must_use]
    pub fn most_splits(n_head: u32) -> u32 {
        if n_head <= 8 { MAX_LANES } else { 16 }
    }

    /// Invocations that read a cached key of `head_dim` elements together: eight elements each, up to the lanes there are.
    #[must_use]
    pub fn key_lanes(&self, head_dim: u32) -> u32 {
        self.lanes.min((head_dim / 8).next_power_of_two().clamp(4, 32))
    }

    /// Tokens of a tile of `matmul_tile`, 32 or 64, for a matrix of `rows` rows: large tiles reuse more of what they stage,
    /// small ones leave no part of the GPU idle.
    #[must_use]
    pub fn tile_tokens(&self, rows: u32) -> u32 {
        if rows >= 2048 { 64 } else { 32 }
    }

    /// The value of slot `REPEAT`: what makes long kernels faster, or what a CPU that plays GPU compiles sooner.
    #[must_use]
    pub fn repeat_slot(&self) -> &'static str {
        if self.software { "loop" } else { "written_out" }
    }
}

impl VecTuning {
    /// The value of slot `ROWS`.
    #[must_use]
    pub fn rows_slot(self) -> &'static str {
        match self.rows {
            1 => "1",
            2 => "2",
            _ => "4",
        }
    }

    /// Rows that a workgroup makes.
    #[must_use]
    pub fn rows_per_workgroup(self) -> u32 {
        self.workgroup / self.lanes * self.rows
    }
}
