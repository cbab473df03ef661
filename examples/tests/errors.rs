//! An error either carries the error behind it as its source or shows it in its own words: never both, never neither.

use std::path::Path;

use quote::ToTokens as _;
use syn::{Attribute, Fields, Item};

use crate::house::{FOLDERS, sources};

fn is_named(attribute: &Attribute, name: &str) -> bool {
    attribute.path().is_ident(name)
}

fn derives_error(attributes: &[Attribute]) -> bool {
    attributes.iter().filter(|attribute| is_named(attribute, "derive")).any(|attribute| {
        let derived = attribute.meta.to_token_stream().to_string();
        derived.split([',', '(', ')', ' ']).any(|name| name == "Error")
    })
}

/// Looks at what one variant, or a struct, says and holds; gives what is wrong, and whether it has a source.
fn look(place: &str, attributes: &[Attribute], fields: &Fields, wrong: &mut Vec<String>) -> bool {
    let said = attributes.iter().find(|attribute| is_named(attribute, "error"));
    let said = said.map(|attribute| attribute.meta.to_token_stream().to_string());
    let Some(said) = said.filter(|said| !said.contains("transparent")) else { return false };
    let mut carries = false;
    for (at, field) in fields.iter().enumerate() {
        let name = field.ident.as_ref().map_or_else(|| at.to_string(), ToString::to_string);
        let is_source = name == "source"
            || field.attrs.iter().any(|own| is_named(own, "source") || is_named(own, "from"));
        let of = field.ty.to_token_stream().to_string();
        let is_error = is_source || of.split([' ', '>']).any(|word| word.ends_with("Error"));
        let is_shown = [format!("{{{name}}}"), format!("{{{name}:"), format!(". {name}")];
        let is_shown = is_shown.iter().any(|form| said.contains(form.as_str()));
        carries |= is_source;
        if is_source && is_shown {
            wrong.push(format!("{place} carries `{name}` as its source and shows it, too"));
        } else if is_error && !is_source && !is_shown {
            wrong.push(format!("{place} neither carries `{name}` as its source nor shows it"));
        }
    }
    carries
}

#[test]
fn an_error_carries_the_one_behind_it_or_shows_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member has a workspace");
    let (mut wrong, mut errors, mut carrying) = (Vec::new(), 0, 0);
    for path in FOLDERS.iter().flat_map(|folder| sources(&root.join(folder).join("src"))) {
        let text = std::fs::read_to_string(&path).expect("a source file");
        let file = syn::parse_file(&text).expect("it is compiled, so it is Rust");
        let place = path.strip_prefix(root).expect("below it").display();
        for item in &file.items {
            match item {
                Item::Enum(item) if derives_error(&item.attrs) => {
                    errors += 1;
                    for variant in &item.variants {
                        let place = format!("{place}: {}::{}", item.ident, variant.ident);
                        let carries = look(&place, &variant.attrs, &variant.fields, &mut wrong);
                        carrying += usize::from(carries);
                    }
                }
                Item::Struct(item) if derives_error(&item.attrs) => {
                    errors += 1;
                    let place = format!("{place}: {}", item.ident);
                    carrying += usize::from(look(&place, &item.attrs, &item.fields, &mut wrong));
                }
                _ => {}
            }
        }
    }
    assert!(errors > 30 && carrying > 10, "{errors} errors, {carrying} with a source");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
