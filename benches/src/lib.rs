//! What the benchmarks share: generated data, how its files are read, and databases for the queue.

pub mod matching;
pub mod population;
pub mod queue;
pub mod rows;
