//! What does it cost to fold a name, and to compare two?

#![allow(missing_docs, reason = "the macros of criterion make undocumented functions")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use identity_matching::Name;

fn names(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("normalise_name");
    for (case, raw) in [
        ("fold ASCII", "MARIA FERNANDA DE LA CRUZ QUISPE"),
        ("fold accented", "María Fernanda de la Cruz Ñahui"),
    ] {
        group.bench_function(case, |bencher| bencher.iter(|| Name::parse(black_box(raw))));
    }
    let name = |raw| Name::parse(raw).expect("a name of the bench");
    let full = name("María Fernanda de la Cruz Ñahui");
    for (case, other) in [
        ("compare equal", name("Cruz Ñahui, María Fernanda")),
        ("compare short form", name("María Cruz")),
        ("compare different", name("Juan Carlos Pérez Gómez")),
    ] {
        group.bench_function(case, |bencher| {
            bencher.iter(|| black_box(&full).similarity(black_box(&other)));
        });
    }
    group.finish();
}

criterion_group!(benches, names);
criterion_main!(benches);
