//! SVG by hand: widths in percent and heights in pixels, so that text keeps its size on every screen.

use maud::{Markup, html};

use crate::words::grouped;

/// One horizontal bar with its words above it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bar {
    /// What it stands for.
    pub label: String,
    /// What stands at its right end.
    pub value: String,
    /// Its length, from 0 to 1.
    pub share: f64,
    /// Where its label leads to.
    pub link: Option<String>,
}

/// The vertical scale of a plot: from zero, or below it, to a round number.
pub(super) struct Scale {
    low: f64,
    high: f64,
    top: f64,
    height: f64,
}

impl Scale {
    /// Makes a scale that holds all values, drawn from `top` over `height` pixels.
    pub(super) fn of(values: impl Iterator<Item = f64>, top: f64, height: f64) -> Self {
        let (mut low, mut high) = (0.0_f64, 0.0_f64);
        for value in values.filter(|value| value.is_finite()) {
            low = low.min(value);
            high = high.max(value);
        }
        let step = round_step((high - low).max(1.0));
        Self {
            low: (low / step).floor() * step,
            high: (high / step).ceil().max(1.0) * step,
            top,
            height,
        }
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low).max(f64::MIN_POSITIVE);
        round(self.top + self.height * (1.0 - share))
    }

    /// Draws the grid lines, each with its number above it.
    pub(super) fn grid(&self) -> Markup {
        let step = round_step((self.high - self.low).max(1.0));
        // Round steps leave at most six lines.
        let ticks =
            (0..=10).map(|i| self.low + step * f64::from(i)).take_while(|t| *t <= self.high);
        html! {
            @for tick in ticks {
                @let y = self.y(tick);
                line.grid x1="0" x2="100%" y1=(y) y2=(y) {}
                text.tick x="0" y=(y - 3.0) { (compact(tick)) }
            }
        }
    }
}

/// A tick in few letters: `1.2M`, `350k`, `8,000`.
fn compact(value: f64) -> String {
    match value.abs() {
        v if v >= 1e9 => format!("{}G", round(value / 1e9)),
        v if v >= 1e6 => format!("{}M", round(value / 1e6)),
        v if v >= 1e4 => format!("{}k", round(value / 1e3)),
        _ => grouped(whole(value)),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "called on less than 10,000")]
fn whole(value: f64) -> i128 {
    value.round() as i128
}

/// A step of 1, 2 or 5 times a power of ten that cuts a range into three to six.
fn round_step(range: f64) -> f64 {
    let rough = range / 4.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough)
        .unwrap_or(10.0 * power);
    step.max(1.0)
}

pub(super) fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

pub(super) fn percent(value: f64) -> String {
    format!("{}%", round(value))
}

/// How much of the width the numbers of the grid take, in percent.
const GUTTER: f64 = 11.0;

/// The left edge and the width, in percent, of slot `i` of `slots`.
pub(super) fn slot(i: usize, slots: usize) -> (f64, f64) {
    let width = (100.0 - GUTTER) / slots.max(1) as f64;
    (GUTTER + i as f64 * width, width)
}

/// Joins points, given in percent and pixels, by straight lines.
pub(super) fn line(points: &[(f64, f64)], class: &str) -> Markup {
    html! {
        @for pair in points.windows(2) {
            line class=(class) x1=(percent(pair[0].0)) y1=(pair[0].1) x2=(percent(pair[1].0)) y2=(pair[1].1) {}
        }
    }
}

/// Labels at the left edge, in the middle and at the right edge.
pub(super) fn ends(labels: [&str; 3], y: f64) -> Markup {
    html! {
        text.tick x=(percent(GUTTER)) y=(y) { (labels[0]) }
        text.tick x=(percent(50.0 + GUTTER / 2.0)) y=(y) text-anchor="middle" { (labels[1]) }
        text.tick x="100%" y=(y) text-anchor="end" { (labels[2]) }
    }
}

/// Horizontal bars, one under the other.
pub(super) fn bars(bars: &[Bar], label: &str) -> Markup {
    const ROW: usize = 44;
    // An image hides what is in it from a screen reader; links must be reached.
    let role = if bars.iter().any(|bar| bar.link.is_some()) { "group" } else { "img" };
    html! {
        svg role=(role) aria-label=(label) height=(bars.len() * ROW) {
            @for (i, bar) in bars.iter().enumerate() {
                @let top = i * ROW;
                @if let Some(link) = &bar.link {
                    a href=(link) { text x="0" y=(top + 15) text-decoration="underline" { (bar.label) } }
                } @else {
                    text x="0" y=(top + 15) { (bar.label) }
                }
                text x="100%" y=(top + 15) text-anchor="end" { (bar.value) }
                rect.bar x="0" y=(top + 21) height="14" rx="2" width=(percent(100.0 * bar.share.clamp(0.0, 1.0))) {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_hold_their_values_and_have_few_round_ticks() {
        for high in [0.0, 1.0, 3.0, 7.0, 99.0, 203.0, 5_000.0, 1_234_567.0] {
            let scale = Scale::of([high].into_iter(), 0.0, 100.0);
            assert!(scale.high >= high && scale.y(high) >= 0.0, "{high}");
            let lines = scale.grid().into_string().matches("<line").count();
            assert!((2..=6).contains(&lines), "{high}: {lines}");
        }
    }

    #[test]
    fn values_below_zero_have_room_below() {
        let scale = Scale::of([-5.0, 10.0].into_iter(), 0.0, 100.0);
        assert!(scale.y(-5.0) <= 100.0 && scale.y(10.0) >= 0.0);
    }
}
