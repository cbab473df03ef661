//! The files of the crate: none uses one that uses it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Each file by the path of its module, such as `diesel::write::seed`.
fn files(dir: &Path, module: &str, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let inner = if module.is_empty() { name.clone() } else { format!("{module}::{name}") };
        if path.is_dir() {
            files(&path, &inner, found);
        } else if name == "mod" {
            found.insert(module.to_owned(), std::fs::read_to_string(path).unwrap());
        } else {
            found.insert(inner, std::fs::read_to_string(path).unwrap());
        }
    }
}

/// The paths that a file names, from the root of the crate; without its tests and its comments.
fn paths(module: &str, text: &str) -> Vec<String> {
    let end = ["#[cfg(test)]", "#[cfg(all(test"].iter().filter_map(|mark| text.find(mark)).min();
    let code: Vec<&str> = text[..end.unwrap_or(text.len())]
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join(" ");
    let parent = module.rsplit_once("::").map_or("", |(parent, _)| parent);
    let mut found = Vec::new();
    for (word, root) in [("crate::", ""), ("super::", parent)] {
        for (at, _) in code.match_indices(word) {
            if code[..at]
                .ends_with(|before: char| before.is_alphanumeric() || ":_$".contains(before))
            {
                continue;
            }
            let rest = &code[at + word.len()..];
            let plain = rest
                .find(|c: char| !(c.is_alphanumeric() || "_:".contains(c)))
                .unwrap_or(rest.len());
            let (head, tail) = rest.split_at(plain);
            let list = tail.strip_prefix('{').and_then(|list| list.split_once([';', '}']));
            let names = list.map_or("", |(list, _)| list).split(',');
            for name in names {
                let path = format!("{head}{}", name.trim().split(' ').next().unwrap_or_default());
                found.push(if root.is_empty() { path } else { format!("{root}::{path}") });
            }
        }
    }
    found
}

#[test]
fn no_file_uses_one_that_uses_it() {
    let mut texts = BTreeMap::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut texts);
    // What a user names lies at the root, and the suites for users name it as they do.
    texts.retain(|module, _| module != "lib" && !module.starts_with("testing"));
    let file_of = |path: &str| {
        let mut path = path.trim_end_matches(':');
        while !texts.contains_key(path) {
            path = path.rsplit_once("::")?.0;
        }
        Some(path.to_owned())
    };
    let mut uses: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (module, text) in &texts {
        let named = paths(module, text);
        let others = named.iter().filter_map(|path| file_of(path)).filter(|file| file != module);
        uses.insert(module, others.collect());
    }
    assert!(uses["diesel::store"].contains("diesel::borrowed"), "the paths are read: {uses:?}");
    assert!(uses["worker::leased"].contains("worker::isolate"), "those of `super`, too: {uses:?}");
    // Whatever uses none of the rest is taken away, until nothing is left but circles.
    while let Some(leaf) = uses
        .iter()
        .find(|(_, others)| others.iter().all(|file| !uses.contains_key(file.as_str())))
        .map(|(file, _)| *file)
    {
        uses.remove(leaf);
    }
    let left: Vec<_> = uses.keys().collect();
    assert!(uses.is_empty(), "these stand in circles, or use what does: {left:?}");
}
