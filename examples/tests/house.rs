//! The invariants of the house that the compiler does not hold by itself.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::runner::{run, runner};

/// The folders of the libraries.
pub(crate) const FOLDERS: [&str; 5] =
    ["guardrails", "identity-matching", "kpi-gap-queue", "raw-packets", "recovery-queue"];

const LIBRARIES: [&str; 5] =
    ["identity-matching", "kpi-gap-queue", "kpi-guardrails", "raw-packets", "recovery-queue"];

/// What may stand in no library's default features but `recovery-queue`'s: the database, its C library.
const DATABASE: [&str; 4] = ["diesel", "diesel_migrations", "libsqlite3-sys", "pq-sys"];

/// Returns the names of all packages that a library pulls in with its default features.
fn dependencies(library: &str) -> BTreeSet<String> {
    tree(library, &[])
        .lines()
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}

/// Lists the packages that a library pulls in, each with its version and features.
fn tree(library: &str, flags: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member has a workspace");
    let tree = Command::new(env!("CARGO"))
        .current_dir(root)
        .args(["tree", "--locked", "--edges", "normal,build", "--prefix", "none"])
        .args(["--format", "{p} {f}", "--package", library])
        .args(flags)
        .output()
        .expect("cargo, which built this test, starts");
    let said = String::from_utf8_lossy(&tree.stderr);
    assert!(tree.status.success(), "cargo tree fails for {library}: {said}");
    String::from_utf8(tree.stdout).expect("cargo writes UTF-8")
}

#[test]
fn no_library_depends_on_a_sibling_by_default() {
    for library in LIBRARIES {
        let pulled = dependencies(library);
        assert!(pulled.contains(library), "the tree of {library} was not read: {pulled:?}");
        for sibling in LIBRARIES.iter().filter(|sibling| **sibling != library) {
            assert!(!pulled.contains(*sibling), "{library} depends on {sibling} by default");
        }
    }
}

#[test]
fn only_the_recovery_queue_pulls_in_a_database_and_nobody_pulls_in_tokio() {
    for library in LIBRARIES {
        let pulled = dependencies(library);
        assert_eq!(pulled.contains("diesel"), library == "recovery-queue", "{library}");
        assert!(!pulled.contains("tokio"), "{library} pulls in tokio by default");
        for part in DATABASE.iter().filter(|_| library != "recovery-queue") {
            assert!(!pulled.contains(*part), "{library} pulls in {part} by default");
        }
    }
}

/// Which libpq and which SQLite are linked is the application's choice: features unify over a whole program, so a
/// library that compiled one in without TLS would take TLS away from everybody.
#[test]
fn a_backend_links_nothing_unless_it_is_asked_for_compiled_in() {
    let compiled_in = |features: &str| {
        let listed = tree("recovery-queue", &["--no-default-features", "--features", features]);
        let line = |package: &str| listed.lines().find(|line| line.starts_with(package));
        let sqlite = line("libsqlite3-sys ").is_some_and(|line| line.contains("bundled,"));
        (sqlite, line("pq-src ").map(|line| line.contains("with-openssl")))
    };
    assert_eq!(compiled_in("postgres,sqlite"), (false, None));
    assert_eq!(compiled_in("postgres,sqlite-bundled"), (true, None));
    assert_eq!(compiled_in("postgres-bundled,sqlite"), (false, Some(false)));
    assert_eq!(compiled_in("postgres-bundled-tls"), (false, Some(true)));
    assert_eq!(compiled_in("default"), (true, None));
}

/// Whoever brings another database implements the core alone, in a file that is read in one sitting.
#[test]
fn a_store_of_ones_own_passes_the_core_in_under_200_lines() {
    let source = include_str!("../own_store.rs");
    assert!(source.lines().count() < 200, "{} lines", source.lines().count());
    let run = run(&mut runner("own_store"));
    assert_eq!(run.code, 0, "the suite finds fault: {}", run.stderr);
}

/// What stands in the table of runners for one: the first paragraph of its help, in one line.
fn row_of(name: &str) -> String {
    let help = run(runner(name).arg("--help"));
    assert_eq!(help.code, 0, "{name}: {}", help.stderr);
    let first = help.stdout.split("\n\n").next().expect("a help says what the runner does");
    let words: Vec<_> = first.split_whitespace().collect();
    format!("| `{name}` | {} |", words.join(" ").replace('|', "\\|"))
}

#[test]
fn the_readmes_table_of_runners_is_what_their_help_says() {
    let manifest = include_str!("../Cargo.toml");
    let names = manifest.split("[[example]]\nname = \"").skip(1);
    let names = names.filter_map(|example| example.split('"').next());
    // A store of one's own takes no flags.
    let rows: Vec<_> = names.filter(|name| *name != "own_store").map(row_of).collect();
    let readme = include_str!("../../README.md");
    let missing: Vec<_> = rows.iter().filter(|row| !readme.contains(row.as_str())).collect();
    assert!(missing.is_empty(), "put these rows into the README's table:\n{missing:#?}");
}

/// Every source file below a folder of the workspace.
pub(crate) fn sources(below: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![below.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the workspace") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_threat_model_names_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member has a workspace");
    let folders = FOLDERS.into_iter().chain(["examples"]);
    let code: String = folders
        .flat_map(|folder| sources(&root.join(folder)))
        .map(|path| std::fs::read_to_string(path).expect("a source file"))
        .collect();
    let page = include_str!("../docs/threat-model.md");
    let names: Vec<_> =
        page.split('`').skip(1).step_by(2).filter(|name| name.contains("::")).collect();
    assert!(names.len() > 30, "the page names its tests: {names:?}");
    let gone: Vec<_> = names
        .iter()
        .filter(|name| !code.contains(&format!("fn {}(", name.rsplit("::").next().unwrap_or(name))))
        .collect();
    assert!(gone.is_empty(), "no test is called so: {gone:#?}");
}
