//! Progress bars: one for each stage of a run, with rate, elapsed and remaining time.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use indicatif::{
    HumanFloatCount, ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressState, ProgressStyle,
};

const COUNTED: &str =
    "{prefix:>10} [{wide_bar}] {human_pos}/{human_len} {rate} {elapsed} elapsed, {eta} left";
const READ: &str =
    "{prefix:>10} [{wide_bar}] {bytes}/{total_bytes} {bytes_per_sec} {elapsed} elapsed, {eta} left";
/// What one statement of the database does, which tells nothing before it ends.
const WAITED_FOR: &str = "{prefix:>10} {spinner} {elapsed} elapsed";

/// A file of fewer bytes is read before anybody could look at a bar.
const SMALL: u64 = 1 << 20;

/// The bars of a run's stages; without a terminal they are not shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bars {
    shown: bool,
}

impl Bars {
    /// Makes bars that are shown on stderr, or hidden.
    #[must_use]
    pub fn new(shown: bool) -> Self {
        Self { shown }
    }

    /// Begins a stage of so many items.
    #[must_use]
    pub fn counted(self, total: u64, label: &'static str) -> ProgressBar {
        self.begin(Some(total), label, COUNTED)
    }

    /// Begins a stage whose end nobody knows.
    #[must_use]
    pub fn waiting(self, label: &'static str) -> ProgressBar {
        let bar = self.begin(None, label, WAITED_FOR);
        if self.shown {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        bar
    }

    /// Reads a file with a bar that begins once a megabyte of it was read, and ends with the reader.
    #[must_use]
    pub fn reading(self, file: File, label: &'static str) -> impl Read + Send + 'static {
        let total = file.metadata().map_or(0, |data| if data.is_file() { data.len() } else { 0 });
        ShownFile { file, bars: self, label, total, read: 0, bar: None }
    }

    fn begin(self, total: Option<u64>, label: &'static str, template: &str) -> ProgressBar {
        let target =
            if self.shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template(template)
            .expect("the template is fixed and valid")
            .with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
                // A bar that cannot be written has no reader.
                let _ = write!(out, "{:.0}/s", HumanFloatCount(state.per_sec()));
            })
            .progress_chars("=> ");
        let bar = ProgressBar::with_draw_target(total, target).with_style(style);
        bar.set_prefix(label);
        bar.with_finish(ProgressFinish::AndClear)
    }
}

/// A file whose reader is shown how much of it is read.
struct ShownFile {
    file: File,
    bars: Bars,
    label: &'static str,
    /// Nothing where it is no regular file.
    total: u64,
    read: u64,
    bar: Option<ProgressBar>,
}

impl Read for ShownFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file.read(buffer)?;
        self.read += bytes as u64;
        if self.read > SMALL && self.total > 0 {
            let bar =
                self.bar.get_or_insert_with(|| self.bars.begin(Some(self.total), self.label, READ));
            bar.set_position(self.read);
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_it_is_and_only_a_large_one_has_a_bar() {
        for (bytes, has_bar) in [(10, false), (3 << 20, true)] {
            let path = tempfile::NamedTempFile::new().unwrap();
            let written = vec![7; bytes];
            std::fs::write(path.path(), &written).unwrap();
            let file = File::open(path.path()).unwrap();
            let total = bytes as u64;
            let bars = Bars::default();
            let mut shown = ShownFile { file, bars, label: "import", total, read: 0, bar: None };
            let mut read = Vec::new();
            shown.read_to_end(&mut read).unwrap();
            assert_eq!(read, written);
            assert_eq!(shown.bar.map(|bar| bar.position()), has_bar.then_some(total));
        }
    }

    #[test]
    fn bars_are_hidden_without_a_terminal_and_count_all_the_same() {
        let bar = Bars::new(false).counted(3, "leads");
        bar.inc(2);
        assert!(bar.is_hidden());
        assert_eq!((bar.position(), bar.length()), (2, Some(3)));
        assert!(Bars::new(false).waiting("seed").is_hidden());
    }
}
