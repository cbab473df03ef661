//! The arrows between the folders of the source run one way.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Adds the names that follow `crate::` in a text: one, or those at the first level of braces.
fn named(text: &str, found: &mut BTreeSet<String>) {
    for part in text.split("crate::").skip(1) {
        let word = |text: &str| {
            let end = text.find(|sign: char| !(sign.is_alphanumeric() || sign == '_'));
            text[..end.unwrap_or(text.len())].to_owned()
        };
        let Some(group) = part.strip_prefix('{') else {
            found.insert(word(part));
            continue;
        };
        let (mut depth, mut start) = (0_i32, true);
        for (at, sign) in group.char_indices() {
            match sign {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                _ if depth == 0 && start && !sign.is_whitespace() => {
                    found.insert(word(&group[at..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
}

/// Reads the arrows of one folder or file.
fn read(path: &Path, found: &mut BTreeSet<String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            read(&entry.unwrap().path(), found);
        }
        return;
    }
    let text = fs::read_to_string(path).unwrap();
    // Tests of a file may use anything.
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    named(&lines.collect::<Vec<_>>().join("\n"), found);
}

#[test]
fn no_folder_of_the_source_leads_back_to_itself() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name != "lib" {
            read(&path, arrows.entry(name).or_default());
        }
    }
    let folders: Vec<String> = arrows.keys().cloned().collect();
    for (name, to) in &mut arrows {
        to.retain(|other| other != name && folders.contains(other));
    }
    assert!(arrows["decide"].contains("index") && arrows["index"].contains("key"), "{arrows:?}");
    // Whatever leads nowhere is taken away, again and again.
    while let Some(last) = arrows.iter().find(|(_, to)| to.is_empty()).map(|(name, _)| name.clone())
    {
        arrows.remove(&last);
        for to in arrows.values_mut() {
            to.remove(&last);
        }
    }
    assert!(arrows.is_empty(), "these lead in a circle: {arrows:?}");
}
