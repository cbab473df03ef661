//! How many bytes does an index take for each person and each key, by identifiers alone and with name, date and plate?

#![allow(clippy::print_stdout, reason = "the figures are the output")]

use benchmarks::population;
use identity_matching::index::InMemoryIndex;

fn main() {
    for (persons, hubs) in [(10_000, false), (1_000_000, false), (1_000_000, true)] {
        let index = population::builder(persons, hubs).0.build().expect("few keys");
        print(&format!("{persons} persons, hubs: {hubs}"), persons, &index);
    }
    for persons in [10_000, 1_000_000] {
        let index = population::known_builder(persons).build().expect("few keys");
        print(&format!("{persons} persons with name, date of birth and plate"), persons, &index);
    }
}

fn print(what: &str, persons: u32, index: &InMemoryIndex) {
    let bytes = index.bytes() as f64;
    println!(
        "{what}: {:.1} bytes a person, {:.1} bytes a key of {} keys",
        bytes / f64::from(persons),
        bytes / index.distinct_keys() as f64,
        index.distinct_keys(),
    );
}
