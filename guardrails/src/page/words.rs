//! Small pieces of text that every part of a page writes alike.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::{KpiState, Verdict};

/// Prose whose `code` stands between backticks.
pub(super) fn prose(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return html! { (text) };
    }
    html! {
        @for (i, part) in parts.iter().enumerate() {
            @if i.is_multiple_of(2) { (part) } @else { code { (part) } }
        }
    }
}

pub(super) fn badge(verdict: Verdict) -> Markup {
    html! { span class=(format!("verdict {verdict}")) { (symbol(verdict)) " " (word(verdict)) } }
}

pub(super) fn kpi_badge(state: KpiState) -> Markup {
    let (class, symbol) = match state {
        KpiState::Green => ("pass", "✓"),
        KpiState::Red => ("fail", "●"),
        KpiState::Unknown => ("inconclusive", "?"),
    };
    html! { span class=(format!("verdict {class}")) { (symbol) " " (state.as_str().to_uppercase()) } }
}

pub(super) fn symbol(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::Warn => "!",
        Verdict::Inconclusive => "?",
        Verdict::Error => "⚠",
        Verdict::Fail => "✕",
    }
}

pub(super) fn word(verdict: Verdict) -> String {
    verdict.as_str().to_uppercase()
}

pub(super) fn time(moment: DateTime<Utc>) -> Markup {
    html! {
        time datetime=(moment.to_rfc3339()) { (moment.format("%Y-%m-%d %H:%M UTC")) }
    }
}

/// A heading as the name of its place on the page.
pub(super) fn slug(heading: &str) -> String {
    let words = heading.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

/// Writes a text as a part of a URL's query.
///
/// ```
/// assert_eq!(guardrails::page::encoded("L 7&x=é"), "L%207%26x%3D%C3%A9");
/// ```
#[must_use]
pub fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
