//! Why a run could not be carried out, and how stderr is told.

use std::fmt::{self, Display};
use std::io::Write as _;

use guardrails::visible;

/// How many characters of what went wrong are told; a damaged file may put all of itself into an error.
const LONGEST_TOLD: usize = 2_000;

/// Why a run could not be carried out, and what to do about it.
#[derive(Debug)]
pub struct Failure {
    what: String,
    remedy: Option<String>,
}

impl Failure {
    /// Makes a failure from a sentence that says what is wrong, where.
    pub fn new(what: impl Display) -> Self {
        Self { what: what.to_string(), remedy: None }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Display) -> Self {
        self.remedy = Some(remedy.to_string());
        self
    }

    /// Says where it happened, before what is wrong.
    #[must_use]
    pub fn within(mut self, place: impl Display) -> Self {
        self.what = format!("{place}: {}", self.what);
        self
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what.char_indices().nth(LONGEST_TOLD) {
            Some((end, _)) => write!(f, "{}… (cut here)", &self.what[..end])?,
            None => f.write_str(&self.what)?,
        }
        match &self.remedy {
            Some(remedy) => write!(f, "\n  what to do: {remedy}"),
            None => Ok(()),
        }
    }
}

/// Every error of a library becomes a failure with its own words and those of its causes.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut what = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let said = error.to_string();
            if !what.contains(&said) {
                what.push_str(": ");
                what.push_str(&said);
            }
            cause = error.source();
        }
        Self::new(what)
    }
}

/// Prints a message on stderr; what cannot be seen is shown.
pub(crate) fn warn(text: impl Display) {
    // Nobody is left to tell when stderr itself is closed.
    let _ = writeln!(anstream::stderr(), "{}", visible(&text.to_string()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_tells_its_causes_once_and_its_remedy() {
        #[derive(Debug, thiserror::Error)]
        #[error("the table cannot be read")]
        struct Outer(#[source] std::num::ParseIntError);
        let cause = "x".parse::<i32>().unwrap_err();
        let failure = Failure::from(Outer(cause)).remedy("write a number");
        assert_eq!(
            failure.to_string(),
            "the table cannot be read: invalid digit found in string\n  what to do: write a number"
        );
    }

    #[test]
    fn a_long_error_is_cut_and_keeps_its_remedy() {
        let failure = Failure::new("ñ".repeat(1_000_000)).remedy("correct the file");
        let told = failure.to_string();
        assert!(told.chars().count() < 2_100, "{} characters", told.chars().count());
        assert!(told.ends_with("… (cut here)\n  what to do: correct the file"));
    }
}
