//! What does it cost to turn one written address into a key?
//!
//! Each case reads 1,000 different addresses; the figure per address is that of a case by a thousand.

#![allow(missing_docs, reason = "the macros of criterion make undocumented functions")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use identity_matching::{Normalised, Normaliser};

fn emails(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("normalise_email");
    group.throughput(Throughput::Elements(1000));
    let addresses = |form: &dyn Fn(u32) -> String| (0..1000).map(form).collect::<Vec<_>>();
    let cases = [
        ("plain", addresses(&|at| format!("ana.diaz{at}@correo{}.com.pe", at % 7))),
        ("gmail", addresses(&|at| format!("ana.diaz{at}@gmail.com"))),
        ("gmail dots and tag", addresses(&|at| format!("Ana.Maria.Diaz{at}+x@gmail.com"))),
        ("hotmail", addresses(&|at| format!("ANADIAZ{at}@HOTMAIL.COM"))),
        ("international", addresses(&|at| format!("peña{at}@cañón.pe"))),
        ("refused", vec!["no tiene".to_owned(); 1000]),
    ];
    let normaliser = Normaliser::default();
    for (name, addresses) in cases {
        let mut buffer = Normalised::default();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut keys = 0;
                for address in &addresses {
                    let mut reader = normaliser.read_into(&mut buffer);
                    reader.email(address);
                    keys += reader.finish().keys().len();
                }
                keys
            });
        });
    }
    group.finish();
}

criterion_group!(benches, emails);
criterion_main!(benches);
