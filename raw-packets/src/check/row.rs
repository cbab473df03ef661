//! The row of a returned packet: every cell, the rules between cells, and the KPIs that follow.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::cell::{Context, Judged, Value, read_cell, said};
use super::header::Columns;
use crate::finding::{Finding, KpiFault, Problem};
use crate::formula::{EvaluateError, KpiValue};
use crate::plan::Packet;
use crate::read::{Cell, SheetRow, column_letters};
use crate::template::{Choice, Column, Fill, KpiRule, Role, RowRule, Template};
use crate::value::{is_blank, same_text};

/// A row that passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawRow {
    pub(super) row: u64,
    pub(super) period_date: NaiveDate,
    pub(super) evidence_date: NaiveDate,
    pub(super) evidence_quote: String,
    pub(super) source_url: String,
    pub(super) source_record_id: String,
    pub(super) kpis: Vec<(String, KpiValue)>,
}

/// Checks a row of a packet.
pub(super) struct RowCheck<'a> {
    pub(super) context: Context<'a>,
    /// The row as issued, one text per column.
    pub(super) issued: &'a [String],
    /// The packet of a source; none for a row of a packet of rows.
    pub(super) packet: Option<&'a Packet>,
    /// How many columns the header has.
    pub(super) width: usize,
    /// Of an upright form, the row in which the value of each column of the header stands.
    pub(super) upright: &'a [u64],
    pub(super) columns: &'a Columns,
}

impl RowCheck<'_> {
    /// Says whether nothing was filled in: every captured cell is blank or as issued.
    pub(super) fn is_unfilled(&self, row: &SheetRow) -> bool {
        let template = self.context.template;
        template.columns().iter().enumerate().all(|(at, column)| {
            let text = self.cell(row, at).map_or_else(Default::default, |cell| said(column, cell));
            let issued = &self.issued[at];
            // What was proposed may be shown as it is called in another language.
            let same = |choice: &Choice| column.choice(issued) == Some(choice);
            column.role != Role::Capture
                || is_blank(&text)
                || same_text(&text, issued)
                || column.choice(&text).is_some_and(same)
        })
    }

    /// Says whether a row is the packet's: every key that was issued is there.
    pub(super) fn is_own(&self, row: &SheetRow) -> bool {
        let columns = self.context.template.columns().iter().enumerate();
        columns.filter(|(_, column)| column.role == Role::Key).all(|(at, column)| {
            let issued = &self.issued[at];
            let judged =
                self.cell(row, at).map(|cell| read_cell(&self.context, column, issued, cell));
            let good = |judged| matches!(judged, Judged::Good(_) | Judged::Noted(..));
            issued.is_empty() || self.columns.positions[at].is_none() || judged.is_some_and(good)
        })
    }

    fn finding(&self, problem: &Problem<'_>) -> Finding {
        Finding::new(self.context.language, problem)
    }

    /// Checks a row of a source's packet; gives its figures where no error is found.
    pub(super) fn check(&self, row: &SheetRow, findings: &mut Vec<Finding>) -> Option<RawRow> {
        let before = findings.len();
        let values = self.values(row, findings);
        let packet = self.packet?;
        let kpis = self.kpis(packet, row, &values, findings);
        if self.is_refused(&values) || findings[before..].iter().any(Finding::is_error) {
            return None;
        }
        self.raw_row(packet, row.number, &values, kpis)
    }

    /// Checks every cell of a row and the rules between them; gives the values, none for a cell that is refused.
    pub(super) fn values(&self, row: &SheetRow, findings: &mut Vec<Finding>) -> Vec<Option<Value>> {
        let template = self.context.template;
        let mut foreign = false;
        let mut values: Vec<Option<Value>> = Vec::with_capacity(template.columns().len());
        for (at, column) in template.columns().iter().enumerate() {
            // That a column is missing is said of the header.
            if self.columns.positions[at].is_none() {
                values.push(None);
                continue;
            }
            let issued = &self.issued[at];
            // Of a packet of rows what is shown may be left out of the plan.
            if self.packet.is_none() && column.role == Role::Context && issued.is_empty() {
                values.push(Some(Value::Blank));
                continue;
            }
            let blank = Cell::text("");
            let cell = self.cell(row, at).unwrap_or(&blank);
            match read_cell(&self.context, column, issued, cell) {
                Judged::Good(value) => values.push(Some(value)),
                Judged::Noted(value, note) => {
                    values.push(Some(value));
                    findings.push(self.locate(note, row, at));
                }
                // What is wrong is said of the file.
                Judged::Told => values.push(None),
                Judged::Refused(error) => {
                    values.push(None);
                    findings.push(self.locate(error, row, at));
                }
                Judged::Foreign(error) => {
                    values.push(None);
                    // A row of something else has several keys that are not these; that is one cause.
                    if !foreign {
                        findings.push(self.locate(error, row, at));
                    }
                    foreign = true;
                }
            }
        }
        self.extra_cells(row, findings);
        self.rules(row, &values, findings);
        values
    }

    /// Says whether a cell of a column that is there gave no value.
    pub(super) fn is_refused(&self, values: &[Option<Value>]) -> bool {
        let columns = values.iter().zip(&self.columns.positions);
        columns.into_iter().any(|(value, at)| value.is_none() && at.is_some())
    }

    pub(super) fn cell<'r>(&self, row: &'r SheetRow, at: usize) -> Option<&'r Cell> {
        self.columns.positions[at].and_then(|position| row.cells.get(position))
    }

    /// Names the cell of a column of the template as a spreadsheet does.
    pub(super) fn cell_name(&self, row: u64, at: usize) -> Option<String> {
        let position = self.columns.positions[at]?;
        Some(match self.upright.get(position) {
            Some(row) => format!("B{row}"),
            None => format!("{}{row}", column_letters(position)),
        })
    }

    /// Puts a finding at the cell of a column of the template.
    pub(super) fn locate(&self, mut finding: Finding, row: &SheetRow, at: usize) -> Finding {
        finding.row = Some(row.number);
        finding.column = Some(self.context.template.columns()[at].name.clone());
        finding.cell = self.cell_name(row.number, at);
        let shown = self.cell(row, at).map_or("", |cell| cell.text.as_str());
        finding.with_value(shown)
    }

    fn extra_cells(&self, row: &SheetRow, findings: &mut Vec<Finding>) {
        for (at, cell) in row.cells.iter().enumerate().skip(self.width) {
            if !is_blank(&cell.text) {
                let mut finding =
                    self.finding(&Problem::ExtraCell).at_row(row.number).with_value(&cell.text);
                finding.cell = Some(format!("{}{}", column_letters(at), row.number));
                findings.push(finding);
            }
        }
    }

    fn rules(&self, row: &SheetRow, values: &[Option<Value>], findings: &mut Vec<Finding>) {
        let template = self.context.template;
        let at = |name: &str| template.position(name).expect("a template's rules name its columns");
        for rule in template.rules() {
            match rule {
                RowRule::RequiredWhenFilled { when, then } => {
                    if matches!(values[at(when)], None | Some(Value::Blank)) {
                        continue;
                    }
                    for name in then {
                        if values[at(name)] == Some(Value::Blank) {
                            let finding = self.finding(&Problem::RequiredWhenFilled { when });
                            findings.push(self.locate(finding, row, at(name)));
                        }
                    }
                }
                RowRule::RequiredWhenIs { column, is, then } => {
                    let Some(Value::Text(said)) = &values[at(column)] else { continue };
                    let of = &template.columns()[at(column)];
                    let Some(choice) = of.choice(said).filter(|_| is.contains(said)) else {
                        continue;
                    };
                    for name in then {
                        if values[at(name)] == Some(Value::Blank) {
                            let problem =
                                Problem::RequiredWhenIs { when: column, is: &choice.label };
                            findings.push(self.locate(self.finding(&problem), row, at(name)));
                        }
                    }
                }
                RowRule::AtMost { column, of } => {
                    if let (Some(Value::Number(part)), Some(Value::Number(whole))) =
                        (&values[at(column)], &values[at(of)])
                        && part > whole
                    {
                        let problem = Problem::PartGreaterThanWhole { of, whole: *whole };
                        let finding = self.finding(&problem);
                        findings.push(self.locate(finding, row, at(column)));
                    }
                }
            }
        }
    }

    fn kpis(
        &self,
        packet: &Packet,
        row: &SheetRow,
        values: &[Option<Value>],
        findings: &mut Vec<Finding>,
    ) -> Vec<(String, KpiValue)> {
        let template = self.context.template;
        let mut measures: BTreeMap<&str, Decimal> = BTreeMap::new();
        let of_row = findings.iter().filter(|f| f.is_error() && f.row == Some(row.number));
        let mut refused: BTreeSet<&str> = of_row.filter_map(known_column(template)).collect();
        for (column, value) in template.columns().iter().zip(values) {
            match value {
                Some(Value::Number(number)) => drop(measures.insert(&column.name, *number)),
                None => drop(refused.insert(&column.name)),
                Some(_) => {}
            }
        }
        let expected = packet.kpis_expected();
        let mut kpis = Vec::new();
        for kpi in template.kpis() {
            let owed = expected.is_empty() || expected.contains(&kpi.kpi_id);
            // A measure that is refused already would only be refused a second time.
            if !owed || kpi.formula.measures().iter().any(|measure| refused.contains(measure)) {
                continue;
            }
            let result = kpi.formula.evaluate(kpi.decimals, |name| measures.get(name).copied());
            let fault = match &result {
                Ok(value) => match out_of_range(kpi, value) {
                    None => {
                        kpis.push((kpi.kpi_id.clone(), value.clone()));
                        continue;
                    }
                    Some(fault) => fault,
                },
                // An optional measure was left blank: the row says nothing of this KPI.
                Err(EvaluateError::MissingMeasure { .. }) => continue,
                Err(error) => KpiFault::Evaluate(error),
            };
            let problem =
                Problem::Kpi { kpi_id: &kpi.kpi_id, formula: kpi.formula.as_str(), fault };
            findings.push(self.at_formula(self.finding(&problem), row, kpi));
        }
        kpis
    }

    /// Puts a finding at the first measure of a KPI's formula.
    fn at_formula(&self, finding: Finding, row: &SheetRow, kpi: &KpiRule) -> Finding {
        let text = kpi.formula.as_str();
        let measures = kpi.formula.measures().into_iter();
        let first = measures.min_by_key(|measure| text.find(measure).unwrap_or(usize::MAX));
        match first.and_then(|measure| self.context.template.position(measure)) {
            Some(at) => self.locate(finding, row, at),
            None => finding.at_row(row.number),
        }
    }

    /// Notes the KPIs that a gap asks for and that do not follow from the row.
    pub(super) fn unanswered(
        &self,
        packet: &Packet,
        row: &SheetRow,
        taken: &RawRow,
        findings: &mut Vec<Finding>,
    ) {
        let asked = |kpi: &&KpiRule| packet.kpis_missing().contains(&kpi.kpi_id);
        for kpi in self.context.template.kpis().iter().filter(asked) {
            if !taken.kpis.iter().any(|(answered, _)| *answered == kpi.kpi_id) {
                let formula = kpi.formula.as_str();
                let problem = Problem::KpiUnanswered { kpi_id: &kpi.kpi_id, formula };
                findings.push(self.at_formula(self.finding(&problem), row, kpi));
            }
        }
    }

    fn raw_row(
        &self,
        packet: &Packet,
        row: u64,
        values: &[Option<Value>],
        kpis: Vec<(String, KpiValue)>,
    ) -> Option<RawRow> {
        let template = self.context.template;
        let date = |at: Option<usize>| match at.map(|at| &values[at]) {
            Some(Some(Value::Date(date))) => Some(*date),
            _ => None,
        };
        let text = |at: Option<usize>| match at.map(|at| &values[at]) {
            Some(Some(Value::Text(text))) => text.clone(),
            _ => String::new(),
        };
        // A template's keys and evidence are required, so that a row without errors has both days.
        let is_period = |c: &Column| c.role == Role::Key && c.fill == Some(Fill::PeriodDate);
        Some(RawRow {
            row,
            period_date: date(template.columns().iter().position(is_period))?,
            evidence_date: date(template.position(template.evidence_date()))?,
            evidence_quote: text(template.position(template.evidence_quote())),
            source_url: text(template.filled_with(&Fill::SourceUrl)),
            source_record_id: packet.key().source_record_id(template.record_prefix()),
            kpis,
        })
    }
}

fn known_column<'t>(template: &'t Template) -> impl Fn(&Finding) -> Option<&'t str> {
    move |finding| {
        let name = finding.column.as_deref()?;
        template.position(name).map(|at| template.columns()[at].name.as_str())
    }
}

fn out_of_range(kpi: &KpiRule, value: &KpiValue) -> Option<KpiFault<'static>> {
    // Of a quotient the exact sides are compared, so that rounding hides nothing.
    let exceeds = |limit: Decimal| match (value.numerator, value.denominator) {
        (Some(numerator), Some(denominator)) if denominator > Decimal::ZERO => {
            limit.checked_mul(denominator).map(|bound| numerator.cmp(&bound))
        }
        _ => Some(value.value.cmp(&limit)),
    };
    let below = kpi.minimum.filter(|limit| exceeds(*limit).is_some_and(std::cmp::Ordering::is_lt));
    let above = kpi.maximum.filter(|limit| exceeds(*limit).is_some_and(std::cmp::Ordering::is_gt));
    if let Some(limit) = below {
        return Some(KpiFault::LessThan { value: value.value, limit });
    }
    above.map(|limit| KpiFault::GreaterThan { value: value.value, limit })
}
