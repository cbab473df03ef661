//! Variables of a suite file: `${name}`, bound in SQL and filled in elsewhere.

use std::collections::BTreeMap;

/// Values by name, as a suite file's `[vars]` gives them and a caller overrides them.
pub type Variables = BTreeMap<String, String>;

/// Why a text with variables cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum VariableFault {
    /// The name is not known.
    Unknown(String),
    /// It stands between quotes, where a bind is plain text.
    Quoted(String),
    /// `${` without its `}`.
    Open,
}

impl VariableFault {
    pub(super) fn in_words(&self, known: &Variables) -> String {
        match self {
            Self::Unknown(name) => {
                let known: Vec<&str> = known.keys().map(String::as_str).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                format!("unknown variable `{name}`; known are: {known}; set it under [vars]")
            }
            Self::Quoted(name) => format!(
                "`${{{name}}}` stands between quotes; take them away, since its value is bound"
            ),
            Self::Open => "`${` is not closed by `}`".to_owned(),
        }
    }
}

/// Cuts a text into what stands before a variable, its name, and what follows.
fn next(text: &str) -> Result<Option<(&str, &str, &str)>, VariableFault> {
    let Some((before, rest)) = text.split_once("${") else { return Ok(None) };
    let (name, after) = rest.split_once('}').ok_or(VariableFault::Open)?;
    Ok(Some((before, name, after)))
}

/// Writes the values into a text that is no SQL.
pub(super) fn fill(mut text: &str, values: &Variables) -> Result<String, VariableFault> {
    let mut out = String::new();
    while let Some((before, name, after)) = next(text)? {
        out.push_str(before);
        out.push_str(values.get(name).ok_or_else(|| VariableFault::Unknown(name.to_owned()))?);
        text = after;
    }
    Ok(out + text)
}

/// Puts a numbered bind in the place of each variable of an SQL text, and returns the values in order.
pub(super) fn bind(
    mut sql: &str,
    values: &Variables,
) -> Result<(String, Vec<String>), VariableFault> {
    let (mut out, mut names, mut binds) = (String::new(), Vec::new(), Vec::new());
    while let Some((before, name, after)) = next(sql)? {
        out.push_str(before);
        if out.matches('\'').count() % 2 == 1 {
            return Err(VariableFault::Quoted(name.to_owned()));
        }
        let place = names.iter().position(|known| *known == name).map_or_else(
            || {
                let value = values.get(name).ok_or(VariableFault::Unknown(name.to_owned()))?;
                names.push(name);
                binds.push(value.clone());
                Ok(names.len())
            },
            |at| Ok(at + 1),
        )?;
        out.push('$');
        out.push_str(&place.to_string());
        sql = after;
    }
    Ok((out + sql, binds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Variables {
        [("a", "1"), ("b", "it's")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
    }

    #[test]
    fn a_variable_in_sql_is_bound_once_and_never_written() {
        let (sql, binds) = bind("x = ${b} OR y = ${a} OR z = ${b}", &values()).unwrap();
        assert_eq!(sql, "x = $1 OR y = $2 OR z = $1");
        assert_eq!(binds, ["it's", "1"]);
    }

    #[test]
    fn what_cannot_be_bound_or_filled_is_named() {
        assert_eq!(bind("x = '${a}'", &values()), Err(VariableFault::Quoted("a".into())));
        assert_eq!(fill("${c}", &values()), Err(VariableFault::Unknown("c".into())));
        assert_eq!(fill("${a", &values()), Err(VariableFault::Open));
        assert_eq!(fill("${a}${b}", &values()).unwrap(), "1it's");
    }
}
