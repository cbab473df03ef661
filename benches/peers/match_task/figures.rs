//! Time and memory, printed one JSON object a line.

use std::{fs, time::Instant};

/// Measures wall time, and the processor time of all threads, which a busy machine does not stretch as much.
#[derive(Clone, Copy)]
pub(crate) struct Timer(Instant, f64);

impl Timer {
    pub(crate) fn start() -> Self {
        Self(Instant::now(), processor_seconds())
    }

    pub(crate) fn print(self, figure: &str) {
        let seconds = self.0.elapsed().as_secs_f64();
        let cpu = processor_seconds() - self.1;
        println!("{{\"figure\":\"{figure}\",\"seconds\":{seconds:.4},\"cpu\":{cpu:.2}}}");
    }
}

/// Reads user and system time from the system's account of this process; it counts hundredths.
fn processor_seconds() -> f64 {
    let account = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The fields follow the program's name, which may hold blanks.
    let fields = account.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Prints a count.
pub(crate) fn count(figure: &str, unit: &str, value: usize) {
    println!("{{\"figure\":\"{figure}\",\"{unit}\":{value}}}");
}

/// Prints the most memory that the process ever had.
pub(crate) fn peak_memory(figure: &str) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let peak: usize = peak.trim().trim_end_matches(" kB").parse().unwrap_or(0);
    count(figure, "bytes", peak * 1024);
}
