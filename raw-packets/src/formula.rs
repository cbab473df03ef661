//! KPI formulas as data: sums, differences, products and quotients of a packet's measures,
//! evaluated with exact decimals.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// How many bytes a formula may have; far above any real one, and it bounds how deep one can nest.
const MAX_LENGTH: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Expr {
    Number(Decimal),
    Measure(String),
    Negate(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// A formula that computes a KPI from the measures of one raw row.
///
/// The grammar is that of school arithmetic: numbers, names of measures (letters, digits, `_`),
/// `+ - * /` and parentheses. Where the outermost operation is a quotient, its two sides are kept
/// as the KPI's numerator and denominator.
///
/// ```
/// use raw_packets::Formula;
/// use rust_decimal::Decimal;
///
/// let formula: Formula = "upheld / filed".parse()?;
/// let value = formula
///     .evaluate(6, |name| match name {
///         "upheld" => Some(Decimal::from(1)),
///         "filed" => Some(Decimal::from(3)),
///         _ => None,
///     })
///     .expect("both measures are known and the denominator is not zero");
/// assert_eq!(value.value.to_string(), "0.333333");
/// assert_eq!(value.numerator, Some(Decimal::from(1)));
/// assert_eq!(value.denominator, Some(Decimal::from(3)));
/// # Ok::<(), raw_packets::FormulaError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Formula {
    text: String,
    expr: Expr,
}

/// The result of a formula for one raw row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KpiValue {
    /// The value, rounded half away from zero to the KPI's number of decimals.
    pub value: Decimal,
    /// The exact dividend of a quotient; `None` for any other formula.
    pub numerator: Option<Decimal>,
    /// The exact divisor of a quotient; `None` for any other formula.
    pub denominator: Option<Decimal>,
}

/// The reason why a text is no formula.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("formula `{formula}`: {problem} at character {position}; write e.g. `upheld / filed`")]
pub struct FormulaError {
    /// The text as given.
    pub formula: String,
    /// What is wrong.
    pub problem: &'static str,
    /// The character where it went wrong, counted from 1.
    pub position: usize,
}

/// The reason why a formula has no value for a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// A measure of the formula has no value in the row.
    #[error("the measure `{measure}` has no value")]
    MissingMeasure {
        /// The measure's name.
        measure: String,
    },
    /// The divisor is zero.
    #[error("the formula `{formula}` divides by zero")]
    DivisionByZero {
        /// The formula's text.
        formula: String,
    },
    /// A number left the range of exact decimals (28 digits).
    #[error(
        "the formula `{formula}` gives a number that is too large or too long to be kept exactly"
    )]
    OutOfRange {
        /// The formula's text.
        formula: String,
    },
}

impl Formula {
    /// Returns the formula as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the names of the measures that the formula reads, sorted.
    #[must_use]
    pub fn measures(&self) -> BTreeSet<&str> {
        fn collect<'a>(expr: &'a Expr, into: &mut BTreeSet<&'a str>) {
            match expr {
                Expr::Number(_) => {}
                Expr::Measure(name) => {
                    into.insert(name);
                }
                Expr::Negate(inner) => collect(inner, into),
                Expr::Binary(_, left, right) => {
                    collect(left, into);
                    collect(right, into);
                }
            }
        }
        let mut measures = BTreeSet::new();
        collect(&self.expr, &mut measures);
        measures
    }

    /// Evaluates the formula on the measures that `measure` looks up, rounding the value to
    /// `scale` decimals.
    pub fn evaluate(
        &self,
        scale: u32,
        measure: impl Fn(&str) -> Option<Decimal>,
    ) -> Result<KpiValue, EvaluateError> {
        let round = |value: Decimal| {
            value.round_dp_with_strategy(scale, RoundingStrategy::MidpointAwayFromZero).normalize()
        };
        if let Expr::Binary(Operator::Divide, left, right) = &self.expr {
            let numerator = self.value(left, &measure)?;
            let denominator = self.value(right, &measure)?;
            let value = self.apply(Operator::Divide, numerator, denominator)?;
            return Ok(KpiValue {
                value: round(value),
                numerator: Some(numerator.normalize()),
                denominator: Some(denominator.normalize()),
            });
        }
        let value = self.value(&self.expr, &measure)?;
        Ok(KpiValue { value: round(value), numerator: None, denominator: None })
    }

    fn value(
        &self,
        expr: &Expr,
        measure: &impl Fn(&str) -> Option<Decimal>,
    ) -> Result<Decimal, EvaluateError> {
        match expr {
            Expr::Number(number) => Ok(*number),
            Expr::Measure(name) => {
                measure(name).ok_or_else(|| EvaluateError::MissingMeasure { measure: name.clone() })
            }
            Expr::Negate(inner) => Ok(-self.value(inner, measure)?),
            Expr::Binary(operator, left, right) => {
                let (left, right) = (self.value(left, measure)?, self.value(right, measure)?);
                self.apply(*operator, left, right)
            }
        }
    }

    fn apply(
        &self,
        operator: Operator,
        left: Decimal,
        right: Decimal,
    ) -> Result<Decimal, EvaluateError> {
        let result = match operator {
            Operator::Add => left.checked_add(right),
            Operator::Subtract => left.checked_sub(right),
            Operator::Multiply => left.checked_mul(right),
            Operator::Divide if right.is_zero() => {
                return Err(EvaluateError::DivisionByZero { formula: self.text.clone() });
            }
            Operator::Divide => left.checked_div(right),
        };
        result.ok_or_else(|| EvaluateError::OutOfRange { formula: self.text.clone() })
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Formula {
    type Err = FormulaError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > MAX_LENGTH {
            let formula = text.chars().take(40).collect();
            let problem = "more than 500 bytes are no formula";
            return Err(FormulaError { formula, problem, position: MAX_LENGTH });
        }
        let mut parser = Parser { chars: text.chars().collect(), at: 0 };
        parser
            .sum()
            .and_then(|expr| match parser.peek() {
                None => Ok(expr),
                Some(_) => Err("an operator is missing"),
            })
            .map(|expr| Self { text: text.trim().to_owned(), expr })
            .map_err(|problem| FormulaError {
                formula: text.to_owned(),
                problem,
                position: parser.at + 1,
            })
    }
}

impl TryFrom<String> for Formula {
    type Error = FormulaError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Formula> for String {
    fn from(formula: Formula) -> Self {
        formula.text
    }
}

/// Reads a formula by recursive descent; the position stands where it went wrong.
struct Parser {
    chars: Vec<char>,
    at: usize,
}

impl Parser {
    fn peek(&mut self) -> Option<char> {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
        self.chars.get(self.at).copied()
    }

    fn sum(&mut self) -> Result<Expr, &'static str> {
        let mut left = self.product()?;
        loop {
            let operator = match self.peek() {
                Some('+') => Operator::Add,
                Some('-') => Operator::Subtract,
                _ => return Ok(left),
            };
            self.at += 1;
            let right = self.product()?;
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    fn product(&mut self) -> Result<Expr, &'static str> {
        let mut left = self.factor()?;
        loop {
            let operator = match self.peek() {
                Some('*') => Operator::Multiply,
                Some('/') => Operator::Divide,
                _ => return Ok(left),
            };
            self.at += 1;
            let right = self.factor()?;
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    fn factor(&mut self) -> Result<Expr, &'static str> {
        match self.peek() {
            Some('(') => {
                self.at += 1;
                let inner = self.sum()?;
                if self.peek() != Some(')') {
                    return Err("a closing parenthesis is missing");
                }
                self.at += 1;
                Ok(inner)
            }
            Some('-') => {
                self.at += 1;
                Ok(Expr::Negate(Box::new(self.factor()?)))
            }
            Some(c) if c.is_ascii_digit() => {
                let word = self.word(|c| c.is_ascii_digit() || c == '.');
                word.parse().map(Expr::Number).map_err(|_| "this is not a number")
            }
            Some(c) if c.is_alphabetic() || c == '_' => {
                Ok(Expr::Measure(self.word(|c| c.is_alphanumeric() || c == '_')))
            }
            Some(_) => Err("a number, a measure or a parenthesis is expected"),
            None => Err("the formula ends too early"),
        }
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.chars.get(self.at).is_some_and(|c| belongs(*c)) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn eval(formula: &str) -> Result<KpiValue, EvaluateError> {
        let formula: Formula = formula.parse().unwrap();
        formula.evaluate(6, |name| match name {
            "a" => Some(Decimal::from(7)),
            "b" => Some(Decimal::from(4)),
            "zero" => Some(Decimal::ZERO),
            _ => None,
        })
    }

    #[test]
    fn precedence_signs_and_parentheses_are_those_of_arithmetic() {
        assert_eq!(eval("a + b * 2").unwrap().value, Decimal::from(15));
        assert_eq!(eval("(a + b) * 2").unwrap().value, Decimal::from(22));
        assert_eq!(eval("a - b - 1").unwrap().value, Decimal::from(2));
        assert_eq!(eval("-a + 10").unwrap().value, Decimal::from(3));
        let ratio = eval("(a - b) / a").unwrap();
        assert_eq!(ratio.value.to_string(), "0.428571");
        assert_eq!(ratio.numerator, Some(Decimal::from(3)));
        assert_eq!(ratio.denominator, Some(Decimal::from(7)));
        assert_eq!(eval("a").unwrap().numerator, None);
    }

    #[test]
    fn a_missing_measure_a_zero_divisor_and_an_overflow_are_named() {
        assert!(
            matches!(eval("a / c"), Err(EvaluateError::MissingMeasure { measure }) if measure == "c")
        );
        assert!(matches!(eval("a / zero"), Err(EvaluateError::DivisionByZero { .. })));
        let huge = "9999999999999999999999999999";
        assert!(matches!(eval(&format!("{huge} * {huge}")), Err(EvaluateError::OutOfRange { .. })));
    }

    #[test]
    fn what_is_no_formula_is_refused_with_its_position() {
        for (text, position) in
            [("", 1), ("a +", 4), ("a b", 3), ("(a", 3), ("1.2.3", 6), ("a / $", 5)]
        {
            assert_eq!(text.parse::<Formula>().unwrap_err().position, position, "{text}");
        }
        assert!("(".repeat(10_000).parse::<Formula>().is_err());
        assert!("1+".repeat(10_000).parse::<Formula>().is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[a-c0-9+*/(). -]{0,60}|.{0,30}") {
            if let Ok(formula) = text.parse::<Formula>() {
                let _ = formula.evaluate(6, |_| Some(Decimal::ONE));
                let again: Formula = formula.as_str().parse().unwrap();
                prop_assert_eq!(again, formula);
            }
        }

        #[test]
        fn a_quotient_keeps_its_two_sides_exactly(n in -1_000_000_i64..1_000_000, d in 1_i64..1_000_000) {
            let formula: Formula = "n / d".parse().unwrap();
            let result = formula
                .evaluate(6, |name| Some(Decimal::from(if name == "n" { n } else { d })))
                .unwrap();
            prop_assert_eq!(result.numerator, Some(Decimal::from(n)));
            prop_assert_eq!(result.denominator, Some(Decimal::from(d)));
            let error = (result.value * Decimal::from(d) - Decimal::from(n)).abs();
            prop_assert!(error <= Decimal::new(5, 7) * Decimal::from(d));
        }
    }
}
