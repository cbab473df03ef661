//! What does it cost to turn one written document into a key?
//!
//! Each case reads 1,000 different numbers; the figure per number is that of a case by a thousand.

#![allow(missing_docs, reason = "the macros of criterion make undocumented functions")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use identity_matching::{Normalised, Normaliser, RawValue, Region};

/// Eight digits, made from a multiplicative sequence, none of them a filler.
fn digits() -> impl Iterator<Item = u64> {
    let next = |seed: &u64| Some(seed * 48_271 % 2_147_483_647);
    std::iter::successors(Some(48_271), next).map(|seed| 20_000_000 + seed % 60_000_000)
}

/// Appends the last digit that makes a number of the type.
fn complete(normaliser: &Normaliser, country: &str, kind: &str, body: &str) -> Option<String> {
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".chars().map(|last| format!("{body}{last}")).find(
        |number| {
            let mut buffer = Normalised::default();
            let mut reader = normaliser.read_into(&mut buffer);
            reader.document(RawValue { country, kind, value: number });
            !reader.finish().keys().is_empty()
        },
    )
}

fn documents(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("normalise_document");
    group.throughput(Throughput::Elements(1000));
    let region = Region::parse("PE").expect("a region of the bench");
    let normaliser = Normaliser::for_region(region);
    let checked = |country, kind, prefix: &str, suffix: &str| -> Vec<String> {
        let bodies = digits().map(|digits| format!("{prefix}{digits}{suffix}"));
        bodies.filter_map(|body| complete(&normaliser, country, kind, &body)).take(1000).collect()
    };
    let plain = || digits().take(1000).map(|digits| digits.to_string()).collect::<Vec<_>>();
    let cases = [
        ("PE DNI", "PE", "DNI", plain()),
        ("PE DNI untyped", "", "", plain()),
        ("PE RUC 10", "PE", "RUC", checked("PE", "RUC", "10", "")),
        ("ES DNI", "ES", "DNI", checked("ES", "DNI", "", "")),
        ("CL RUT", "CL", "RUT", checked("CL", "RUT", "", "")),
        ("AR CUIT", "AR", "CUIT", checked("AR", "CUIT", "20", "")),
        ("BR CPF", "BR", "CPF", checked("BR", "CPF", "1", "4")),
        ("EC CI", "EC", "CI", checked("EC", "CI", "1", "")),
        ("passport", "PE", "PASSPORT", digits().take(1000).map(|d| format!("XA{d}")).collect()),
        ("opaque", "PE", "BREVETE", digits().take(1000).map(|d| format!("Q{d}")).collect()),
        ("refused", "PE", "RUC", plain()),
    ];
    for (name, country, kind, numbers) in cases {
        let mut buffer = Normalised::default();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut keys = 0;
                for number in &numbers {
                    let mut reader = normaliser.read_into(&mut buffer);
                    reader.document(RawValue { country, kind, value: number });
                    keys += reader.finish().keys().len();
                }
                keys
            });
        });
    }
    group.finish();
}

criterion_group!(benches, documents);
criterion_main!(benches);
