//! What the benchmarks share: generated data, and how its files are read.

pub mod matching;
pub mod population;
pub mod rows;
