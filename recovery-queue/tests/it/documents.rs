//! The README says of the traits what the code says.

use std::collections::BTreeMap;

/// Gives the required methods of each public trait in a file: those that end without a body.
fn required(source: &str) -> BTreeMap<String, Vec<String>> {
    let mut traits = BTreeMap::new();
    for part in source.split("\npub trait ").skip(1) {
        let name: String = part.chars().take_while(|c| c.is_alphanumeric()).collect();
        let body = &part[..part.find("\n}").expect("a trait ends")];
        let methods = body.split("\n    fn ").skip(1).filter_map(|method| {
            // A signature ends at its `;` or at the `{` of a body; an array's `;` is in no signature here.
            let end = method.find([';', '{'])?;
            let required = method[end..].starts_with(';');
            required
                .then(|| method.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        });
        traits.insert(name, methods.collect());
    }
    traits
}

#[test]
fn the_readme_lists_the_required_methods_of_each_trait() {
    let mut found = BTreeMap::new();
    for source in [
        include_str!("../../src/model/backlog.rs"),
        include_str!("../../src/model/resolver.rs"),
        include_str!("../../src/store/mod.rs"),
        include_str!("../../src/store/corrections.rs"),
        include_str!("../../src/store/leads.rs"),
        include_str!("../../src/store/leases.rs"),
        include_str!("../../src/store/links.rs"),
        include_str!("../../src/store/reviews.rs"),
        include_str!("../../src/store/runs.rs"),
    ] {
        found.append(&mut required(source));
    }
    let readme = include_str!("../../README.md");
    let table = readme.split("| trait | required | for |").nth(1).expect("the table is there");
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in table.lines().skip(2).take_while(|row| row.starts_with('|')) {
        let mut cells = row.split('|').skip(1);
        let mut names = || -> Vec<String> {
            let cell = cells.next().expect("a row has cells");
            cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
        };
        let name = names().remove(0);
        told.insert(name, names());
    }
    assert_eq!(told, found);
}

/// Every table that the migrations make is in the page that lists them.
#[test]
fn the_page_lists_every_table() {
    let page = include_str!("../../docs/how-it-works.md");
    for script in [
        include_str!("../../migrations/sqlite/00000000000001_recovery_queue/up.sql"),
        include_str!("../../migrations/sqlite/00000000000003_candidate_index/up.sql"),
        include_str!("../../migrations/sqlite/00000000000005_lead_actions/up.sql"),
        include_str!("../../migrations/sqlite/00000000000011_reviews/up.sql"),
        include_str!("../../migrations/sqlite/00000000000014_corrections/up.sql"),
        include_str!("../../migrations/sqlite/00000000000015_store_actions/up.sql"),
    ] {
        for made in script.split("CREATE TABLE {ns}").skip(1) {
            let table: String =
                made.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            assert!(page.contains(&format!("`{table}`")), "{table} is not told of");
        }
    }
}
