//! The whole suite.

use super::{
    TestStore, check_core, check_leads, check_leases, check_links, check_reviews, check_runs,
};

/// Runs the whole suite; each case gets a new, empty store.
///
/// # Panics
/// Where the store does not do what it must.
pub fn check_all<S>(make: &mut dyn FnMut() -> S)
where
    S: TestStore
        + crate::LinkStore
        + crate::LeadStore
        + crate::LeaseStore
        + crate::ReviewStore
        + crate::RunStore,
{
    check_core(make);
    check_links(make);
    check_leases(make);
    check_runs(make);
    check_leads(make);
    check_reviews(make);
}
