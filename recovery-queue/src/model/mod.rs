//! What a queue is made of: keys, rows, options, answers and errors. Depends on no store.

pub(crate) mod age;
pub(crate) mod backlog;
pub(crate) mod cursor;
pub(crate) mod error;
pub(crate) mod evidence;
pub(crate) mod inconsistency;
pub(crate) mod key;
pub(crate) mod key_column;
pub(crate) mod lead;
pub(crate) mod lease;
pub(crate) mod ledger;
pub(crate) mod links;
pub(crate) mod options;
pub(crate) mod person_view;
pub(crate) mod progress;
pub(crate) mod rejection;
pub(crate) mod resolver;
pub(crate) mod review;
pub(crate) mod rows;
pub(crate) mod run;
pub(crate) mod settlement;
pub(crate) mod stop;
pub(crate) mod store_action;
pub(crate) mod work;
