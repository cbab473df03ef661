//! One self-contained HTML file for operators (feature `html`).
//!
//! No scripts, no fonts or pictures from elsewhere; light and dark by the reader's preference; every
//! plot has its table. It opens from a mail, a build's artefact or a disk.

mod guardrails;
mod page;
mod plot;
mod plots;
mod tables;

pub use page::{Page, offenders_page, page};
pub use plots::encoded;
