//! Any bytes as a catalogue and as a file of runs: no panic, and what is read goes through a queue.
#![no_main]

use kpi_gap_queue::files::{RunHistory, read_catalogue};
use kpi_gap_queue::{GapOptions, GapQueue, InMemoryMetrics, MetricScope};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (kind, bytes) = bytes.split_first().unwrap_or((&0, bytes));
    match kind % 2 {
        0 => {
            if let Ok(read) = read_catalogue("catalog.json", bytes) {
                let scopes = [MetricScope::all_time()];
                let metrics = InMemoryMetrics::new();
                let queue =
                    GapQueue::build(&read.catalogue, &metrics, &scopes, GapOptions::default());
                queue.map_or(0, |queue| queue.rows().count());
            }
        }
        _ => {
            if let Ok(history) = RunHistory::read("runs.jsonl", bytes) {
                history.last().map_or(0, |run| run.pairs().count());
            }
        }
    }
});
