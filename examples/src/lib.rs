//! What the reference runners share: flags, files, the sample data and the service's own tables.
