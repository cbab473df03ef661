use crate::ThresholdError;

/// The reason why a suite cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No check of that id is known: choose one of those named.
    #[error("unknown check `{id}`; known are: {known}")]
    UnknownCheck {
        /// The id that was given.
        id: String,
        /// The ids that would do, separated by commas.
        known: String,
    },
    /// Two checks have one id: rename one.
    #[error("the check `{id}` stands in the suite twice; rename one of the two")]
    DuplicateCheck {
        /// The id that both have.
        id: String,
    },
    /// A threshold of a check cannot be: correct it.
    #[error("a threshold of the check `{id}` is not valid")]
    Threshold {
        /// The check's id.
        id: String,
        /// What is wrong with it.
        source: ThresholdError,
    },
    /// The check judges by itself and takes no thresholds: remove them.
    #[error("check `{id}` gives its verdict by itself and takes no thresholds; remove them")]
    NoThresholds {
        /// The check's id.
        id: String,
    },
    /// An expected emptiness is given without its reason: write the reason.
    #[error("check `{id}`: an empty population that is expected needs its reason in words")]
    EmptyReason {
        /// The check's id.
        id: String,
    },
    /// A threshold can never be crossed, since the check counts fewer offenders than it lets through.
    #[error(
        "check `{id}`: it counts at most {most} offenders, so `{threshold}` can never be crossed; \
         lower the threshold"
    )]
    NeverCrossed {
        /// The check's id.
        id: String,
        /// The threshold.
        threshold: crate::Threshold,
        /// The most offenders that the check can count.
        most: u64,
    },
    /// A selection names no check of the suite: choose one of those named.
    #[error("no check of the suite has the tag `{tag}`; tags are: {known}")]
    UnknownTag {
        /// The tag that was given.
        tag: String,
        /// The tags of the suite, separated by commas.
        known: String,
    },
    /// A check may take no time at all: set a limit above zero.
    #[error("check `{id}`: a time limit of zero can never be met")]
    NoTime {
        /// The check's id.
        id: String,
    },
}
