use super::FactsError;

/// Returns a query without its closing semicolon if it is one reading statement by its form.
///
/// For implementations of [`Tables::query`](super::Tables::query) that put the query into a statement
/// of their own, in parentheses and on lines of its own: what this function returns cannot close
/// them. It looks at the form alone; that nothing is written is the business of a read-only
/// transaction. Refused are: an empty text, more than one statement, one that does not begin with
/// `SELECT`, `WITH` or `VALUES`, open quotes, comments or parentheses, dollar quotes (`$$`),
/// and strings with backslash escapes (`E'…'`). Binds (`$1`) are let through.
///
/// ```
/// use guardrails::facts::single_statement;
///
/// assert_eq!(single_statement("SELECT 'a;b' -- all\n;").unwrap(), "SELECT 'a;b' -- all\n");
/// for refused in ["", "DELETE FROM a", "SELECT 1; SELECT 2", "SELECT 1) x; DROP TABLE a; --", "SELECT '"] {
///     assert!(single_statement(refused).is_err(), "{refused}");
/// }
/// ```
pub fn single_statement(sql: &str) -> Result<&str, FactsError> {
    let refused = |reason: &str| Err(FactsError::Refused { reason: reason.to_owned() });
    let bytes = sql.as_bytes();
    let (mut at, mut depth, mut end) = (0, 0_usize, None);
    let mut first_word = None;
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at..];
        let step = match byte {
            _ if rest.starts_with(b"--") => {
                rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len())
            }
            _ if rest.starts_with(b"/*") => match comment(rest) {
                Some(length) => length,
                None => return refused("a comment is not closed"),
            },
            byte if byte.is_ascii_whitespace() => 1,
            _ if end.is_some() => return refused("it is more than one statement"),
            b'\'' | b'"' | b'`' => match rest[1..].iter().position(|b| *b == byte) {
                Some(length) => length + 2,
                None => return refused("a quote is not closed"),
            },
            b'$' => match rest[1..].iter().take_while(|b| b.is_ascii_digit()).count() {
                0 => return refused("dollar quotes are not for a query of a check"),
                digits => digits + 1,
            },
            b';' => {
                end = Some(at);
                1
            }
            b'(' => {
                depth += 1;
                1
            }
            b')' if depth == 0 => return refused("a parenthesis is closed that is not open"),
            b')' => {
                depth -= 1;
                1
            }
            byte if is_word(byte) => {
                let length = rest.iter().position(|b| !is_word(*b)).unwrap_or(rest.len());
                let word = &rest[..length];
                if word.eq_ignore_ascii_case(b"e") && rest.get(length) == Some(&b'\'') {
                    return refused(
                        "strings with backslash escapes are not for a query of a check",
                    );
                }
                first_word.get_or_insert(word);
                length
            }
            _ => 1,
        };
        at += step;
    }
    if depth > 0 {
        return refused("a parenthesis is not closed");
    }
    match first_word {
        None => refused("it is empty"),
        Some(word) if READING.iter().any(|reads| word.eq_ignore_ascii_case(reads)) => {
            Ok(&sql[..end.unwrap_or(sql.len())])
        }
        Some(_) => {
            refused("it does not begin with SELECT, WITH or VALUES, so it is no reading statement")
        }
    }
}

const READING: [&[u8]; 3] = [b"select", b"with", b"values"];

/// Letters, digits, the underscore and every byte of a character beyond ASCII.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
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

    fn reason(sql: &str) -> String {
        single_statement(sql).unwrap_err().to_string()
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
        ] {
            assert_eq!(single_statement(sql).unwrap(), sql);
        }
    }

    #[test]
    fn what_could_leave_its_parentheses_is_refused_with_the_reason() {
        assert!(reason("SELECT 1) UNION (SELECT 2").contains("closed that is not open"));
        assert!(reason("SELECT (1").contains("parenthesis is not closed"));
        assert!(reason("SELECT 1 /* a").contains("comment is not closed"));
        assert!(reason("SELECT 1 /* a /* b */ ; DROP TABLE c; --*/").contains("comment"));
        assert!(reason("SELECT E'\\'; DROP TABLE a; --'").contains("backslash"));
        assert!(reason("SELECT $$a$$").contains("dollar"));
        assert!(reason("SELECT $a$ $a$").contains("dollar"));
        assert!(reason("PRAGMA user_version = 3").contains("no reading statement"));
        assert!(reason(" ; ").contains("empty"));
        assert!(reason("; SELECT 1").contains("more than one"));
    }
}
