#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod admin;
pub mod at_scale;
pub mod cli;
pub mod cycle;
pub mod decisions;
mod failure;
pub mod files;
mod given;
pub mod guards;
pub mod judging;
pub mod lead;
pub mod metrics;
pub mod night;
pub mod ops;
pub mod own;
pub mod packets;
pub mod people;
pub mod progress;
pub mod recovery;
pub mod returned;
pub mod review;
pub mod runs;
pub mod sample;
pub mod service;
pub mod stages;
pub mod standing;
pub mod table;
pub mod tables;
pub mod unusable;

/// The workspace's own README, so that its code is tested.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct WorkspaceReadme;
