//! Pages that go further than the types: how a queue works, how it is linked and run, and how it lives in a service.

#[doc = include_str!("../docs/how-it-works.md")]
pub mod how_it_works {}

#[doc = include_str!("../docs/linking.md")]
pub mod linking {}

#[doc = include_str!("../docs/operations.md")]
pub mod operations {}

#[doc = include_str!("../docs/async-services.md")]
pub mod async_services {}
