//! Whether records are read as a policy says.

use super::Policy;
use crate::{key::KeyKind, normalise::NormaliseOptions};

/// Reports that a policy and a normaliser disagree on how records are read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadingConflict {
    /// The policy uses a kind that is not read.
    #[error(
        "the policy uses the kind `{kind}`, which the normaliser does not read: add it to its options by `with_kind`, or leave it out of the policy"
    )]
    UnknownKind {
        /// The kind.
        kind: KeyKind,
    },
    /// One part of the options differs.
    #[error(
        "the policy and the normaliser differ in {what}: make the normaliser's options by `Policy::normalise_options`"
    )]
    Differs {
        /// Which part, as the policy names it.
        what: &'static str,
    },
}

impl Policy {
    /// Checks that records are read by options as the policy says: its placeholders, its addresses, its last digits of a
    /// phone, and every kind that it uses.
    ///
    /// # Errors
    ///
    /// [`ReadingConflict`], which names the first difference.
    ///
    /// ```
    /// use identity_matching::{KindRules, NormaliseOptions, Policy, PolicyRules, Region};
    ///
    /// let policy = Policy::default();
    /// assert!(policy.check_reading(&policy.normalise_options(Region::parse("PE")?)).is_ok());
    /// let rules = PolicyRules::default().with_kind("loyalty".parse()?, KindRules::default());
    /// let said = Policy::new(rules)?.check_reading(&NormaliseOptions::default()).unwrap_err().to_string();
    /// assert!(said.contains("`loyalty`"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn check_reading(&self, options: &NormaliseOptions) -> Result<(), ReadingConflict> {
        let read = |kind: KeyKind| {
            kind.is_built_in() || options.own_kinds().any(|known| known.code() == kind)
        };
        let own = self.rules.own_kinds.iter().map(|rules| rules.code);
        if let Some(kind) =
            self.rules.precedence.iter().copied().chain(own).find(|&kind| !read(kind))
        {
            return Err(ReadingConflict::UnknownKind { kind });
        }
        let rules = &self.rules;
        let (addresses, emails) = (&rules.addresses, &options.email_rules);
        for (what, same) in [
            ("`placeholders`", rules.placeholders == options.placeholders),
            ("`addresses.roles`", addresses.roles == emails.roles),
            ("`addresses.disposable`", addresses.disposable == emails.disposable),
            ("`weak.phone_tail_digits`", rules.weak.phone_tail_digits == options.phone_tail_digits),
        ] {
            if !same {
                return Err(ReadingConflict::Differs { what });
            }
        }
        Ok(())
    }
}
