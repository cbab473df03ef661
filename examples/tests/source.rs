//! What the source of all crates keeps to, read as text: no circle between files, no statement built from values.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member has a workspace")
}

/// Every file of Rust below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A file without its unit tests and comments.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The paths of a `use`, one each: `a::{b, c::{d}}` is `a::b` and `a::c::d`.
fn spread(tree: &str, before: &[String]) -> Vec<Vec<String>> {
    let (mut depth, mut part, mut parts) = (0, String::new(), Vec::new());
    for letter in tree.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(letter);
    }
    parts.push(part);
    let parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    parts
        .flat_map(|part| {
            let (path, inner) = match part.split_once('{') {
                Some((path, inner)) => (path, Some(inner.trim_end().trim_end_matches('}'))),
                None => (part.split(" as ").next().unwrap_or_default(), None),
            };
            let segments = path.split("::").map(str::trim).filter(|one| !one.is_empty());
            let path: Vec<String> =
                before.iter().cloned().chain(segments.map(str::to_owned)).collect();
            inner.map_or_else(|| vec![path.clone()], |inner| spread(inner, &path))
        })
        .collect()
}

/// The modules of a crate by their paths, each with its code.
struct Crate(BTreeMap<Vec<String>, String>);

impl Crate {
    fn read(name: &str) -> Self {
        let base = root().join(name).join("src");
        let modules = files(&base).into_iter().map(|path| {
            let inside = path.strip_prefix(&base).unwrap().with_extension("");
            let parts = inside.iter().map(|part| part.to_str().unwrap().to_owned());
            (parts.filter(|part| part != "mod" && part != "lib").collect(), code(&path))
        });
        Self(modules.collect())
    }

    fn absolute(module: &[String], path: &[String]) -> Option<Vec<String>> {
        let mut at = module.to_vec();
        for (place, part) in path.iter().enumerate() {
            match part.as_str() {
                "crate" => at.clear(),
                "self" if place == 0 => {}
                "super" => drop(at.pop()),
                _ if place == 0 => return None,
                other => at.push(other.to_owned()),
            }
        }
        Some(at)
    }

    /// The paths that a module names, those of its `pub use` apart.
    fn named(&self, module: &[String], public: bool) -> Vec<Vec<String>> {
        let code = &self.0[module];
        let mut found = Vec::new();
        for (at, _) in code.match_indices("use ") {
            let before = code[..at].trim_end();
            let is_public = before.ends_with("pub")
                || before.ends_with("pub(crate)")
                || before.ends_with("pub(super)");
            let starts = is_public || before.is_empty() || before.ends_with([';', '}', '{', ']']);
            let Some((tree, _)) = code[at + 4..].split_once(';').filter(|_| starts) else {
                continue;
            };
            if is_public == public {
                found.extend(spread(tree, &[]));
            }
        }
        found
    }

    /// The module in which a path's thing is defined, through what is handed on.
    fn home(&self, path: &[String], hops: usize) -> Option<Vec<String>> {
        let module =
            (0..=path.len()).rev().map(|n| &path[..n]).find(|part| self.0.contains_key(*part))?;
        let Some(name) = path.get(module.len()).filter(|_| hops > 0) else {
            return Some(module.to_vec());
        };
        let handed_on = self.named(module, true).into_iter().find(|one| one.last() == Some(name));
        let Some(handed_on) = handed_on else { return Some(module.to_vec()) };
        let inner = || module.iter().cloned().chain(handed_on.iter().cloned()).collect();
        self.home(&Self::absolute(module, &handed_on).unwrap_or_else(inner), hops - 1)
    }

    fn uses(&self, module: &[String]) -> BTreeSet<Vec<String>> {
        let named = self.named(module, false).into_iter();
        let paths = named.filter_map(|path| Self::absolute(module, &path));
        let homes = paths.filter_map(|path| self.home(&path, 4));
        homes.filter(|home| home != module && !home.is_empty()).collect()
    }
}

#[test]
fn no_file_uses_one_that_uses_it() {
    for (name, least) in [("guardrails", 80), ("raw-packets", 100), ("kpi-gap-queue", 40)] {
        let source = Crate::read(name);
        let uses: BTreeMap<_, _> =
            source.0.keys().map(|module| (module, source.uses(module))).collect();
        let all = uses.values().map(BTreeSet::len).sum::<usize>();
        assert!(all > least, "the uses of {name} are read: {uses:?}");
        for module in uses.keys() {
            // Everything that can be reached from here.
            let (mut reached, mut next) = (BTreeSet::new(), vec![(*module).clone()]);
            while let Some(one) = next.pop() {
                for used in &uses[&one] {
                    if reached.insert(used.clone()) {
                        next.push(used.clone());
                    }
                }
            }
            assert!(
                !reached.contains(*module),
                "{name}: {} uses itself by a circle: {reached:?}",
                module.join("::")
            );
        }
    }
}

/// The members of the workspace whose errors a user reads.
const CRATES: [&str; 6] = [
    "recovery-queue",
    "guardrails",
    "kpi-gap-queue",
    "raw-packets",
    "identity-matching",
    "examples",
];

/// An error that shows its source and carries it, too, is told twice by whoever prints the whole chain.
#[test]
fn no_error_shows_the_source_that_it_carries() {
    let (mut carrying, mut shown) = (0, Vec::new());
    for path in CRATES.iter().flat_map(|name| files(&root().join(name).join("src"))) {
        let code = code(&path);
        // Each message with the variant or the fields below it.
        for part in code.split("#[error(").skip(1) {
            let (message, below) = part.split_once(")]").unwrap_or((part, ""));
            let variant = below.split('}').next().unwrap_or_default();
            let carries =
                ["#[source]", "#[from]", " source:"].iter().any(|one| variant.contains(one));
            carrying += usize::from(carries);
            let names = ["{source", "{0", "source."].iter().any(|one| message.contains(one));
            if carries && names {
                shown.push(format!("{}: {}", path.display(), message.trim()));
            }
        }
    }
    assert!(carrying > 20, "the errors are read: {carrying}");
    assert!(shown.is_empty(), "show the source or carry it, never both: {shown:#?}");
}

/// Where a name of ours stands between the quotes of a statement, and why no value of anybody's can.
const NAMES: [(&str, &str); 9] = [
    ("recovery-queue/src/diesel/conn/own_session.rs", "{SETTING}"),
    ("recovery-queue/src/diesel/conn/transaction.rs", "{name}"), // settings of a fixed list
    ("recovery-queue/src/diesel/write/view_values.rs", "{"), // patterns that are written in the code
    ("recovery-queue/src/diesel/migrate/source.rs", "{"), // a checked identifier, versions and digests
    ("recovery-queue/src/diesel/read/facts.rs", "{reason}"),
    ("recovery-queue/src/diesel/read/key_format.rs", "{"), // blanks, and what a place is called
    ("examples/src/service/database.rs", "{name}"),        // `&'static str`
    ("examples/src/service/schema.rs", "{}"), // a digest, and an identifier whose quotes are doubled
    ("examples/src/service/map/columns.rs", "{pattern}"), // patterns that are written in the code
];

/// A value that is written between quotes ends the string where it holds a quote itself; values are bound.
#[test]
fn no_statement_is_built_from_values() {
    const WORDS: [&str; 9] = [
        "SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WHERE ", "VALUES ", "CASE ", "CREATE ",
        "COMMENT ",
    ];
    let mut known: BTreeSet<&(&str, &str)> = BTreeSet::new();
    for path in CRATES.iter().flat_map(|name| files(&root().join(name))) {
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        if name.contains("/tests/") || name.ends_with("tests.rs") || name.contains("/testing/") {
            continue;
        }
        let code = code(&path).replace("\\\"", "");
        // Every second part lies between double quotes.
        for literal in code.split('"').skip(1).step_by(2) {
            if !WORDS.iter().any(|word| literal.contains(word)) {
                continue;
            }
            for (at, _) in literal.match_indices("'{") {
                let placed = &literal[at + 1..];
                if placed.starts_with("{{") {
                    continue;
                }
                let allowed =
                    NAMES.iter().find(|(file, start)| *file == name && placed.starts_with(start));
                assert!(
                    allowed.is_some(),
                    "{name}: a value between quotes ({}); bind it",
                    &placed[..placed.len().min(30)]
                );
                known.extend(allowed);
            }
        }
        assert!(
            !code.contains("push_str(&format!(\"'"),
            "{name}: a quoted value is added; bind it"
        );
    }
    let stale: Vec<_> = NAMES.iter().filter(|one| !known.contains(one)).collect();
    assert!(stale.is_empty(), "these stand there no more: {stale:?}");
}

/// Cold statements of the queue are typed: where one is text, the architecture says why.
#[test]
fn statements_of_the_queue_are_text_only_where_the_architecture_says_so() {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, page) = page.split_once("#### Which statements are text").unwrap();
    let table = page.split("\n#").next().unwrap_or_default();
    let quoted = table.split('`').skip(1).step_by(2);
    let listed: BTreeSet<&str> =
        quoted.filter(|part| Path::new(part).extension().is_some()).collect();
    let base = root().join("recovery-queue/src/diesel");
    let has_statements = |path: &PathBuf| {
        const WORDS: [&str; 5] =
            ["SELECT ", "INSERT INTO ", "DELETE FROM ", "UPDATE {", "LOCK TABLE "];
        let code = code(path);
        let code = code.split("#[cfg(all(test").next().unwrap_or_default();
        let code = code.replace("\\\"", "").replace("'\"'", "");
        let mut literals = code.split('"').skip(1).step_by(2);
        literals.any(|literal| WORDS.iter().any(|word| literal.contains(word)))
    };
    let there: BTreeSet<String> = files(&base)
        .iter()
        .filter(|path| has_statements(path))
        .map(|path| path.strip_prefix(&base).unwrap().to_str().unwrap().to_owned())
        .collect();
    let there: BTreeSet<&str> = there.iter().map(String::as_str).collect();
    assert_eq!(there, listed, "type these, or say in ARCHITECTURE.md why they are text");
}
