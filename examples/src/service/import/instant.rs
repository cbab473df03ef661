//! Times as people and programs write them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, Utc};

/// Reads a time as UTC and says whether it named its zone.
pub(super) fn instant(text: &str) -> Result<(String, bool), String> {
    let shown = |utc: DateTime<Utc>| utc.to_rfc3339_opts(SecondsFormat::Micros, true);
    if let Ok(zoned) = DateTime::parse_from_rfc3339(text) {
        return Ok((shown(zoned.to_utc()), true));
    }
    for format in ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z"] {
        if let Ok(zoned) = DateTime::parse_from_str(text, format) {
            return Ok((shown(zoned.to_utc()), true));
        }
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"] {
        if let Ok(local) = NaiveDateTime::parse_from_str(text, format) {
            return Ok((shown(local.and_utc()), false));
        }
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Ok((shown(day.and_time(NaiveTime::MIN).and_utc()), false));
    }
    let shown: String = text.chars().take(40).collect();
    Err(format!("`{shown}` is no time; write it as 2026-01-31T09:30:00Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_zone_and_without_it_as_utc() {
        let utc = "2026-01-31T14:30:00.000000Z";
        for zoned in ["2026-01-31T14:30:00Z", "2026-01-31T09:30:00-05:00", "2026-01-31 09:30:00-05"]
        {
            assert_eq!(instant(zoned), Ok((utc.to_owned(), true)), "{zoned}");
        }
        for local in ["2026-01-31T14:30:00", "2026-01-31 14:30:00", "2026-01-31 14:30"] {
            assert_eq!(instant(local), Ok((utc.to_owned(), false)), "{local}");
        }
        for garbage in ["", "yesterday", "31/01/2026", "2026-02-30", "2026-01-31T25:00:00Z"] {
            assert!(instant(garbage).is_err(), "{garbage}");
        }
    }
}
