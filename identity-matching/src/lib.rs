//! Deterministic, explainable identity matching by document, phone and e-mail.
