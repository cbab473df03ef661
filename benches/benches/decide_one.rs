//! What does one decision with its whole evidence cost, from the raw record on?

use std::hint::black_box;

use benchmarks::population;
use criterion::{Criterion, criterion_group, criterion_main};
use identity_matching::{Matcher, RawDocument, Record};

fn one(criterion: &mut Criterion) {
    let (matcher, _) = population::matcher(100_000, 0, false);
    let nobody = Record {
        phones: vec!["+51 912 345 876".into()],
        documents: vec![RawDocument::typed("PE", "DNI", "41234567")],
        ..Record::default()
    };
    let somebody = Record { emails: vec!["U4242@mail42.pe".into()], ..Record::default() };
    let mut group = criterion.benchmark_group("decide one, with evidence");
    for (name, lead) in [("nobody", &nobody), ("matched", &somebody)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| matcher.decide_one(black_box(lead)).expect("memory answers"));
        });
    }
    group.finish();
}

criterion_group!(benches, one);
criterion_main!(benches);
