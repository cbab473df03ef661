//! The document around the sections: head, style, order.

use chrono::{DateTime, Utc};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::body::Body;
use super::sections::{Section, guardrails, history};
use super::words::{badge, kpi_badge, prose, slug, time, word};
use crate::history::SuiteRecord;
use crate::{SuiteReport, visible};

const STYLE: &str = include_str!("style.css");

/// What a page may load and do, as the header `Content-Security-Policy`: nothing but its own style, and forms to
/// where it comes from.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'";

/// A report for people: the story, the guardrails, then what the service adds.
///
/// A section that has nothing to show is left out. Keys and reasons are shown as they are: they must name no
/// phone, document or e-mail.
///
/// ```
/// use guardrails::page::{Body, Page, Section};
/// use guardrails::{Suite, SuiteReport, clock::StoppedClock, recovery::InMemoryFacts};
///
/// /// A section of the service's own.
/// struct Ports(Vec<&'static str>);
/// impl Section for Ports {
///     fn heading(&self) -> &str {
///         "Ports"
///     }
///     fn body(&self, _: &SuiteReport) -> Body {
///         self.0.iter().fold(Body::default(), |body, port| body.paragraph(port))
///     }
/// }
///
/// let facts = InMemoryFacts::new("s1", "2026-03-01T00:00:00Z".parse().unwrap());
/// let report = Suite::recovery().run(&facts, &StoppedClock);
/// let page = Page::new("Recovery <of leads>", report).section(Ports(vec!["Callao <1>"]));
/// let html = page.clone().section(Ports(vec![])).html();
/// assert!(html.contains("<h1>Recovery &lt;of leads&gt;</h1>") && html.contains("Callao &lt;1&gt;"));
/// assert!(!html.contains("<script") && html.matches("<h2 id=\"ports\"").count() == 1);
/// ```
#[derive(Clone)]
pub struct Page {
    title: String,
    generated_at: DateTime<Utc>,
    suite: SuiteReport,
    story: Vec<std::sync::Arc<dyn Section>>,
    sections: Vec<std::sync::Arc<dyn Section>>,
    history: Vec<SuiteRecord>,
    refresh_seconds: Option<u32>,
    refresh_link: Option<String>,
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page").field("title", &self.title).finish_non_exhaustive()
    }
}

impl Page {
    /// Makes a page that shows the guardrails alone.
    pub fn new(title: impl Into<String>, suite: SuiteReport) -> Self {
        Self {
            title: title.into(),
            generated_at: suite.as_of,
            suite,
            story: Vec::new(),
            sections: Vec::new(),
            history: Vec::new(),
            refresh_seconds: None,
            refresh_link: None,
        }
    }

    /// Adds a section before the guardrails: what happened, what is left, what to do.
    #[must_use]
    pub fn story(mut self, section: impl Section + 'static) -> Self {
        self.story.push(std::sync::Arc::new(section));
        self
    }

    /// Adds a section behind the guardrails.
    #[must_use]
    pub fn section(mut self, section: impl Section + 'static) -> Self {
        self.sections.push(std::sync::Arc::new(section));
        self
    }

    /// Sets when the page was made.
    #[must_use]
    pub fn generated_at(mut self, now: DateTime<Utc>) -> Self {
        self.generated_at = now;
        self
    }

    /// Adds earlier reports of the suite, oldest first.
    #[must_use]
    pub fn history(mut self, records: Vec<SuiteRecord>) -> Self {
        self.history = records;
        self
    }

    /// Offers a page that asks for itself again, or the way back from it.
    ///
    /// A page that renews itself unasked takes a reader's place away (WCAG 2.2.1), so it is the reader's
    /// choice.
    #[must_use]
    pub fn refresh_link(mut self, address: impl Into<String>) -> Self {
        self.refresh_link = Some(address.into());
        self
    }

    /// Makes browsers ask for the page again, for one that is served live.
    #[must_use]
    pub fn refresh_seconds(mut self, seconds: u32) -> Self {
        self.refresh_seconds = Some(seconds);
        self
    }

    /// Writes the page as one HTML document.
    #[must_use]
    pub fn html(&self) -> String {
        let suite = &self.suite;
        let title = match &suite.kpi {
            Some(kpi) => format!("{} · KPI {} · {}", word(suite.verdict), kpi.state, self.title),
            None => format!("{} · {}", word(suite.verdict), self.title),
        };
        let body = html! {
            a.skip href="#guardrails" { "Skip to the guardrails" }
            header {
                h1 { (self.title) }
                (headline(suite))
                @if let Some(scope) = suite.scope { p { strong { (clause(&scope.in_words())) } "." } }
                p.soft { "as of " (time(suite.as_of)) " · snapshot " code { (suite.snapshot_id) } }
                @if let Some(address) = &self.refresh_link {
                    p {
                        a href=(address) {
                            @match self.refresh_seconds {
                                Some(_) => "Stop renewing this page",
                                None => "Keep this page up to date",
                            }
                        }
                    }
                }
            }
            main {
                @for part in &self.story { (section(&**part, suite)) }
                (guardrails::section(suite))
                @for part in &self.sections { (section(&**part, suite)) }
                (history::section(&self.history))
            }
            footer { p.soft { "Made " (time(self.generated_at)) "." } }
        };
        document(&title, self.refresh_seconds, &body)
    }
}

/// A clause as the begin of a sentence.
fn clause(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}", letters.as_str())
}

/// The machinery and the KPI, apart: the one can be sound while the other is red.
fn headline(suite: &SuiteReport) -> Markup {
    html! {
        @if let Some(kpi) = &suite.kpi {
            p.headline {
                (kpi_badge(kpi.state)) " " strong { (clause(&kpi.in_words())) } "."
                @if let Some(outlook) = &kpi.outlook { " " span.soft { (prose(&clause(outlook))) "." } }
            }
        }
        p.headline { (badge(suite.machinery)) " " strong { (clause(&suite.machinery_in_words())) } "." }
    }
}

fn section(part: &dyn Section, suite: &SuiteReport) -> Markup {
    let body = part.body(suite);
    let id = slug(part.heading());
    html! {
        @if !body.is_empty() {
            section aria-labelledby=(id) { h2 #(id) { (part.heading()) } (body.markup()) }
        }
    }
}

/// Writes a plain page of one body, such as a list of leads, with a way back.
#[must_use]
pub fn plain_page(heading: &str, back: Option<(&str, &str)>, body: &Body) -> String {
    let content = html! {
        header {
            h1 { (heading) }
            @if let Some((address, words)) = back { p { a href=(address) { (words) } } }
        }
        main { section aria-label=(heading) { (body.markup()) } }
    };
    document(heading, None, &content)
}

fn document(title: &str, refresh: Option<u32>, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(CONTENT_SECURITY_POLICY);
                meta name="color-scheme" content="light dark";
                @if let Some(seconds) = refresh { meta http-equiv="refresh" content=(seconds); }
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    };
    visible(&page.into_string()).into_owned()
}
