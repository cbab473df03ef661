//! The page that tells people how a packet is filled in: self-contained, with pictures of the sheet, for a screen
//! and for paper.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use rust_decimal::Decimal;

use super::PackageFile;
use super::guide_words::{WORDS, Words};
use super::sheet_picture::{Cell, Part, picture};
use crate::plan::{PacketPlan, RowPlan};
use crate::profile::{CsvProfile, PacketForm};
use crate::template::{CellType, Column, Language, Role, Template};

/// The names of the page by language.
pub(crate) const GUIDES: [(Language, &str); 2] =
    [(Language::En, "README.html"), (Language::Es, "LEEME.html")];

/// How many captured columns a picture shows.
const DRAWN: usize = 4;

impl PacketPlan {
    /// Returns the page that tells people how to fill the packets in: in the language of the workbooks, in every
    /// language beside CSV files, which have none; none where there are no packets.
    ///
    /// It holds no value of any packet. It needs nothing from outside and prints on two sheets of A4.
    #[must_use]
    pub fn guides(&self) -> Vec<PackageFile> {
        if self.packets().is_empty() {
            return Vec::new();
        }
        guides(self.template(), self.options().form)
    }
}

impl RowPlan {
    /// Returns the page that tells people how to fill the packets in, as [`PacketPlan::guides`].
    #[must_use]
    pub fn guides(&self) -> Vec<PackageFile> {
        if self.packets().is_empty() {
            return Vec::new();
        }
        guides(self.template(), self.form())
    }
}

fn guides(template: &Template, form: PacketForm) -> Vec<PackageFile> {
    let spoken = |language| form.profile().is_some() || form.language() == language;
    GUIDES
        .into_iter()
        .filter(|(language, _)| spoken(*language))
        .map(|(language, name)| {
            let page = Guide { template, form, language, words: &WORDS[language as usize] };
            PackageFile { path: name.to_owned(), bytes: page.html().into_string().into_bytes() }
        })
        .collect()
}

struct Guide<'a> {
    template: &'a Template,
    form: PacketForm,
    language: Language,
    words: &'static Words,
}

impl Guide<'_> {
    fn html(&self) -> Markup {
        let words = self.words;
        let title = self.template.title().get(self.language);
        html! {
            (DOCTYPE)
            html lang=(words.code) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body { main {
                    h1 { (title) }
                    p.lead { (self.template.instructions().get(self.language)) }
                    p { (words.packet) " " @if self.template.is_of_rows() { (words.rows) } @else { (words.one_row) } }
                    (self.pictures())
                    (self.columns())
                    h2 { (words.nothing_title) }
                    @for paragraph in words.nothing { p { (paragraph) } }
                    p { @if self.form.profile().is_some() { (words.remark_in_csv) } @else { (words.remark_in_workbook) } }
                    (self.numbers())
                    h2 { (words.save_title) }
                    ul { @for line in words.save { li { (line) } } }
                    h2 { (words.back_title) }
                    ul { @for line in words.back { li { (line) } } }
                    h2 { (words.next_title) }
                    ol { @for line in words.next { li { (line) } } }
                } }
            }
        }
    }

    /// The sheet as it comes and as it goes back.
    fn pictures(&self) -> Markup {
        let words = self.words;
        let workbook = self.form.profile().is_none();
        html! {
            h2 { (words.sheet_title) }
            figure {
                (picture(words.issued_title, &self.parts(false)))
                figcaption { (words.issued) }
            }
            figure {
                (picture(words.filled_title, &self.parts(true)))
                figcaption { (words.filled) }
            }
            p { @if workbook { (words.colours) } @else { (words.no_colours) } }
            @if workbook && !self.template.is_of_rows() { p { (words.upright) } }
        }
    }

    /// What a picture shows: the first column, those that are to be filled in, and the gaps between them.
    fn parts(&self, filled: bool) -> Vec<Part<'_>> {
        let columns = self.template.columns();
        let captured = columns.iter().enumerate().filter(|(_, c)| c.role == Role::Capture);
        let captured = captured.map(|(at, _)| at).take(DRAWN);
        let mut drawn: Vec<usize> = captured.collect();
        if drawn.first() != Some(&0) && !columns.is_empty() {
            drawn.insert(0, 0);
        }
        let mut parts = Vec::new();
        let mut next = 0;
        for at in drawn {
            if at > next {
                parts.push(Part::Gap);
            }
            let column = &columns[at];
            let cell = match column.role {
                Role::Capture if filled => Cell::Filled(self.example(column)),
                Role::Capture => Cell::Open,
                Role::Key | Role::Context => Cell::Given,
            };
            parts.push(Part::Column { at, name: &column.name, cell });
            next = at + 1;
        }
        if next < columns.len() {
            parts.push(Part::Gap);
        }
        parts
    }

    fn columns(&self) -> Markup {
        let words = self.words;
        let asked: Vec<_> =
            self.template.columns().iter().filter(|c| c.role == Role::Capture).collect();
        html! {
            h2 { (words.columns_title) }
            div.wide tabindex="0" role="region" aria-label=(words.columns_title) { table {
                thead { tr { @for label in words.column_labels { th scope="col" { (label) } } } }
                tbody { @for column in asked { tr {
                    th scope="row" { code { (column.name) } }
                    td {
                        (column.title.get(self.language))
                        @if let Some(unit) = &column.unit { " (" (unit.get(self.language)) ")" }
                    }
                    td { (self.rule(column)) }
                    td { (self.example(column)) }
                } } }
            } }
            p { (words.others) }
        }
    }

    /// Says in words what a column takes.
    fn rule(&self, column: &Column) -> String {
        let words = self.words;
        let mut told = vec![match column.cell_type {
            CellType::Integer => words.whole_number.to_owned(),
            CellType::Decimal => words.number.to_owned(),
            CellType::Date => words.day.to_owned(),
            CellType::Url => words.address.to_owned(),
            CellType::Text if column.one_of.is_empty() => words.text.to_owned(),
            CellType::Text => {
                let labels: Vec<_> =
                    column.one_of.iter().map(|choice| choice.label.get(self.language)).collect();
                format!("{} {}", words.one_of, labels.join(", "))
            }
        }];
        if let Some(least) = column.min_length {
            told.push(words.min_length.replace("{}", &least.to_string()));
        }
        if let Some(bound) = &column.minimum {
            let text = if bound.exclusive { words.more_than } else { words.at_least };
            told.push(text.replace("{}", &self.written(bound.limit)));
        }
        if let Some(bound) = &column.maximum {
            let text = if bound.exclusive { words.less_than } else { words.at_most };
            told.push(text.replace("{}", &self.written(bound.limit)));
        }
        told.push(if column.required { words.required } else { words.optional }.to_owned());
        told.join("; ")
    }

    /// A cell that the column takes.
    fn example(&self, column: &Column) -> String {
        match column.cell_type {
            CellType::Date => "2025-03-31".to_owned(),
            CellType::Url => "https://example.org/…".to_owned(),
            CellType::Integer => self.number(column, [1_200, 12, 1].map(Decimal::from)),
            CellType::Decimal => self.number(column, [1_825, 5, 10].map(|n| Decimal::new(n, 1))),
            CellType::Text => match column.one_of.first() {
                Some(choice) => choice.label.get(self.language).to_owned(),
                None if column.min_length.is_some() => self.words.quotation.to_owned(),
                None => self.words.any_text.to_owned(),
            },
        }
    }

    /// The first of some numbers within the bounds of a column; else a bound of it.
    fn number(&self, column: &Column, numbers: [Decimal; 3]) -> String {
        let above = |n: &Decimal| {
            column.minimum.as_ref().is_none_or(|b| *n > b.limit || *n == b.limit && !b.exclusive)
        };
        let below = |n: &Decimal| {
            column.maximum.as_ref().is_none_or(|b| *n < b.limit || *n == b.limit && !b.exclusive)
        };
        let fits = numbers.into_iter().find(|n| above(n) && below(n));
        let bound = column.minimum.as_ref().or(column.maximum.as_ref()).map(|b| b.limit);
        self.written(fits.or(bound).unwrap_or_default())
    }

    /// A number with the decimal mark of the packets' form.
    fn written(&self, number: Decimal) -> String {
        number.normalize().to_string().replace('.', &self.mark().to_string())
    }

    fn mark(&self) -> char {
        match self.form.profile() {
            Some(profile) => profile.decimal_mark(),
            None if self.language == Language::Es => ',',
            None => CsvProfile::Plain.decimal_mark(),
        }
    }

    fn numbers(&self) -> Markup {
        let words = self.words;
        let half = format!("182{}5", self.mark());
        html! {
            h2 { (words.numbers_title) }
            div.wide tabindex="0" role="region" aria-label=(words.numbers_title) { table {
                thead { tr { @for label in words.number_labels { th scope="col" { (label) } } } }
                tbody {
                    @for [what, so, not] in words.numbers {
                        tr { th scope="row" { (what) } td { (so.replace("{half}", &half)) } td { (not) } }
                    }
                }
            } }
            p { (words.values) }
        }
    }
}

/// One look for screen and paper; no files from outside.
const STYLE: &str = "\
:root{color-scheme:light}\
body{margin:0;background:#fff;color:#1b1b1b;font:16px/1.5 system-ui,sans-serif}\
main{max-width:52rem;margin:0 auto;padding:1rem}\
h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0}\
h2{font-size:1.15rem;margin:1.4rem 0 .4rem;break-after:avoid}\
p,ul,ol{margin:.4rem 0}.lead{font-size:1.05rem}\
figure{margin:.8rem 0;break-inside:avoid}figcaption{font-size:.9rem;color:#444}\
svg{width:100%;height:auto;display:block}\
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}\
th,td{border:1px solid #999;padding:.25rem .5rem;text-align:left;vertical-align:top}\
thead th{background:#d9e1f2}tbody th{font-weight:400}tr{break-inside:avoid}\
code{font-size:.85rem;overflow-wrap:anywhere}\
@media print{body{font-size:9.5pt;line-height:1.35}main{max-width:none;padding:0}.wide{overflow:visible}@page{size:A4;margin:14mm}}";
