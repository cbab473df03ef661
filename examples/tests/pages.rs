//! The pages of the project: whatever they point at is there.

use std::path::{Path, PathBuf};

/// Every page of the project, without what builds and other programs have left.
fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() && !name.starts_with('.') && !["target", "node_modules"].contains(&&*name)
        {
            pages(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "md") {
            found.push(path);
        }
    }
}

/// The text of a page outside its blocks of code, which have brackets of their own.
fn prose(page: &str) -> String {
    page.split("```").step_by(2).collect()
}

/// The targets of the links and pictures in a page: files of the project, or headings of the page.
fn targets(page: &str) -> Vec<String> {
    let prose = prose(page);
    let links = prose.split("](").skip(1).filter_map(|rest| rest.split([')', ' ', '\n']).next());
    // The others are addresses, and items of a crate, which rustdoc resolves.
    let here = |link: &&str| {
        !link.contains("://") && !link.contains("::") && link.contains(['.', '/', '#'])
    };
    links.filter(here).map(str::to_owned).collect()
}

/// What a heading is called in a link, as GitHub makes it.
fn anchors(page: &str) -> Vec<String> {
    let headings = prose(page);
    let headings = headings.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| -> String {
        let text = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        text.chars().filter(|c| c.is_alphanumeric() || ['-', '_'].contains(c)).collect()
    };
    headings.map(anchor).collect()
}

/// Says which links of a page lead nowhere.
fn broken(path: &Path, page: &str) -> Vec<String> {
    let leads_somewhere = |link: &String| {
        let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
        let target = path.parent().expect("a page lies in a folder").join(file);
        let target = if file.is_empty() { path.to_owned() } else { target };
        let has = |anchor: &str| {
            let there = std::fs::read_to_string(&target).unwrap_or_default();
            anchor.is_empty() || anchors(&there).iter().any(|one| one == anchor)
        };
        target.exists() && has(anchor)
    };
    let links = targets(page).into_iter().filter(|link| !leads_somewhere(link));
    links.map(|link| format!("{}: {link}", path.display())).collect()
}

#[test]
fn every_link_within_the_project_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member has a workspace");
    let mut found = Vec::new();
    pages(root, &mut found);
    assert!(found.len() >= 20, "the pages were not found: {found:?}");
    let read = |path: &PathBuf| std::fs::read_to_string(path).expect("a page");
    assert!(found.iter().map(|path| targets(&read(path)).len()).sum::<usize>() > 30);
    let broken: Vec<_> = found.iter().flat_map(|path| broken(path, &read(path))).collect();
    assert!(broken.is_empty(), "these links lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn a_link_to_a_missing_file_or_heading_is_found() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = "# A heading, and more\n[a](#a-heading-and-more) [b](Cargo.toml) [c](Suite::new) [d](https://a.example/x)\n\
         ```\n[e](gone.md)\n```\n![f](gone.svg) [g](#gone)";
    let told = broken(&root.join("page.md"), page);
    let links: Vec<_> = told.iter().filter_map(|line| line.split(": ").last()).collect();
    // The heading is looked for in the page as it lies on the disk, where there is none.
    assert_eq!(links, ["#a-heading-and-more", "gone.svg", "#gone"]);
    assert_eq!(anchors(page), ["a-heading-and-more"]);
}
