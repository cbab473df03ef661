//! What the benchmarks share: generated data.
