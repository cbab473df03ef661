//! E-mail addresses to their canonical form.

use crate::key::{Key, KeyForm, Reading, Source};
use crate::normalise::{Normalised, Normaliser};
use crate::unusable::UnusableReason;

/// Reads one address into `out`.
pub(crate) fn read(raw: &str, source: Source, normaliser: &Normaliser, out: &mut Normalised) {
    let canonical = raw.trim().to_lowercase();
    match canonical.split_once('@') {
        _ if normaliser.placeholders.has_email(&canonical) => {
            out.push_unusable(source, UnusableReason::Placeholder);
        }
        Some((local, domain)) if !local.is_empty() && domain.contains('.') => {
            let key = Key::email(&canonical, normaliser.options().hash_key);
            out.push_text(key, &canonical);
            out.push_key(key, KeyForm::Exact, source, Reading::default());
        }
        _ if canonical.is_empty() => {}
        _ => out.push_unusable(source, UnusableReason::Malformed),
    }
}
