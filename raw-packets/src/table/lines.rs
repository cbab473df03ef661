//! A file's lines, seen through a window that a row may widen up to a limit.

use std::io::{self, Read};

use memchr::{memchr, memchr2};

use super::decode::Decoded;

/// A line within the window, relative to where the window begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    /// Where its content begins.
    pub(super) begin: usize,
    /// Where its content ends, before the line break.
    pub(super) end: usize,
    /// Where the next line begins.
    pub(super) next: usize,
}

/// What stands from some place on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// A line.
    Line(Line),
    /// The end of the file.
    End,
    /// More bytes than the window may hold, without the end of the line.
    TooLong,
}

/// What ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// LF, or CR LF.
    Lf,
    /// CR, LF, or both together.
    Cr,
}

/// The bytes of a file behind a window.
pub(super) struct Lines {
    file: Decoded,
    bytes: Vec<u8>,
    begin: usize,
    end: usize,
    ended: bool,
    ending: Ending,
    most: usize,
    /// How many bytes lie before the window.
    pub(super) position: u64,
    /// The number of the line that begins where the window does, from 1.
    pub(super) number: u64,
}

impl Lines {
    /// Begins a file; the window holds at most `most` bytes.
    pub(super) fn new(file: Decoded, most: usize) -> io::Result<Self> {
        let mut lines = Self {
            file,
            bytes: vec![0; 1 << 16],
            begin: 0,
            end: 0,
            ended: false,
            ending: Ending::Lf,
            most,
            position: 0,
            number: 1,
        };
        lines.ending = lines.find_ending()?;
        Ok(lines)
    }

    /// Returns the name of the encoding that is decoded, where there is one.
    pub(super) fn encoding(&self) -> Option<&'static str> {
        self.file.encoding()
    }

    /// The first line break tells how lines end.
    fn find_ending(&mut self) -> io::Result<Ending> {
        let mut from = 0;
        loop {
            let seen = &self.bytes[self.begin + from..self.end];
            match memchr2(b'\r', b'\n', seen) {
                // A CR, and more to tell whether an LF follows.
                Some(at) if seen[at] == b'\r' && at + 1 == seen.len() && !self.ended => {
                    from += at;
                }
                Some(at) => {
                    let lone = seen[at] == b'\r' && seen.get(at + 1) != Some(&b'\n');
                    return Ok(if lone { Ending::Cr } else { Ending::Lf });
                }
                None => from += seen.len(),
            }
            if self.ended || from > self.most {
                return Ok(Ending::Lf);
            }
            self.fill()?;
        }
    }

    /// Returns the bytes of the window.
    pub(super) fn window(&self) -> &[u8] {
        &self.bytes[self.begin..self.end]
    }

    /// Returns the line that begins `from` bytes into the window.
    pub(super) fn line(&mut self, from: usize) -> io::Result<Seen> {
        Ok(match self.seek(from)? {
            Seen::Line(line) if line.end > self.most => Seen::TooLong,
            seen => seen,
        })
    }

    fn seek(&mut self, from: usize) -> io::Result<Seen> {
        let mut searched = from;
        loop {
            let window = self.window();
            let found = match self.ending {
                Ending::Lf => memchr(b'\n', &window[searched..]),
                Ending::Cr => memchr2(b'\r', b'\n', &window[searched..]),
            };
            if let Some(at) = found.map(|at| searched + at) {
                let undecided = window[at] == b'\r' && at + 1 == window.len() && !self.ended;
                if !undecided {
                    let pair = window[at] == b'\r' && window.get(at + 1) == Some(&b'\n');
                    let end = self.content_end(from, at);
                    return Ok(Seen::Line(Line {
                        begin: from,
                        end,
                        next: at + 1 + usize::from(pair),
                    }));
                }
                searched = at;
            } else {
                searched = window.len();
            }
            if self.ended {
                let end = self.window().len();
                if end == from {
                    return Ok(Seen::End);
                }
                return Ok(Seen::Line(Line {
                    begin: from,
                    end: self.content_end(from, end),
                    next: end,
                }));
            }
            if self.window().len() > self.most {
                return Ok(Seen::TooLong);
            }
            self.fill()?;
        }
    }

    /// Leaves out the CR before an LF, and those that a second translation of line ends adds.
    fn content_end(&self, from: usize, mut end: usize) -> usize {
        let window = self.window();
        while end > from && window[end - 1] == b'\r' {
            end -= 1;
        }
        end
    }

    /// Moves the window on past `bytes`, which hold `lines` line breaks.
    pub(super) fn advance(&mut self, bytes: usize, lines: u64) {
        self.begin += bytes;
        self.position += bytes as u64;
        self.number += lines;
    }

    /// Moves the window on to the next line, however long this one is.
    pub(super) fn skip_line(&mut self) -> io::Result<()> {
        loop {
            match self.seek(0)? {
                Seen::Line(line) => {
                    self.advance(line.next, 1);
                    return Ok(());
                }
                Seen::End => return Ok(()),
                // The last byte stays: it may be the first half of a line break.
                Seen::TooLong => {
                    let all = self.window().len() - 1;
                    self.advance(all, 0);
                }
            }
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.end == self.bytes.len() {
            if self.begin > 0 {
                self.bytes.copy_within(self.begin..self.end, 0);
                self.end -= self.begin;
                self.begin = 0;
            }
            if self.end * 2 > self.bytes.len() {
                self.bytes.resize(self.bytes.len() * 2, 0);
            }
        }
        loop {
            match self.file.read(&mut self.bytes[self.end..]) {
                Ok(read) => {
                    self.end += read;
                    self.ended = read == 0;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
