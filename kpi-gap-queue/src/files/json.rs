//! JSON whose every value still knows its line and column.

use std::fmt;

use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::problem::FileProblem;

/// The text of a file, from which the place of each part follows.
#[derive(Clone, Copy)]
pub(super) struct Document<'a> {
    file: &'a str,
    text: &'a str,
}

/// One value of the file, with the way that leads to it.
#[derive(Clone)]
pub(super) struct Node<'a> {
    document: Document<'a>,
    raw: &'a RawValue,
    path: String,
}

impl<'a> Document<'a> {
    /// Checks that the bytes are one JSON value in UTF-8 and returns it.
    pub(super) fn parse(file: &'a str, bytes: &'a [u8]) -> Result<Node<'a>, FileProblem> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let (line, column) = end_of(&before);
            FileProblem::new(
                (file, line),
                column.to_string(),
                "",
                "the text is not UTF-8",
                "save the file as UTF-8",
            )
        })?;
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| {
            let reason = error.to_string();
            let reason = reason.split(" at line ").next().unwrap_or_default();
            FileProblem::new(
                (file, error.line().max(1) as u64),
                error.column().max(1).to_string(),
                "",
                format!("this is not JSON: {reason}"),
                "correct the JSON",
            )
        })?;
        Ok(Node { document: Self { file, text }, raw, path: String::new() })
    }

    /// Returns the place of a value: how many bytes of the text stand before it.
    fn place(self, raw: &RawValue) -> usize {
        raw.get().as_ptr().addr() - self.text.as_ptr().addr()
    }
}

/// Returns the line and column that follow a text, both counted from 1.
fn end_of(before: &str) -> (u64, usize) {
    let line = 1 + before.matches('\n').count() as u64;
    let column = 1 + before.chars().rev().take_while(|&c| c != '\n').count();
    (line, column)
}

impl<'a> Node<'a> {
    /// Tells a problem of this value.
    pub(super) fn problem(
        &self,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> FileProblem {
        let (line, column) = end_of(&self.document.text[..self.place()]);
        let column = if self.path.is_empty() {
            column.to_string()
        } else {
            format!("{column} (`{}`)", self.path)
        };
        let value = self.text().unwrap_or_else(|_| self.raw.get().to_owned());
        FileProblem::new((self.document.file, line), column, &value, problem, remedy)
    }

    /// Returns the place of the value, of which [`Node::line_of`] is the line.
    pub(super) fn place(&self) -> usize {
        self.document.place(self.raw)
    }

    /// Returns the line of a place; counted anew each time, so that only what is told is counted.
    pub(super) fn line_of(&self, place: usize) -> u64 {
        end_of(&self.document.text[..place]).0
    }

    pub(super) fn is_null(&self) -> bool {
        self.raw.get() == "null"
    }

    /// Reads the value as a text.
    fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::from_str(self.raw.get())
    }

    /// Reads the value as a text, or tells that it is none.
    pub(super) fn string(&self) -> Result<String, FileProblem> {
        self.text().map_err(|_| {
            self.problem("a text is expected here", "write the value in double quotes")
        })
    }

    /// Reads the value as a whole number.
    pub(super) fn number(&self) -> Result<u16, ()> {
        serde_json::from_str(self.raw.get()).map_err(drop)
    }

    /// Reads the value as a list.
    pub(super) fn list(&self) -> Result<Vec<Self>, FileProblem> {
        let items: Vec<&'a RawValue> = serde_json::from_str(self.raw.get())
            .map_err(|_| self.problem("a list is expected here", "write the values in `[ ]`"))?;
        Ok((0..)
            .zip(items)
            .map(|(at, raw)| Self {
                document: self.document,
                raw,
                path: format!("{}[{at}]", self.path),
            })
            .collect())
    }

    /// Reads the value as an object.
    pub(super) fn object(&self) -> Result<Object<'a>, FileProblem> {
        let Members(members) = serde_json::from_str(self.raw.get())
            .map_err(|_| self.problem("an object is expected here", "write it in `{ }`"))?;
        let mut object = Object { node: self.clone(), members: Vec::with_capacity(members.len()) };
        for (name, raw) in members {
            let path =
                if self.path.is_empty() { name.clone() } else { format!("{}.{name}", self.path) };
            let node = Self { document: self.document, raw, path };
            if object.members.iter().any(|(known, _)| *known == name) {
                return Err(node.problem("this key is there twice", "keep one"));
            }
            object.members.push((name, node));
        }
        Ok(object)
    }
}

/// The members of an object that nobody has taken yet.
pub(super) struct Object<'a> {
    node: Node<'a>,
    members: Vec<(String, Node<'a>)>,
}

impl<'a> Object<'a> {
    /// Takes a member; `null` counts as left out.
    pub(super) fn take(&mut self, name: &str) -> Option<Node<'a>> {
        let at = self.members.iter().position(|(known, _)| known == name)?;
        Some(self.members.swap_remove(at).1).filter(|node| !node.is_null())
    }

    /// Takes a member that has to be there.
    pub(super) fn required(&mut self, name: &str) -> Result<Node<'a>, FileProblem> {
        self.take(name).ok_or_else(|| {
            self.node.problem(format!("`{name}` is missing here"), format!("add `{name}`"))
        })
    }

    /// Takes a text; blank where it is left out.
    pub(super) fn text(&mut self, name: &str) -> Result<String, FileProblem> {
        self.take(name).map_or_else(|| Ok(String::new()), |node| node.string())
    }

    /// Takes a list; nothing where it is left out.
    pub(super) fn list(&mut self, name: &str) -> Result<Option<Vec<Node<'a>>>, FileProblem> {
        self.take(name).map(|node| node.list()).transpose()
    }

    /// Returns the paths of the members that nobody took.
    pub(super) fn rest(self) -> impl Iterator<Item = String> {
        self.members.into_iter().map(|(_, node)| node.path)
    }
}

/// The members of an object in the order of the file, doubled ones included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(InOrder).map(Self)
    }
}
