//! Times as people and programs write them.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, Utc};

/// Reads a time as UTC and says whether it named its zone.
///
/// A time is a day and perhaps hours and minutes, seconds and parts of them, and a zone: ISO 8601 and RFC 3339, with
/// a blank in the place of `T`, with `UTC` behind it as databases and Ruby write it, and as Go prints it.
pub(super) fn instant(text: &str) -> Result<(String, bool), &'static str> {
    let (time, zoned) = parsed(text).ok_or("this is no time; write it as 2026-01-31T09:30:00Z")?;
    if !(1..=9999).contains(&time.year()) {
        return Err("the year is out of range; write a time of the years 1 to 9999");
    }
    Ok((time.to_rfc3339_opts(SecondsFormat::Micros, true), zoned))
}

fn parsed(text: &str) -> Option<(DateTime<Utc>, bool)> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{200b}' || c == '\u{feff}');
    let (text, named) = match text.strip_suffix("UTC").or_else(|| text.strip_suffix("GMT")) {
        Some(before) => (before.trim_end(), true),
        None => (text, false),
    };
    let shifted;
    let with_offset = match text.strip_suffix(['Z', 'z']) {
        Some(before) => {
            shifted = format!("{before}+00:00");
            &shifted
        }
        None => text,
    };
    for day_to_hour in ["T", " "] {
        for seconds in [":%S%.f", ""] {
            let local = format!("%Y-%m-%d{day_to_hour}%H:%M{seconds}");
            for blank in ["", " "] {
                let zoned = format!("{local}{blank}%#z");
                if let Ok(time) = DateTime::parse_from_str(with_offset, &zoned) {
                    return Some((time.to_utc(), true));
                }
            }
            if let Ok(time) = NaiveDateTime::parse_from_str(text, &local) {
                return Some((time.and_utc(), named));
            }
        }
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some((day.and_time(NaiveTime::MIN).and_utc(), named))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_zone_and_without_it_as_utc() {
        let utc = "2026-01-31T14:30:00.000000Z";
        for zoned in [
            "2026-01-31T14:30:00Z",
            "2026-01-31T09:30:00-05:00",
            "2026-01-31 09:30:00-05",
            "2026-01-31T14:30Z",
            "2026-01-31 14:30:00 UTC",
            "2026-01-31 14:30:00.000 +0000 UTC",
            "2026-01-31 09:30:00 -0500",
        ] {
            assert_eq!(instant(zoned), Ok((utc.to_owned(), true)), "{zoned}");
        }
        for local in [
            "2026-01-31T14:30:00",
            "2026-01-31 14:30:00\u{a0}",
            "2026-01-31 14:30",
            "2026-01-31T14:30",
        ] {
            assert_eq!(instant(local), Ok((utc.to_owned(), false)), "{local}");
        }
        assert_eq!(instant("2026-01-31").unwrap().0, "2026-01-31T00:00:00.000000Z");
        for garbage in [
            "",
            "UTC",
            "yesterday",
            "31/01/2026",
            "2026-02-30",
            "2026-01-31T25:00:00Z",
            "0000-01-01",
            "+10000-01-01T00:00:00Z",
        ] {
            assert!(instant(garbage).is_err(), "{garbage}");
        }
    }
}
