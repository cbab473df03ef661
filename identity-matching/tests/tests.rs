//! Integration tests of identity matching.

mod keys;
mod phones;
