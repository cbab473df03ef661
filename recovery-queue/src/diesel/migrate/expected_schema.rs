//! The shape of the tables and views that drift checks and `stamp` compare a database with: what the migrations of a
//! backend say that they make.
//!
//! The scripts are ours, so the few forms that they use are all that is read. A test compares the shape with what each
//! backend really makes of them.

use std::collections::{BTreeMap, BTreeSet};

/// Tables and views, each with its columns.
pub(crate) type Shape = BTreeMap<String, BTreeSet<String>>;

/// Words that begin a constraint of a table, and no column.
const CONSTRAINTS: [&str; 5] = ["CHECK", "CONSTRAINT", "FOREIGN", "PRIMARY", "UNIQUE"];

/// Reads what scripts make, one after the other.
pub(crate) fn shape<'a>(scripts: impl IntoIterator<Item = &'a str>) -> Shape {
    let mut shape = Shape::new();
    for script in scripts {
        let bare: Vec<&str> =
            script.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
        for statement in split(&bare.join("\n"), ';') {
            read(&statement, &mut shape);
        }
    }
    shape
}

fn read(statement: &str, shape: &mut Shape) {
    let words: Vec<&str> = statement.split_whitespace().collect();
    let name =
        |word: &str| word.trim_start_matches("{ns}").trim_matches(['(', ',', ';']).to_owned();
    match words[..] {
        ["CREATE", "TABLE", table, ..] => {
            let body = statement.split_once('(').map_or("", |(_, body)| body);
            let body = body.rsplit_once(')').map_or(body, |(body, _)| body);
            let columns = split(body, ',')
                .into_iter()
                .filter_map(|part| part.split_whitespace().next().map(str::to_owned))
                .filter(|first| !CONSTRAINTS.iter().any(|word| first.starts_with(word)));
            shape.insert(name(table), columns.collect());
        }
        ["CREATE", "VIEW", view, "AS", ..]
        | ["CREATE", "OR", "REPLACE", "VIEW", view, "AS", ..] => {
            let list = statement.split_once("SELECT").map_or("", |(_, list)| list);
            let list = split(list, ',').into_iter().map(|item| {
                // The list ends where the first part that is not nested names a table.
                match split_word(&item, "FROM") {
                    Some(before) => (before, true),
                    None => (item, false),
                }
            });
            let mut columns = BTreeSet::new();
            for (item, is_last) in list {
                let column = item.split_whitespace().next_back().unwrap_or_default();
                columns.insert(column.rsplit('.').next().unwrap_or(column).to_owned());
                if is_last {
                    break;
                }
            }
            shape.insert(name(view), columns);
        }
        ["ALTER", "TABLE", table, "ADD", "COLUMN", column, ..] => {
            shape.entry(name(table)).or_default().insert(column.to_owned());
        }
        ["ALTER", "TABLE", table, "DROP", "COLUMN", column, ..] => {
            shape.entry(name(table)).or_default().remove(column);
        }
        ["DROP", "TABLE" | "VIEW", table, ..] => {
            shape.remove(&name(table));
        }
        _ => {}
    }
}

/// Cuts a text at a mark that stands in no parentheses and no quotes.
fn split(text: &str, mark: char) -> Vec<String> {
    let (mut parts, mut depth, mut quoted) = (vec![String::new()], 0_u32, false);
    for character in text.chars() {
        match character {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        match parts.last_mut() {
            Some(part) if character != mark || depth > 0 || quoted => part.push(character),
            _ => parts.push(String::new()),
        }
    }
    parts
}

/// Gives what stands before a word that stands in no parentheses.
fn split_word(text: &str, word: &str) -> Option<String> {
    let mut depth = 0_i32;
    let mut before = String::new();
    for part in text.split_inclusive(char::is_whitespace) {
        if depth == 0 && part.trim_end() == word {
            return Some(before);
        }
        let count = |mark| i32::try_from(part.matches(mark).count()).unwrap_or_default();
        depth += count('(') - count(')');
        before.push_str(part);
    }
    None
}
