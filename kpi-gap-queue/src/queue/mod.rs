//! The queue itself: every expected pair classified, and its rows in order.

mod build;
mod choice;
mod counted;
mod gap_queue;
mod layout;
mod names;
mod options;
mod rows;
mod scopes;
mod standing;

pub use self::{
    choice::ChosenBy,
    counted::CountedValue,
    gap_queue::{GapQueue, SourceFacts},
    options::GapOptions,
    rows::Rows,
    standing::{Ageing, OwnerShare, ScopeTotals},
};
