//! How long each stage of a run takes, for `--json` and for logs without a terminal.

use std::time::Instant;

use serde::Serialize;

use crate::cli::Console;

/// The stages of a run in the order in which they ended, each with its duration.
#[derive(Debug)]
pub struct Stages<'a> {
    console: &'a Console,
    since: Instant,
    ended: Vec<Stage>,
}

/// One stage of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stage {
    /// What was done, such as `import`.
    pub stage: &'static str,
    /// How long it took, in seconds to the millisecond.
    pub seconds: f64,
}

impl<'a> Stages<'a> {
    /// Starts the clock of the first stage.
    #[must_use]
    pub fn start(console: &'a Console) -> Self {
        Self { console, since: Instant::now(), ended: Vec::new() }
    }

    /// Ends the stage that runs, tells its duration where no terminal shows a bar, and starts the clock of the next one.
    pub fn end(&mut self, stage: &'static str) {
        let seconds = (self.since.elapsed().as_secs_f64() * 1e3).round() / 1e3;
        self.console.stage(stage, seconds);
        self.ended.push(Stage { stage, seconds });
        self.since = Instant::now();
    }

    /// Returns the stages that ended.
    #[must_use]
    pub fn into_stages(self) -> Vec<Stage> {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_come_in_the_order_in_which_they_ended() {
        let console = Console::new(true);
        let mut stages = Stages::start(&console);
        stages.end("import");
        stages.end("seed");
        let ended = stages.into_stages();
        assert_eq!(ended.iter().map(|stage| stage.stage).collect::<Vec<_>>(), ["import", "seed"]);
        assert!(ended.iter().all(|stage| stage.seconds >= 0.0));
    }
}
