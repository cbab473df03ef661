//! Checks that prove a red KPI went down, or say why it did not.

pub mod facts;
