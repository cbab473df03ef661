//! What the parts of an `.xlsx` say of a sheet beside its cells: hidden rows, comments and what-if tables
//! (ECMA-376, part 1, `SpreadsheetML`).

use std::collections::{BTreeSet, HashMap};
use std::io::{Cursor, Read as _};

use quick_xml::events::{BytesStart, Event};

use super::AUTHOR;

type Archive<'b> = zip::ZipArchive<Cursor<&'b [u8]>>;

/// What stands in a sheet beside the values of its cells.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// The rows that are hidden or filtered out, counted from 1.
    pub(super) hidden: BTreeSet<u64>,
    /// The cells that a what-if table computes, as `G2`.
    pub(super) computed: BTreeSet<String>,
    /// The comments of people: cell and text.
    pub(super) comments: Vec<(String, String)>,
}

/// Reads what stands beside the cells of a sheet; nothing where the parts are not as they should be, for
/// the cells themselves are read by another parser, which says what is wrong with them.
pub(super) fn beside(bytes: &[u8], sheet: &str) -> Beside {
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else {
        return Beside::default();
    };
    find(&mut archive, sheet).unwrap_or_default()
}

fn find(archive: &mut Archive<'_>, sheet: &str) -> Option<Beside> {
    let path = sheet_path(archive, sheet)?;
    let mut beside = Beside::default();
    rows(&part(archive, &path)?, &mut beside);
    let (folder, name) = path.rsplit_once('/')?;
    let relations = part(archive, &format!("{folder}/_rels/{name}.rels")).unwrap_or_default();
    for (_, kind, target) in relationships(&relations) {
        if kind.ends_with("/comments")
            && let Some(xml) = part(archive, &resolved(folder, &target))
        {
            comments(&xml, &mut beside);
        }
    }
    Some(beside)
}

fn part(archive: &mut Archive<'_>, path: &str) -> Option<String> {
    let mut text = String::new();
    archive.by_name(path).ok()?.read_to_string(&mut text).ok()?;
    Some(text)
}

/// Returns a target as a path within the archive.
fn resolved(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut path: Vec<&str> = folder.split('/').collect();
    for step in target.split('/') {
        match step {
            ".." => drop(path.pop()),
            "." => {}
            step => path.push(step),
        }
    }
    path.join("/")
}

fn sheet_path(archive: &mut Archive<'_>, name: &str) -> Option<String> {
    let workbook = part(archive, "xl/workbook.xml")?;
    let mut id = None;
    each(&workbook, |event| {
        if let Event::Start(tag) | Event::Empty(tag) = event
            && tag.local_name().as_ref() == "sheet"
            && attribute(tag, "name").as_deref() == Some(name)
        {
            id = attribute(tag, "id");
        }
    });
    let id = id?;
    let relations: HashMap<String, String> =
        relationships(&part(archive, "xl/_rels/workbook.xml.rels")?)
            .into_iter()
            .map(|(id, _, target)| (id, target))
            .collect();
    Some(resolved("xl", relations.get(&id)?))
}

/// Returns id, kind and target of each relation.
fn relationships(xml: &str) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    each(xml, |event| {
        if let Event::Start(tag) | Event::Empty(tag) = event
            && let (Some(id), Some(kind), Some(target)) =
                (attribute(tag, "Id"), attribute(tag, "Type"), attribute(tag, "Target"))
        {
            found.push((id, kind, target));
        }
    });
    found
}

fn rows(xml: &str, beside: &mut Beside) {
    let mut cell = String::new();
    each(xml, |event| {
        let (Event::Start(tag) | Event::Empty(tag)) = event else { return };
        match tag.local_name().as_ref() {
            "row"
                if attribute(tag, "hidden")
                    .is_some_and(|value| value == "1" || value == "true") =>
            {
                beside.hidden.extend(attribute(tag, "r").and_then(|row| row.parse::<u64>().ok()));
            }
            "c" => cell = attribute(tag, "r").unwrap_or_default(),
            "f" if attribute(tag, "t").as_deref() == Some("dataTable") => {
                beside.computed.insert(cell.clone());
            }
            _ => {}
        }
    });
}

fn comments(xml: &str, beside: &mut Beside) {
    let mut authors: Vec<String> = Vec::new();
    let mut says: Option<(String, String)> = None;
    let mut text: Option<String> = None;
    each(xml, |event| match event {
        Event::Start(tag) => match tag.local_name().as_ref() {
            "author" | "t" => text = Some(String::new()),
            "comment" => {
                let author = attribute(tag, "authorId").and_then(|at| at.parse::<usize>().ok());
                let ours = author.and_then(|at| authors.get(at)).is_some_and(|name| name == AUTHOR);
                says = attribute(tag, "ref").filter(|_| !ours).map(|cell| (cell, String::new()));
            }
            _ => {}
        },
        Event::Empty(tag) if tag.local_name().as_ref() == "author" => authors.push(String::new()),
        Event::Text(part) => {
            if let Some(text) = &mut text {
                text.push_str(&part.xml10_content());
            }
        }
        Event::GeneralRef(entity) => {
            if let Some(text) = &mut text {
                let named = match &*entity.xml10_content() {
                    "amp" => Some('&'),
                    "lt" => Some('<'),
                    "gt" => Some('>'),
                    "quot" => Some('"'),
                    "apos" => Some('\''),
                    _ => None,
                };
                text.extend(named.or_else(|| entity.resolve_char_ref().ok().flatten()));
            }
        }
        Event::End(tag) => match tag.local_name().as_ref() {
            "author" => authors.extend(text.take()),
            "t" => {
                if let (Some((_, says)), Some(text)) = (&mut says, text.take()) {
                    says.push_str(&text);
                }
            }
            "comment" => beside.comments.extend(says.take()),
            _ => {}
        },
        _ => {}
    });
}

/// Gives every event of a text of XML, until it ends or breaks.
fn each(xml: &str, mut take: impl FnMut(&Event<'_>)) {
    let mut reader = quick_xml::Reader::from_str(xml);
    while let Ok(event) = reader.read_event() {
        if matches!(event, Event::Eof) {
            break;
        }
        take(&event);
    }
}

/// Returns an attribute by its name without a prefix.
fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut found =
        tag.attributes().flatten().filter(|attribute| attribute.key.local_name().as_ref() == name);
    let value = found.next()?.value;
    quick_xml::escape::unescape(&value).ok().map(std::borrow::Cow::into_owned)
}
