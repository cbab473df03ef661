//! What does it cost to turn one written phone into a key?
//!
//! Each case reads 1,000 different numbers; the figure per number is that of a case by a thousand.

#![allow(missing_docs, reason = "the macros of criterion make undocumented functions")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use identity_matching::{Normalised, Normaliser, Region};

/// Numbers of one form, made from a multiplicative sequence.
fn numbers(form: impl Fn(u64) -> String) -> Vec<String> {
    let mut seed = 1_u64;
    let mut next = || {
        seed = seed * 48_271 % 2_147_483_647;
        form(seed)
    };
    (0..1000).map(|_| next()).collect()
}

fn phones(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("normalise_phone");
    group.throughput(Throughput::Elements(1000));
    let cases = [
        ("PE local", "PE", numbers(|seed| format!("9{:08}", seed % 100_000_000))),
        (
            "PE spaced",
            "PE",
            numbers(|seed| format!("9{:02} {:03} {:03}", seed % 100, seed % 997, seed % 991)),
        ),
        ("PE plus", "PE", numbers(|seed| format!("+519{:08}", seed % 100_000_000))),
        ("ES local", "ES", numbers(|seed| format!("6{:08}", seed % 100_000_000))),
        ("MX local", "MX", numbers(|seed| format!("55{:08}", seed % 100_000_000))),
        ("BR plus", "BR", numbers(|seed| format!("+55 11 9{:08}", seed % 100_000_000))),
        ("judge: full-width", "PE", numbers(|seed| format!("９{:08}", seed % 100_000_000))),
        ("judge: national prefix", "AR", numbers(|seed| format!("011 4{:07}", seed % 10_000_000))),
        ("refused: megabyte", "PE", vec!["9".repeat(1 << 20); 1000]),
        ("refused: text", "PE", vec!["no tiene".to_owned(); 1000]),
    ];
    for (name, region, numbers) in cases {
        let region = Region::parse(region).expect("a region of the bench");
        let normaliser = Normaliser::for_region(region);
        let mut buffer = Normalised::default();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut keys = 0;
                for number in &numbers {
                    let mut reader = normaliser.read_into(&mut buffer);
                    reader.phone(number);
                    keys += reader.finish().keys().len();
                }
                keys
            });
        });
    }
    group.finish();
}

criterion_group!(benches, phones);
criterion_main!(benches);
