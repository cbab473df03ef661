//! What does a whole lead cost, phone, document and e-mail, from raw text to sorted keys?
//!
//! Ten thousand leads as sources have them: most values are plain, some are written oddly, some are
//! missing or fillers. The figure per lead is that of a case by ten thousand.

#![allow(missing_docs, reason = "the macros of criterion make undocumented functions")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use identity_matching::{Normalised, Normaliser, RawValue, Region};

struct Lead {
    phone: String,
    document: String,
    email: String,
}

fn leads() -> Vec<Lead> {
    let mut seed = 1_u64;
    let mut next = || {
        seed = seed * 48_271 % 2_147_483_647;
        seed
    };
    (0..10_000)
        .map(|at| {
            let number = next() % 100_000_000;
            let phone = match next() % 20 {
                0 => String::new(),
                1 => format!("+51 9{number:08}"),
                2 => format!("00519{number:08}"),
                3 => "999999999".to_owned(),
                4 => format!("９{number:08}"),
                _ => format!("9{number:08}"),
            };
            let document = match next() % 10 {
                0..=3 => String::new(),
                _ => (20_000_000 + next() % 60_000_000).to_string(),
            };
            let email = match next() % 10 {
                0..=3 => String::new(),
                4 => format!("Ana.Diaz+{at}@Gmail.com"),
                5 => "n/a".to_owned(),
                _ => format!("ana.diaz{at}@hotmail.com"),
            };
            Lead { phone, document, email }
        })
        .collect()
}

/// Ten thousand leads with plain values, of which so many percent are written as people do around them.
fn dirty_leads(percent: u64) -> Vec<Lead> {
    let mut seed = 7_u64;
    let mut next = || {
        seed = seed * 48_271 % 2_147_483_647;
        seed
    };
    (0..10_000)
        .map(|at| {
            let (number, document) = (next() % 100_000_000, 20_000_000 + next() % 60_000_000);
            let dirty = next() % 100 < percent;
            let form = next() % 4;
            let (phone, document) = match (dirty, form) {
                (false, _) => (format!("9{number:08}"), document.to_string()),
                (true, 0) => (format!("cel: 9{number:08}"), format!("DNI N° {document}")),
                (true, 1) => (format!("9{number:08}.0"), format!("{document}.0")),
                (true, 2) => (format!("9{number:08} (mamá)"), format!("{document} DNI")),
                (true, _) => (
                    format!("9{number:08} / 9{:08}", next() % 100_000_000),
                    format!("*{document}*"),
                ),
            };
            let email = if dirty {
                format!("correo: ana.diaz{at}@hotmail.com")
            } else {
                format!("ana.diaz{at}@hotmail.com")
            };
            Lead { phone, document, email }
        })
        .collect()
}

fn records(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("normalise_record");
    group.throughput(Throughput::Elements(10_000));
    let region = Region::parse("PE").expect("a region of the bench");
    let normaliser = Normaliser::for_region(region);
    let mut buffer = Normalised::default();
    let cases = [
        ("three identifiers, one buffer", leads()),
        ("0 % dirty", dirty_leads(0)),
        ("5 % dirty", dirty_leads(5)),
        ("30 % dirty", dirty_leads(30)),
    ];
    for (name, leads) in cases {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut keys = 0;
                for lead in &leads {
                    let mut reader = normaliser.read_into(&mut buffer);
                    let kind = if lead.document.is_empty() { "" } else { "DNI" };
                    reader.document(RawValue { country: "PE", kind, value: &lead.document });
                    reader.phone(&lead.phone);
                    reader.email(&lead.email);
                    keys += reader.finish().keys().len();
                }
                keys
            });
        });
    }
    group.finish();
}

criterion_group!(benches, records);
criterion_main!(benches);
