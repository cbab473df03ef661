//! Saving and loading an index: hashed under a secret, versioned, checked to the last byte.
