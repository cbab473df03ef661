//! Reads the generated files block by block on several threads: a row is one line, as the runners read it.

use std::{
    io::{self, Read},
    sync::{Mutex, PoisonError},
};

use identity_matching::{
    Normalised, Normaliser, RawValue,
    index::{Glance, SubjectFilter},
};

/// What reading rows may end in.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Hands out a file's rows below the header in blocks of whole lines, to whichever thread asks.
#[derive(Debug)]
pub struct Blocks<R> {
    state: Mutex<State<R>>,
}

#[derive(Debug)]
struct State<R> {
    file: R,
    /// The start of a line whose end was not read yet.
    rest: Vec<u8>,
    header: bool,
}

impl<R: Read> Blocks<R> {
    /// How many bytes are read at once: a block stays in the second-level cache.
    const BYTES: usize = 1 << 18;

    /// Starts before the header.
    pub fn new(file: R) -> Self {
        Self { state: Mutex::new(State { file, rest: Vec::new(), header: true }) }
    }

    /// Puts the next whole lines into `block`; tells whether there were any.
    ///
    /// # Errors
    ///
    /// What the file gives.
    pub fn next(&self, block: &mut Vec<u8>) -> io::Result<bool> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        block.clear();
        block.append(&mut state.rest);
        loop {
            let held = block.len();
            block.resize(held + Self::BYTES, 0);
            let read = state.file.read(&mut block[held..])?;
            block.truncate(held + read);
            if read == 0 {
                break;
            }
            if let Some(end) = memchr::memrchr(b'\n', block) {
                state.rest.extend_from_slice(&block[end + 1..]);
                block.truncate(end + 1);
                break;
            }
        }
        if state.header {
            let end = memchr::memchr(b'\n', block).map_or(block.len(), |end| end + 1);
            block.drain(..end);
            state.header = false;
        }
        Ok(!block.is_empty())
    }
}

/// Splits each line of a block into its four fields; the parser of CSV reads blocks with quotation marks.
///
/// # Errors
///
/// A line with another number of fields, or what is no UTF-8.
pub fn each_line(block: &[u8], mut each: impl FnMut([&str; 4]) -> Outcome<()>) -> Outcome<()> {
    if memchr::memchr(b'"', block).is_some() {
        return each_quoted(block, each);
    }
    let text = std::str::from_utf8(block)?;
    let mut fields = [""; 4];
    let (mut at, mut start) = (0, 0);
    for sign in memchr::memchr2_iter(b',', b'\n', block) {
        let field = &text[start..sign];
        start = sign + 1;
        *fields.get_mut(at).ok_or("a line has more than four fields")? = field;
        at += 1;
        if block[sign] == b'\n' {
            if at < 4 {
                return Err("a line has fewer than four fields".into());
            }
            fields[3] = field.strip_suffix('\r').unwrap_or(field);
            each(fields)?;
            at = 0;
        }
    }
    if start < text.len() { Err("the last line has no end".into()) } else { Ok(()) }
}

fn each_quoted(block: &[u8], mut each: impl FnMut([&str; 4]) -> Outcome<()>) -> Outcome<()> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(block);
    let mut row = csv::StringRecord::new();
    while reader.read_record(&mut row)? {
        let mut fields = row.iter();
        each([(); 4].map(|()| fields.next().unwrap_or_default()))?;
    }
    Ok(())
}

/// Normalises phone, document and e-mail of a row into the buffer.
pub fn normalise<'a>(
    normaliser: &'a Normaliser,
    [phone, number, email]: [&str; 3],
    buffer: &'a mut Normalised,
) -> &'a Normalised {
    let mut record = normaliser.read_into(buffer);
    if !number.is_empty() {
        record.document(RawValue { country: "PE", kind: "DNI", value: number });
    }
    if !phone.is_empty() {
        record.phone(phone);
    }
    if !email.is_empty() {
        record.email(email);
    }
    record.finish()
}

/// Looks at phone, document and e-mail of a row as they are written.
pub fn glance(glance: &mut Glance<'_>, [phone, number, email]: [&str; 3]) -> bool {
    glance.begin(None);
    if !number.is_empty() {
        glance.document(RawValue { country: "PE", kind: "DNI", value: number });
    }
    if !phone.is_empty() {
        glance.phone(phone);
    }
    if !email.is_empty() {
        glance.email(email);
    }
    glance.may_matter()
}

/// Reads rows until the file ends: the key, and the record normalised where a glance says that it may matter.
///
/// # Errors
///
/// What the file or `each` gives.
pub fn each_row_that_may_matter<R: Read>(
    blocks: &Blocks<R>,
    normaliser: &Normaliser,
    filter: &SubjectFilter,
    mut each: impl FnMut(&str, Option<&Normalised>) -> Outcome<()>,
) -> Outcome<()> {
    let mut block = Vec::new();
    let mut buffer = Normalised::default();
    let mut look = Glance::new(filter, normaliser);
    while blocks.next(&mut block)? {
        each_line(&block, |[key, phone, number, email]| {
            let fields = [phone, number, email];
            let matters = glance(&mut look, fields);
            each(key, matters.then(|| normalise(normaliser, fields, &mut buffer)))
        })?;
    }
    Ok(())
}

/// Reads rows until the file ends: the key, and the record normalised.
///
/// # Errors
///
/// What the file or `each` gives.
pub fn each_row<R: Read>(
    blocks: &Blocks<R>,
    normaliser: &Normaliser,
    mut each: impl FnMut(&str, &Normalised) -> Outcome<()>,
) -> Outcome<()> {
    let mut block = Vec::new();
    let mut buffer = Normalised::default();
    while blocks.next(&mut block)? {
        each_line(&block, |[key, phone, number, email]| {
            each(key, normalise(normaliser, [phone, number, email], &mut buffer))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(content: &[u8]) -> Vec<[String; 4]> {
        let blocks = Blocks::new(content);
        let (mut block, mut rows) = (Vec::new(), Vec::new());
        while blocks.next(&mut block).unwrap() {
            each_line(&block, |fields| {
                rows.push(fields.map(str::to_owned));
                Ok(())
            })
            .unwrap();
        }
        rows
    }

    #[test]
    fn every_line_is_read_once_whatever_the_blocks() {
        let line = |n: usize| format!("{n},+51987{n:06},,a{n}@b.pe\n");
        let content: String = (0..30_000).map(line).collect();
        let found = rows(format!("a,b,c,d\n{content}").as_bytes());
        assert_eq!(found.len(), 30_000);
        assert!(found.iter().enumerate().all(|(n, row)| row[0] == n.to_string()));
        assert!(rows(b"a,b,c,d\n").is_empty());
    }

    #[test]
    fn quoted_fields_are_read_as_csv() {
        let found = rows(b"a,b,c,d\r\n\"1\",\"2,\"\"3\",,4\r\n");
        assert_eq!(found, [["1", "2,\"3", "", "4"].map(str::to_owned)]);
    }
}
