//! How many bytes does an index take for each person and each key?

#![allow(clippy::print_stdout, reason = "the figures are the output")]

use benchmarks::population;

fn main() {
    for (persons, hubs) in [(10_000, false), (1_000_000, false), (1_000_000, true)] {
        let index = population::builder(persons, hubs).0.build().expect("few keys");
        let bytes = index.bytes() as f64;
        println!(
            "{persons} persons, hubs: {hubs}: {:.1} bytes a person, {:.1} bytes a key of {} keys",
            bytes / f64::from(persons),
            bytes / index.distinct_keys() as f64,
            index.distinct_keys(),
        );
    }
}
