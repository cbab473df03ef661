//! One vocabulary: the name of a public type stands for one thing in all crates.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::house::FOLDERS;

/// Names that stand for the same idea in each crate that has them: crates know nothing of one another by default. Of any other
/// name that two crates use, one gets another name.
const ONE_IDEA: [&str; 11] = [
    "AgeBucket",    // leads by age, as the queue counts and the checks read them
    "ConfigError",  // a setting that is refused
    "DailyMetrics", // one day of the ledger
    "Decision",     // of a matcher, and as the queue kept it
    "Evidence",     // of a decision, and as the queue kept it
    "Finding",      // what a check of cells or of facts has to say
    "GapStatus",    // what is missing of a KPI's value
    "MetricScope",  // the period that a value is for
    "Severity",     // how grave a finding is
    "SourceFacts",  // what is known of a source
    "StoreError",   // what a store could not do
];

fn declared(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            declared(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path).expect("a source file");
            let public = source.split("#[cfg(test)]").next().unwrap_or_default();
            names.extend(public.lines().filter_map(|line| {
                let mut words = line.trim_start().strip_prefix("pub ")?.split(' ');
                let kind = words.next()?;
                let name =
                    words.next().filter(|_| ["struct", "enum", "trait", "type"].contains(&kind))?;
                let end = name.find(|c: char| !c.is_alphanumeric()).unwrap_or(name.len());
                Some(name[..end].to_owned())
            }));
        }
    }
}

#[test]
fn a_public_type_name_stands_for_one_thing_in_all_crates() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member has a workspace");
    let mut places: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for library in FOLDERS {
        let mut names = BTreeSet::new();
        declared(&root.join(library).join("src"), &mut names);
        assert!(names.len() > 20, "the types of {library} were not found: {names:?}");
        for name in names {
            places.entry(name).or_default().push(library);
        }
    }
    places.retain(|_, crates| crates.len() > 1);
    let known: BTreeSet<&str> = ONE_IDEA.into_iter().collect();
    let new: Vec<_> = places.iter().filter(|(name, _)| !known.contains(name.as_str())).collect();
    assert!(new.is_empty(), "name them apart, or list them where they are one idea: {new:#?}");
    let gone: Vec<_> = known.iter().filter(|name| !places.contains_key(**name)).collect();
    assert!(gone.is_empty(), "these are no longer in two crates: {gone:?}");
}
