//! One self-contained HTML file for operators (feature `html`).
//!
//! No scripts, no fonts or pictures from elsewhere; light and dark by the reader's preference; every
//! plot has its table. It opens from a mail, a build's artefact or a disk.
//!
//! A [`Page`] is made of [`Section`]s. Those of a recovery come with
//! [`LeadFigures`]; a service adds its own.

mod body;
mod frame;
mod plot;
mod sections;
mod words;

pub use body::{Body, FormField, Table};
pub use frame::{CONTENT_SECURITY_POLICY, Page, plain_page};
pub use plot::Bar;
pub use sections::{LeadFigures, Section};
pub use words::encoded;
