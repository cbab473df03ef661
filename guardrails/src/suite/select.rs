//! Choosing checks by id and by tag.

use super::{ConfigError, Suite};

impl<F: ?Sized> Suite<F> {
    /// Keeps only the named checks, in the order of the suite; `tag:NAME` stands for all with that tag.
    ///
    /// ```
    /// use guardrails::recovery::RecoveryFacts;
    /// use guardrails::{Settings, Suite};
    ///
    /// let suite = Suite::<dyn RecoveryFacts>::recovery();
    /// let suite = suite.configure("drain", Settings::default().with_tag("hourly")).unwrap();
    /// let hourly = suite.only(["tag:hourly", "impact"]).unwrap();
    /// assert_eq!(hourly.ids().collect::<Vec<_>>(), ["drain", "impact"]);
    /// ```
    pub fn only<I: AsRef<str>>(
        mut self,
        names: impl IntoIterator<Item = I>,
    ) -> Result<Self, ConfigError> {
        let kept = self.chosen(names)?;
        let mut kept = kept.into_iter();
        self.entries.retain(|_| kept.next().unwrap_or(false));
        Ok(self)
    }

    /// Leaves out the named checks; `tag:NAME` stands for all with that tag.
    pub fn without<I: AsRef<str>>(
        mut self,
        names: impl IntoIterator<Item = I>,
    ) -> Result<Self, ConfigError> {
        let left_out = self.chosen(names)?;
        let mut left_out = left_out.into_iter();
        self.entries.retain(|_| !left_out.next().unwrap_or(false));
        Ok(self)
    }

    /// Says of each check whether one of the names means it.
    fn chosen<I: AsRef<str>>(
        &self,
        names: impl IntoIterator<Item = I>,
    ) -> Result<Vec<bool>, ConfigError> {
        let mut chosen = vec![false; self.entries.len()];
        for name in names {
            let name = name.as_ref();
            let tag = name.strip_prefix("tag:");
            let mut known = false;
            for (entry, chosen) in self.entries.iter().zip(&mut chosen) {
                let meant = match tag {
                    Some(tag) => entry.settings.tags.iter().any(|own| own == tag),
                    None => entry.check.id() == name,
                };
                known |= meant;
                *chosen |= meant;
            }
            match tag {
                _ if known => {}
                Some(tag) => return Err(self.unknown_tag(tag)),
                None => return Err(self.unknown(name)),
            }
        }
        Ok(chosen)
    }

    fn unknown_tag(&self, tag: &str) -> ConfigError {
        let mut known: Vec<&str> =
            self.entries.iter().flat_map(|e| &e.settings.tags).map(String::as_str).collect();
        known.sort_unstable();
        known.dedup();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        ConfigError::UnknownTag { tag: tag.to_owned(), known }
    }
}
