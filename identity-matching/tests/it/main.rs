//! Integration tests of identity matching.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod allocations;
mod bad_input;
#[cfg(feature = "testing")]
mod conformance;
mod contrary;
mod decisions;
mod documents;
mod documents_written;
mod emails;
mod emails_written;
mod evidence;
mod files;
mod former_policies;
mod garbage;
mod glance;
mod joined;
mod keys;
mod laws;
mod layout;
mod oracle;
#[cfg(feature = "phone-metadata")]
mod phonenumbers;
mod phones;
mod phones_written;
mod placeholders;
mod policies;
mod refused_policies;
mod relevant;
mod reports;
mod stdnum;
mod support;
mod switches;
mod weak;
mod weak_written;
