//! Files of a crate use each other in one direction: none uses itself by way of others.
//!
//! A file uses the one that *defines* what it names, also where a module hands the name on (`pub use`). That a module
//! declares its parts and hands on what they define is no use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, File, Item, UseTree, Visibility};

/// The path of a module from the crate's root.
type Module = Vec<String>;

/// What one module says.
#[derive(Default)]
struct Said {
    file: PathBuf,
    /// What it defines.
    defined: BTreeSet<String>,
    /// Names that it brings in, each with its path; those that it hands on are no use of its own.
    brought: BTreeMap<String, Vec<String>>,
    /// Modules of which it brings in everything.
    whole: Vec<Vec<String>>,
    /// Every path that it uses.
    used: Vec<Vec<String>>,
}

struct Crate {
    modules: BTreeMap<Module, Said>,
}

fn for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        let tokens = attribute.meta.require_list().map(|list| list.tokens.to_string());
        path.is_ident("test") || path.is_ident("cfg") && tokens.is_ok_and(|said| said == "test")
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The name that an item defines.
fn name(item: &Item) -> Option<String> {
    Some(match item {
        Item::Const(item) => item.ident.to_string(),
        Item::Enum(item) => item.ident.to_string(),
        Item::Fn(item) => item.sig.ident.to_string(),
        Item::Macro(item) => item.ident.as_ref()?.to_string(),
        Item::Static(item) => item.ident.to_string(),
        Item::Struct(item) => item.ident.to_string(),
        Item::Trait(item) => item.ident.to_string(),
        Item::Type(item) => item.ident.to_string(),
        _ => return None,
    })
}

/// Goes through a tree of `use` and gives each path with the name that it has from there on.
fn brought(
    tree: &UseTree,
    before: &mut Vec<String>,
    each: &mut impl FnMut(Vec<String>, Option<String>),
) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            brought(&path.tree, before, each);
            before.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| brought(tree, before, each)),
        UseTree::Glob(_) => each(before.clone(), None),
        UseTree::Name(name) if name.ident == "self" => each(before.clone(), before.last().cloned()),
        UseTree::Name(name) => {
            let name = name.ident.to_string();
            each([before.as_slice(), std::slice::from_ref(&name)].concat(), Some(name));
        }
        UseTree::Rename(renamed) => {
            let mut path = before.clone();
            if renamed.ident != "self" {
                path.push(renamed.ident.to_string());
            }
            each(path, Some(renamed.rename.to_string()));
        }
    }
}

/// Every path of some code: names joined by `::`, and names alone.
fn paths(code: TokenStream, found: &mut Vec<Vec<String>>) {
    let mut path: Vec<String> = Vec::new();
    let mut colons = 0;
    for token in code {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
            TokenTree::Ident(ident) => {
                if colons != 2 {
                    found.push(std::mem::take(&mut path));
                }
                path.push(ident.to_string());
                colons = 0;
            }
            other => {
                found.push(std::mem::take(&mut path));
                colons = 0;
                if let TokenTree::Group(group) = other {
                    paths(group.stream(), found);
                }
            }
        }
    }
    found.push(path);
}

impl Crate {
    fn read(source: &Path) -> Self {
        let mut read = Self { modules: BTreeMap::new() };
        let mut folders = vec![source.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("a folder of the crate") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "rs") {
                    let below = path.strip_prefix(source).expect("below it").with_extension("");
                    let mut module: Module =
                        below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
                    if module.last().is_some_and(|last| last == "mod") || module == ["lib"] {
                        module.pop();
                    }
                    let text = std::fs::read_to_string(&path).expect("a source file");
                    let file = syn::parse_file(&text).expect("it is compiled, so it is Rust");
                    read.add(&module, &path, file);
                }
            }
        }
        read
    }

    fn add(&mut self, module: &Module, path: &Path, file: File) {
        self.add_items(module, path, file.items);
    }

    fn add_items(&mut self, module: &Module, path: &Path, items: Vec<Item>) {
        let mut said = Said { file: path.to_path_buf(), ..Said::default() };
        for item in items {
            if for_tests(attributes(&item)) {
                continue;
            }
            said.defined.extend(name(&item));
            match item {
                Item::Use(item) => {
                    let handed_on = !matches!(item.vis, Visibility::Inherited);
                    brought(&item.tree, &mut Vec::new(), &mut |path, name| {
                        if !handed_on {
                            said.used.push(path.clone());
                        }
                        match name {
                            Some(name) => drop(said.brought.insert(name, path)),
                            None => said.whole.push(path),
                        }
                    });
                }
                Item::Mod(item) => {
                    if let Some((_, items)) = item.content {
                        let inner = [module.as_slice(), &[item.ident.to_string()]].concat();
                        self.add_items(&inner, path, items);
                    }
                }
                item => paths(quote::ToTokens::to_token_stream(&item), &mut said.used),
            }
        }
        self.modules.insert(module.clone(), said);
    }

    /// The module that defines what a path names, as seen from a module.
    fn defines(&self, from: &Module, path: &[String], depth: usize) -> Option<Module> {
        let (first, mut rest) = path.split_first().filter(|_| depth < 20)?;
        let said = self.modules.get(from)?;
        let mut at = match first.as_str() {
            "crate" => Module::new(),
            "self" => from.clone(),
            "super" => {
                let mut above = from.clone();
                above.pop()?;
                while let Some((_, further)) =
                    rest.split_first().filter(|(next, _)| *next == "super")
                {
                    above.pop()?;
                    rest = further;
                }
                above
            }
            name => {
                if self
                    .modules
                    .contains_key(&[from.as_slice(), std::slice::from_ref(first)].concat())
                {
                    rest = path;
                    from.clone()
                } else {
                    let brought = said.brought.get(name).filter(|path| path[0] != name)?;
                    let whole = [brought.as_slice(), rest].concat();
                    return self.defines(from, &whole, depth + 1);
                }
            }
        };
        while let Some((next, further)) = rest.split_first() {
            let below = [at.as_slice(), std::slice::from_ref(next)].concat();
            if self.modules.contains_key(&below) {
                (at, rest) = (below, further);
                continue;
            }
            let said = self.modules.get(&at)?;
            if said.defined.contains(next) {
                return Some(at);
            }
            if let Some(brought) = said.brought.get(next) {
                return self.defines(&at, brought, depth + 1);
            }
            let whole = said.whole.iter().find_map(|whole| {
                let path = [whole.as_slice(), std::slice::from_ref(next)].concat();
                self.defines(&at, &path, depth + 1).filter(|module| {
                    self.modules.get(module).is_some_and(|said| said.defined.contains(next))
                })
            });
            return whole.or(Some(at));
        }
        // A module alone, as in `pub(in crate::index)`: what is used of it stands in a longer path.
        None
    }

    /// Which files each file uses, each with one path that shows it.
    fn uses(&self) -> BTreeMap<&Path, BTreeMap<&Path, String>> {
        let mut uses: BTreeMap<&Path, BTreeMap<&Path, String>> = BTreeMap::new();
        for (module, said) in &self.modules {
            let file = uses.entry(said.file.as_path()).or_default();
            // A name alone is a use where it was brought in; else it is a variable or something of the module's own.
            let means = |path: &&Vec<String>| {
                path.len() > 1 || path.first().is_some_and(|name| said.brought.contains_key(name))
            };
            for path in said.used.iter().filter(means) {
                let Some(target) = self.defines(module, path, 0) else { continue };
                let Some(target) = self.modules.get(&target) else { continue };
                if target.file != said.file {
                    file.entry(target.file.as_path()).or_insert_with(|| path.join("::"));
                }
            }
        }
        uses
    }
}

/// Every file that can be reached from one.
fn reached<'a>(
    uses: &BTreeMap<&'a Path, BTreeMap<&'a Path, String>>,
    from: &'a Path,
) -> BTreeSet<&'a Path> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&Path> = uses[from].keys().copied().collect();
    while let Some(file) = next.pop() {
        if reached.insert(file) {
            next.extend(uses[file].keys().copied());
        }
    }
    reached
}

/// A circle of a crate: its files, and the uses among them in words.
type Circle = (BTreeSet<String>, String);

fn circles(source: &Path) -> Vec<Circle> {
    let read = Crate::read(source);
    let uses = read.uses();
    let reach: BTreeMap<&Path, BTreeSet<&Path>> =
        uses.keys().map(|file| (*file, reached(&uses, file))).collect();
    let shown = |file: &Path| file.strip_prefix(source).unwrap_or(file).display().to_string();
    let mut told = Vec::new();
    let mut seen = BTreeSet::new();
    for (file, all) in &reach {
        if !all.contains(file) || !seen.insert(*file) {
            continue;
        }
        let circle: BTreeSet<&Path> =
            all.iter().copied().filter(|other| reach[other].contains(file)).collect();
        seen.extend(&circle);
        let lines = circle.iter().flat_map(|from| {
            let within = uses[from].iter().filter(|(to, _)| circle.contains(*to));
            within.map(|(to, by)| format!("  {} uses {} ({by})", shown(from), shown(to)))
        });
        let lines = lines.collect::<Vec<_>>().join("\n");
        told.push((circle.iter().map(|file| shown(file)).collect(), lines));
    }
    told
}

#[test]
fn no_file_uses_itself_by_way_of_others() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member has a workspace");
    let crates = [
        "kpi-gap-queue",
        "raw-packets",
        "identity-matching",
        "recovery-queue",
        "guardrails",
        "examples",
    ];
    let mut told = Vec::new();
    for name in crates {
        let source = root.join(name).join("src");
        assert!(Crate::read(&source).modules.len() > 10, "{name} was not read");
        told.extend(circles(&source).into_iter().map(|(_, uses)| format!("{name}:\n{uses}")));
    }
    assert!(
        told.is_empty(),
        "move what both sides need into a file of its own:\n{}",
        told.join("\n")
    );
}

#[test]
fn a_circle_is_found_also_where_a_module_hands_the_name_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        std::fs::write(path, text).expect("it can be written");
    };
    write("lib.rs", "mod a; mod b; pub use b::B;");
    write("a.rs", "pub struct A; fn f(_: crate::B) {}");
    write("b.rs", "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }");
    assert!(circles(folder.path()).is_empty());
    write("b.rs", "pub struct B; macro_rules! m { () => {} } m! { crate::a::A }");
    let found = circles(folder.path());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].1, "  a.rs uses b.rs (crate::B)\n  b.rs uses a.rs (crate::a::A)");
}
