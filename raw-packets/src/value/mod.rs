//! What a cell means: numbers, days, texts and error values as people and spreadsheets write them.
//!
//! One module judges for packets and for every other table, so that a text is blank, a number or a day
//! everywhere or nowhere. Nothing here knows of a packet: a reader gets the text of a cell and gives back
//! what it means, or every meaning that it may have.
//!
//! ```
//! use raw_packets::value::{Number, NumberStyle, is_blank, read_number};
//!
//! assert!(is_blank("\u{a0}\u{200b}"));
//! let style = NumberStyle { mark: '.', whole: true };
//! assert!(matches!(read_number("1200", style), Number::Read { also: None, .. }));
//! // Twelve in one country, twelve thousand in another.
//! let Number::Wrong { readings, .. } = read_number("12.000", style) else { panic!() };
//! let values: Vec<_> = readings.iter().map(|reading| reading.value.to_string()).collect();
//! assert_eq!(values, ["12", "12000"]);
//! ```

mod date;
mod error;
mod formula;
mod hidden;
mod number;
mod text;

pub use self::date::{Date, DateDamage, read_date};
pub use self::error::is_error_value;
pub(crate) use self::error::is_too_narrow;
pub use self::formula::{guard, is_formula, unguard};
pub use self::hidden::{escape_hidden, unescape_hidden};
pub use self::number::{Number, NumberDamage, NumberReading, NumberStyle, read_number};
pub use self::text::{folded, is_blank, label_key, letters, repaired_mojibake, same_text, trim};
