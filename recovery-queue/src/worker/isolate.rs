//! The isolation of leads that a resolver cannot take.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::model::error::StoreError;
use crate::model::resolver::{ClaimedLead, Resolution, ResolveError, Resolver};

/// Resolves a batch; where the resolver fails or panics on it, halves it until the lead at fault is alone.
///
/// A lead alone at fault gets a technical error; all others get their own resolution, one each in order. An answer that a
/// database would refuse is a technical error, too. A resolver that panics is called again with a part of the batch: it
/// must not rely on state that it left half-changed.
///
/// # Errors
/// [`StoreError::ResolverUnavailable`] where the resolver as a whole cannot work now, and
/// [`StoreError::ResolutionCount`] where it does not answer one resolution per lead. Give the batch back uncounted then.
pub fn resolve_isolated(
    resolver: &mut dyn Resolver,
    leads: &[ClaimedLead],
) -> Result<Vec<Resolution>, StoreError> {
    if leads.is_empty() {
        return Ok(Vec::new());
    }
    // Nothing of ours is shared with the resolver.
    let answer = catch_unwind(AssertUnwindSafe(|| resolver.resolve(leads)));
    let message = match answer {
        Ok(Ok(resolutions)) => {
            if resolutions.len() != leads.len() {
                return Err(StoreError::ResolutionCount {
                    wanted: leads.len(),
                    given: resolutions.len(),
                });
            }
            return Ok(resolutions.into_iter().map(storable).collect());
        }
        Ok(Err(ResolveError::Unavailable(reason))) => {
            return Err(StoreError::ResolverUnavailable { reason });
        }
        Ok(Err(ResolveError::Batch(message))) => message,
        Err(_) => "the resolver panicked".to_owned(),
    };
    if leads.len() == 1 {
        return Ok(vec![storable(Resolution::error(message))]);
    }
    let (left, right) = leads.split_at(leads.len() / 2);
    let mut resolutions = resolve_isolated(resolver, left)?;
    resolutions.extend(resolve_isolated(resolver, right)?);
    Ok(resolutions)
}

/// The longest rule, confidence or wake key that a store keeps, in bytes.
const MAX_WORD_BYTES: usize = 64;

/// Turns a resolution that a database would refuse into a technical error of that lead alone.
pub(crate) fn storable(resolution: Resolution) -> Resolution {
    let word = |text: &str| text.len() <= MAX_WORD_BYTES && !text.contains('\0');
    let problem = match &resolution {
        Resolution::Matched(found) if !word(&found.rule) => "the rule's name cannot be stored",
        Resolution::Matched(found) if !word(&found.confidence) => "the confidence cannot be stored",
        Resolution::Unmatched { wake_keys, .. } if !wake_keys.iter().all(|key| word(key)) => {
            "a wake key cannot be stored"
        }
        Resolution::Error { message } | Resolution::Later { message, .. }
            if message.contains('\0') =>
        {
            "a message with a NUL byte"
        }
        _ => return resolution,
    };
    Resolution::error(problem)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;
    use crate::model::key::SourcePk;
    use crate::model::resolver::FailReason;

    fn leads(count: usize) -> Vec<ClaimedLead> {
        (0..count)
            .map(|i| {
                ClaimedLead::new(SourcePk::new(format!("L-{i}")).unwrap(), DateTime::<Utc>::MIN_UTC)
            })
            .collect()
    }

    #[test]
    fn a_lead_that_panics_fails_alone() {
        let mut resolver = |leads: &[ClaimedLead]| {
            assert!(leads.iter().all(|lead| lead.source_pk.as_str() != "L-5"));
            Ok(leads.iter().map(|_| Resolution::unmatched(FailReason::NoCandidates)).collect())
        };
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let resolutions = resolve_isolated(&mut resolver, &leads(9)).unwrap();
        std::panic::set_hook(hook);
        for (i, resolution) in resolutions.iter().enumerate() {
            assert_eq!(matches!(resolution, Resolution::Error { .. }), i == 5);
        }
    }

    #[test]
    fn a_wrong_number_of_resolutions_is_an_error() {
        let mut resolver = |_: &[ClaimedLead]| Ok(Vec::new());
        assert!(matches!(
            resolve_isolated(&mut resolver, &leads(2)),
            Err(StoreError::ResolutionCount { wanted: 2, given: 0 })
        ));
    }
}
