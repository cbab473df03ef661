//! How good decisions are: against labelled truth, and between two policies.

mod compare;
mod score;

pub use compare::{Comparison, LeadChange};
pub use score::{Counts, Evaluation, Evaluator, KindScore, OutcomeRow, RuleScore, WrongDecision};
