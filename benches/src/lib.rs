//! What the benchmarks share: generated data.

pub mod matching;
pub mod population;
