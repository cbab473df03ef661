//! What the parts of an `.xlsx` say of a sheet beside its cells: hidden rows, comments, what-if tables and
//! percentages (ECMA-376, part 1, `SpreadsheetML`).

use std::collections::{BTreeSet, HashMap};
use std::io::Cursor;

use quick_xml::events::Event;

use super::AUTHOR;
use super::beside::{Beside, part};
use super::xml::{add_text, attribute, each};

type Archive<'b> = zip::ZipArchive<Cursor<&'b [u8]>>;

/// Reads what stands beside the cells of a sheet; nothing where the parts are not as they should be, for
/// the cells themselves are read by another parser, which says what is wrong with them.
pub(super) fn beside(bytes: &[u8], sheet: &str) -> Beside {
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else {
        return Beside::default();
    };
    find(&mut archive, sheet).unwrap_or_default()
}

fn find(archive: &mut Archive<'_>, sheet: &str) -> Option<Beside> {
    let relations = relationships(&part(archive, "xl/_rels/workbook.xml.rels")?);
    let path = sheet_path(archive, sheet, &relations)?;
    let styles = relations.iter().find(|(_, kind, _)| kind.ends_with("/styles"));
    let styles = styles.and_then(|(_, _, target)| part(archive, &resolved("xl", target)));
    let percentages = styles.map(|xml| percentages(&xml)).unwrap_or_default();
    let mut beside = Beside::default();
    rows(&part(archive, &path)?, &percentages, &mut beside);
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

fn sheet_path(
    archive: &mut Archive<'_>,
    name: &str,
    relations: &[(String, String, String)],
) -> Option<String> {
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
    let (_, _, target) = relations.iter().find(|(of, ..)| *of == id)?;
    Some(resolved("xl", target))
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

/// Finds the styles of cells that show their number as a percentage, by their places.
fn percentages(xml: &str) -> BTreeSet<usize> {
    let mut formats: HashMap<String, bool> =
        ["9", "10"].into_iter().map(|id| (id.to_owned(), true)).collect();
    let mut found = BTreeSet::new();
    let mut place = None;
    each(xml, |event| match event {
        Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
            "numFmt" => {
                if let (Some(id), Some(code)) =
                    (attribute(tag, "numFmtId"), attribute(tag, "formatCode"))
                {
                    formats.insert(id, is_percentage(&code));
                }
            }
            "cellXfs" => place = Some(0),
            "xf" => {
                if let Some(at) = &mut place {
                    let format = attribute(tag, "numFmtId").unwrap_or_default();
                    if formats.get(&format) == Some(&true) {
                        found.insert(*at);
                    }
                    *at += 1;
                }
            }
            _ => {}
        },
        Event::End(tag) if tag.local_name().as_ref() == "cellXfs" => place = None,
        _ => {}
    });
    found
}

/// Says whether a format of numbers has a percent sign that is none of its texts.
fn is_percentage(code: &str) -> bool {
    let mut letters = code.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '%' => return true,
            '"' => drop(letters.by_ref().find(|c| *c == '"')),
            '[' => drop(letters.by_ref().find(|c| *c == ']')),
            // The next letter is shown as it is, or as wide a blank, or fills the cell.
            '\\' | '_' | '*' => drop(letters.next()),
            _ => {}
        }
    }
    false
}

fn rows(xml: &str, percentages: &BTreeSet<usize>, beside: &mut Beside) {
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
            "c" => {
                cell = attribute(tag, "r").unwrap_or_default();
                let style = attribute(tag, "s").and_then(|style| style.parse().ok());
                if style.is_some_and(|style| percentages.contains(&style)) {
                    beside.percentages.insert(cell.clone());
                }
            }
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
        Event::Text(_) | Event::GeneralRef(_) => {
            if let Some(text) = &mut text {
                add_text(event, text);
            }
        }
        Event::End(tag) => match tag.local_name().as_ref() {
            "author" => authors.extend(text.take()),
            "t" => {
                if let (Some((_, says)), Some(text)) = (&mut says, text.take()) {
                    says.push_str(&text);
                }
            }
            "comment" => {
                let written = says.take().map(|(cell, says)| (cell, written(&says).to_owned()));
                beside.comments.extend(written);
            }
            _ => {}
        },
        _ => {}
    });
}

/// Returns what a person wrote in a thread of comments, of which programs that know no threads show an
/// explanation with a link first.
fn written(comment: &str) -> &str {
    let behind = comment.split_once("go.microsoft.com/fwlink/").map(|(_, behind)| behind);
    behind.and_then(|behind| behind.split_once(':')).map_or(comment, |(_, written)| written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_a_percentage_where_its_sign_is_no_text() {
        for code in ["0%", "0.00%", "#,##0.0%;[Red]-#,##0.0%", "0\\ %", "[$-C0A]0,0%"] {
            assert!(is_percentage(code), "{code}");
        }
        for code in ["0.0\"%\"", "0\\%", "0_%", "#,##0.0", "[%]0", "0.0\" of 100 %\""] {
            assert!(!is_percentage(code), "{code}");
        }
    }

    #[test]
    fn of_a_thread_of_comments_what_the_person_wrote_is_told() {
        let thread = "[Threaded comment]\n\nYour version of Excel allows you to read this threaded comment; \
                      Learn more: https://go.microsoft.com/fwlink/?linkid=870924\n\nComment:\n    dato: provisional";
        assert_eq!(written(thread).trim(), "dato: provisional");
        assert_eq!(written("nota: provisional"), "nota: provisional");
    }
}
