#![doc = include_str!("../README.md")]

pub mod cli;
pub mod decisions;
pub mod files;
pub mod input;
pub mod metrics;
pub mod ops;
pub mod packets;
pub mod people;
pub mod recovery;
pub mod returned;
pub mod sample;
pub mod service;
pub mod table;
