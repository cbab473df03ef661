//! What a section shows, made of parts that escape what they are given.

use maud::{Markup, PreEscaped, html};

use super::plot::{Bar, bars};
use super::words::prose;

/// The content of a section or of a plain page.
///
/// Every text is escaped; a `code` between backticks is set as code. Empty bodies make their section vanish.
///
/// ```
/// use guardrails::page::{Body, Table};
///
/// let table = Table::new("Invoices by state", ["State", "Invoices"]).numbers_from(1);
/// let body = Body::default()
///     .paragraph("Two states have `unpaid` invoices.")
///     .table(&table.row(["sent", "12"]).row(["<late>", "3"]));
/// assert!(!body.is_empty());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Body(String);

impl Body {
    /// Says whether there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a paragraph.
    #[must_use]
    pub fn paragraph(self, text: &str) -> Self {
        self.with(&html! { p { (prose(text)) } })
    }

    /// Adds a paragraph in the second tone.
    #[must_use]
    pub fn remark(self, text: &str) -> Self {
        self.with(&html! { p.soft { (prose(text)) } })
    }

    /// Adds named figures side by side.
    #[must_use]
    pub fn figures<N: AsRef<str>, V: AsRef<str>>(
        self,
        figures: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.with(&html! {
            dl.tiles {
                @for (name, value) in figures {
                    div { dt { (name.as_ref()) } dd { (value.as_ref()) } }
                }
            }
        })
    }

    /// Adds a table; one without rows is left out.
    #[must_use]
    pub fn table(self, table: &Table) -> Self {
        if table.rows.is_empty() { self } else { self.with(&table.markup()) }
    }

    /// Adds a table that opens on demand, and on paper; one without rows is left out.
    #[must_use]
    pub fn folded_table(self, summary: &str, table: &Table) -> Self {
        if table.rows.is_empty() {
            return self;
        }
        self.with(&html! { details { summary { (summary) } (table.markup()) } })
    }

    /// Adds horizontal bars, the first at full length if its share is 1; `label` names the picture.
    #[must_use]
    pub fn bars(self, label: &str, drawn: &[Bar]) -> Self {
        if drawn.is_empty() { self } else { self.with(&html! { figure { (bars(drawn, label)) } }) }
    }

    /// Adds what to do, each with its command where there is one.
    #[must_use]
    pub fn next_steps<'a>(
        self,
        items: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
    ) -> Self {
        let items: Vec<_> = items.into_iter().collect();
        if items.is_empty() {
            return self;
        }
        self.with(&html! {
            ul.todo {
                @for (words, command) in items {
                    li { (prose(words)) @if let Some(command) = command { pre tabindex="0" { code { (command) } } } }
                }
            }
        })
    }

    /// Adds a link.
    #[must_use]
    pub fn link(self, address: &str, text: &str) -> Self {
        self.with(&html! { p { a href=(address) { (text) } } })
    }

    /// Adds a form of one field; `post` sends it as a body, for what must not stand in an address.
    #[must_use]
    pub fn form(self, action: &str, field: &FormField<'_>, button: &str, post: bool) -> Self {
        let FormField { name, label, value, secret } = field;
        self.with(&html! {
            form action=(action) method=(if post { "post" } else { "get" }) {
                label for=(name) { (label) }
                input #(name) name=(name) value=(value) required
                    type=(if *secret { "password" } else { "search" })
                    autocomplete=(if *secret { "current-password" } else { "off" });
                button type="submit" { (button) }
            }
        })
    }

    /// Adds a button that posts an empty form.
    #[must_use]
    pub fn button(self, action: &str, text: &str) -> Self {
        self.with(&html! { form action=(action) method="post" { button type="submit" { (text) } } })
    }

    /// Adds a smaller heading.
    #[must_use]
    pub fn heading(self, text: &str) -> Self {
        self.with(&html! { h3 { (text) } })
    }

    pub(super) fn with(mut self, markup: &Markup) -> Self {
        self.0.push_str(&markup.0);
        self
    }

    pub(super) fn markup(&self) -> PreEscaped<&str> {
        PreEscaped(self.0.as_str())
    }
}

/// The field of a form.
#[derive(Debug, Clone, Copy, Default)]
pub struct FormField<'a> {
    /// Its name in the request.
    pub name: &'a str,
    /// What people read beside it.
    pub label: &'a str,
    /// What it holds already.
    pub value: &'a str,
    /// Whether it hides what is typed.
    pub secret: bool,
}

/// A table that becomes a list of rows on a narrow screen.
#[derive(Debug, Clone)]
pub struct Table {
    caption: String,
    head: Vec<String>,
    numbers: std::ops::Range<usize>,
    code: bool,
    rows: Vec<Vec<Markup>>,
}

impl Table {
    /// Makes a table without rows.
    pub fn new<H: Into<String>>(
        caption: impl Into<String>,
        head: impl IntoIterator<Item = H>,
    ) -> Self {
        Self {
            caption: caption.into(),
            head: head.into_iter().map(Into::into).collect(),
            numbers: 0..0,
            code: false,
            rows: Vec::new(),
        }
    }

    /// Sets all columns from this one on as numbers.
    #[must_use]
    pub fn numbers_from(mut self, column: usize) -> Self {
        self.numbers = column..usize::MAX;
        self
    }

    /// Sets these columns as numbers.
    #[must_use]
    pub fn numbers(mut self, columns: std::ops::Range<usize>) -> Self {
        self.numbers = columns;
        self
    }

    /// Sets the first column as code, such as for keys.
    #[must_use]
    pub fn keys(mut self) -> Self {
        self.code = true;
        self
    }

    /// Adds a row.
    #[must_use]
    pub fn row<C: AsRef<str>>(self, cells: impl IntoIterator<Item = C>) -> Self {
        let cells = cells.into_iter().map(|cell| html! { (cell.as_ref()) }).collect();
        self.cells(cells)
    }

    /// Adds a row whose first cell leads somewhere.
    #[must_use]
    pub fn linked_row<C: AsRef<str>>(
        self,
        address: &str,
        cells: impl IntoIterator<Item = C>,
    ) -> Self {
        let mut cells = cells.into_iter();
        let first = cells.next();
        let first = first.map(|cell| html! { a href=(address) { (cell.as_ref()) } });
        let rest = cells.map(|cell| html! { (cell.as_ref()) });
        let cells = first.into_iter().chain(rest).collect();
        self.cells(cells)
    }

    pub(super) fn cells(mut self, cells: Vec<Markup>) -> Self {
        self.rows.push(cells);
        self
    }

    pub(super) fn markup(&self) -> Markup {
        let class = |i: usize| self.numbers.contains(&i).then_some("n");
        // The roles stay where the style makes blocks of the rows, which takes them away in some browsers.
        html! {
            div.scroll {
                table.stack role="table" {
                    caption { (self.caption) }
                    thead role="rowgroup" {
                        tr role="row" {
                            @for (i, name) in self.head.iter().enumerate() {
                                th class=[class(i)] role="columnheader" scope="col" { (name) }
                            }
                        }
                    }
                    tbody role="rowgroup" {
                        @for row in &self.rows {
                            tr role="row" {
                                @for (i, cell) in row.iter().enumerate() {
                                    @if i == 0 {
                                        th role="rowheader" scope="row" {
                                            @if self.code { code { (cell) } } @else { (cell) }
                                        }
                                    } @else {
                                        td class=[class(i)] role="cell" data-label=(self.head.get(i).map_or("", String::as_str)) { (cell) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
