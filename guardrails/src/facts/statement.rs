use super::{Dialect, FactsError};

/// Returns a query without its closing semicolon if it is one reading statement by its form.
///
/// For implementations of [`Tables::query`](super::Tables::query) that put the query into a statement
/// of their own, in parentheses and on lines of its own: what this function returns cannot close
/// them on a database of that dialect. It looks at the form alone; that nothing is written is the business of
/// a read-only transaction. Refused are: an empty text, more than one statement, one that does not begin with
/// `SELECT`, `WITH` or `VALUES`, open quotes, comments or parentheses, dollar quotes (`$$`),
/// strings with backslash escapes (`E'…'`), a backslash before a quote and a NUL. Binds (`$1`) are let through.
///
/// ```
/// use guardrails::facts::{Dialect, single_statement};
///
/// let statement = |sql| single_statement(sql, Dialect::Postgres);
/// assert_eq!(statement("SELECT 'a;b' -- all\n;").unwrap(), "SELECT 'a;b' -- all\n");
/// for refused in ["", "DELETE FROM a", "SELECT 1; SELECT 2", "SELECT 1) x; DROP TABLE a; --", "SELECT '"] {
///     assert!(statement(refused).is_err(), "{refused}");
/// }
/// ```
pub fn single_statement(sql: &str, dialect: Dialect) -> Result<&str, FactsError> {
    let form = scan(sql, dialect)?;
    match form.first_word {
        None => Err(refused("it is empty")),
        Some(word) if READING.iter().any(|reads| word.eq_ignore_ascii_case(reads)) => {
            Ok(&sql[..form.end.unwrap_or(sql.len())])
        }
        Some(_) => Err(refused(
            "it does not begin with SELECT, WITH or VALUES, so it is no reading statement",
        )),
    }
}

/// Takes a condition if it is one by its form: in parentheses and on lines of its own it cannot close them.
pub(crate) fn single_condition(sql: &str, dialect: Dialect) -> Result<&str, FactsError> {
    match scan(sql, dialect) {
        Ok(form) if form.end.is_some() => {
            Err(refused("a condition has no semicolon; leave it out"))
        }
        Ok(_) if sql.trim().is_empty() => Err(refused("it is empty")),
        Ok(_) => Ok(sql),
        Err(error) => Err(error),
    }
}

const READING: [&[u8]; 3] = [b"select", b"with", b"values"];

fn refused(reason: &str) -> FactsError {
    FactsError::Refused { reason: reason.to_owned() }
}

/// What a scan has found: the first word, and where the closing semicolon stands.
struct Form<'a> {
    first_word: Option<&'a [u8]>,
    end: Option<usize>,
}

/// Goes through a text as a database of the dialect reads it, so that no quote or comment is taken for code.
///
/// Sources: PostgreSQL, "Lexical Structure"; SQLite, "SQL Comment Syntax" and "SQLite Keywords" (quoting).
fn scan(sql: &str, dialect: Dialect) -> Result<Form<'_>, FactsError> {
    let bytes = sql.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    let mut form = Form { first_word: None, end: None };
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at..];
        let step = match byte {
            _ if rest.starts_with(b"--") => line_comment(rest, dialect),
            _ if rest.starts_with(b"/*") => {
                comment(rest).ok_or_else(|| refused("a comment is not closed"))?
            }
            // SQLite ends the text here.
            0 => return Err(refused("it holds a NUL")),
            byte if byte.is_ascii_whitespace() => 1,
            _ if form.end.is_some() => return Err(refused("it is more than one statement")),
            b'\'' | b'"' => quoted(rest, byte, dialect)?,
            // Quotes on SQLite alone; an operator and the parentheses of arrays on PostgreSQL.
            b'`' if dialect == Dialect::Sqlite => quoted(rest, byte, dialect)?,
            b'[' if dialect == Dialect::Sqlite => quoted(rest, b']', dialect)?,
            b'$' => match rest[1..].iter().take_while(|b| b.is_ascii_digit()).count() {
                0 => return Err(refused("dollar quotes are not for a query of a check")),
                digits => digits + 1,
            },
            b';' => {
                form.end = Some(at);
                1
            }
            b'(' => {
                depth += 1;
                1
            }
            b')' => {
                depth = depth
                    .checked_sub(1)
                    .ok_or_else(|| refused("a parenthesis is closed that is not open"))?;
                1
            }
            byte if is_word(byte) => {
                let length = rest.iter().position(|b| !is_word(*b)).unwrap_or(rest.len());
                let word = &rest[..length];
                if rest.get(length) == Some(&b'\'') && escapes(word) {
                    return Err(refused(
                        "strings with backslash escapes are not for a query of a check",
                    ));
                }
                form.first_word.get_or_insert(word);
                length
            }
            _ => 1,
        };
        at += step;
    }
    if depth > 0 {
        return Err(refused("a parenthesis is not closed"));
    }
    Ok(form)
}

/// The length of what stands in quotes, to the quote that closes it; a doubled quote is two that touch.
fn quoted(text: &[u8], closing: u8, dialect: Dialect) -> Result<usize, FactsError> {
    let length = text[1..].iter().position(|byte| *byte == closing);
    let length = length.ok_or_else(|| refused("a quote is not closed"))?;
    // A server whose `standard_conforming_strings` is off reads on.
    if dialect == Dialect::Postgres && text[..=length].ends_with(b"\\") {
        return Err(refused("a backslash stands before a quote; write the text without it"));
    }
    Ok(length + 2)
}

/// Says whether a word before a quote makes the text one with backslash escapes: `E`, or a number that ends so,
/// which older versions of PostgreSQL read as a number and an `E`.
fn escapes(word: &[u8]) -> bool {
    match word {
        [first, .., last] => first.is_ascii_digit() && last.eq_ignore_ascii_case(&b'e'),
        [only] => only.eq_ignore_ascii_case(&b'e'),
        [] => false,
    }
}

/// Letters, digits, the underscore and every byte of a character beyond ASCII.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// The length of the comment to the end of the line, which on PostgreSQL is a carriage return, too.
fn line_comment(text: &[u8], dialect: Dialect) -> usize {
    let ends = |byte: &u8| *byte == b'\n' || (*byte == b'\r' && dialect == Dialect::Postgres);
    text.iter().position(ends).unwrap_or(text.len())
}

/// The length of the comment that a text begins with; comments nest, as PostgreSQL reads them.
///
/// SQLite does not nest them: there a nested one ends early, and what follows it is read as SQL.
/// So only a comment without another in it is taken.
fn comment(text: &[u8]) -> Option<usize> {
    let inner = &text[2..];
    let end = inner.windows(2).position(|pair| pair == b"*/")?;
    let nested = inner[..end].windows(2).any(|pair| pair == b"/*");
    (!nested).then_some(end + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Dialect; 2] = [Dialect::Sqlite, Dialect::Postgres];

    fn reason(sql: &str, dialect: Dialect) -> String {
        single_statement(sql, dialect).expect_err(sql).to_string()
    }

    #[test]
    fn what_reads_is_taken_as_it_is() {
        for sql in [
            "SELECT 1",
            "  -- why\n select (1)",
            "WITH a AS (SELECT ')') SELECT * FROM a",
            "VALUES ('é', 'it''s')",
            "SELECT a FROM b WHERE c = $1 OR c = $12",
            "/* one */ SELECT \"a;b\" FROM [t]",
            "SELECT a FROM b WHERE c LIKE'x' AND d LIKE 'a\\_b'",
        ] {
            for dialect in BOTH {
                assert_eq!(single_statement(sql, dialect).unwrap(), sql);
            }
        }
        assert!(single_statement("SELECT [it's], `it's` FROM t", Dialect::Sqlite).is_ok());
        assert!(single_statement("SELECT (ARRAY['a]'])[1]", Dialect::Postgres).is_ok());
    }

    #[test]
    fn what_could_leave_its_parentheses_is_refused_with_the_reason() {
        for (sql, why) in [
            ("SELECT 1) UNION (SELECT 2", "closed that is not open"),
            ("SELECT (1", "parenthesis is not closed"),
            ("SELECT 1 /* a", "comment is not closed"),
            ("SELECT 1 /* a /* b */ ; DROP TABLE c; --*/", "comment"),
            ("SELECT E'\\'; DROP TABLE a; --'", "backslash"),
            ("SELECT 1e'\\'; DROP TABLE a; --'", "backslash"),
            ("SELECT $$a$$", "dollar"),
            ("SELECT $a$ $a$", "dollar"),
            ("SELECT 1 \0", "NUL"),
            ("PRAGMA user_version = 3", "no reading statement"),
            (" ; ", "empty"),
            ("; SELECT 1", "more than one"),
        ] {
            for dialect in BOTH {
                let told = reason(sql, dialect);
                assert!(told.contains(why), "{sql}: {told}");
            }
        }
    }

    #[test]
    fn a_quote_or_comment_of_one_dialect_hides_nothing_from_the_other() {
        for sql in ["SELECT 1 AS [a'] ) x --'", "SELECT `a'` ) x --'"] {
            assert!(reason(sql, Dialect::Sqlite).contains("not open"), "{sql}");
        }
        for sql in ["SELECT 1 ` ) x --`", "SELECT 1 --\r) x", "SELECT 1 [ ) ]"] {
            assert!(reason(sql, Dialect::Postgres).contains("not open"), "{sql}");
        }
        assert!(reason("SELECT '\\') x --'", Dialect::Postgres).contains("backslash"));
    }

    #[test]
    fn a_condition_cannot_leave_its_parentheses() {
        for dialect in BOTH {
            assert!(single_condition("a = 1 OR (b = $1) -- why", dialect).is_ok());
            for sql in ["1 = 1) OR (1 = 1", "1 = 1;", "  ", "a IN (SELECT 1 /*", "a = '"] {
                assert!(single_condition(sql, dialect).is_err(), "{sql}");
            }
        }
    }
}
