//! The runners, run as a user runs them: a process, its files, its output and its exit code.

#![allow(clippy::unwrap_used)] // also in what tests call: a panic says where

mod at_scale;
mod bars;
mod bounds;
mod circles;
mod corrections;
mod erasure;
mod errors;
mod gap_report;
mod guides;
mod hidden_cells;
mod house;
mod installed;
mod matching;
mod metrics_server;
mod night_runs;
mod nights;
mod observability;
mod outages;
mod own_kinds;
mod own_tables;
mod packet_runs;
mod packets;
mod packets_back;
mod pages;
mod queue_admin;
mod recovery_cycle;
mod recovery_steps;
mod review_crashes;
mod review_learning;
mod review_masking;
mod review_order;
mod review_refusals;
mod reviews;
mod runner;
mod source;
mod stall;
mod touched_nights;
mod usage;
mod verify_guardrails;
mod vocabulary;
mod written_tables;
mod wrong_databases;
