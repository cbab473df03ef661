//! Problems and remedies in Spanish.

use super::{KpiFault, Problem};
use crate::check::date::DateDamage;
use crate::check::number::NumberDamage;
use crate::formula::EvaluateError;
use crate::read::Unreadable;

const NOTHING: &str = "no hay que hacer nada";
const SAVE: &str = "guarde el archivo como `CSV UTF-8`";
const COMPARE: &str = "compárelo con la publicación";
const EVIDENCE: &str = "cópiela de la publicación que prueba las cifras";

#[expect(clippy::too_many_lines, reason = "a table of sentences, one entry each")]
pub(super) fn tell(problem: &Problem<'_>) -> (String, String) {
    match problem {
        Problem::Encoding => {
            ("el archivo no está en UTF-8, y se pierden las letras con tilde".into(), SAVE.into())
        }
        Problem::Utf16 => {
            ("el archivo está en UTF-16; se ha leído de todos modos".into(), SAVE.into())
        }
        Problem::EmptyFile => {
            ("el archivo está vacío".into(), "empiece de nuevo con el paquete emitido".into())
        }
        Problem::Unreadable(why) => (
            unreadable(why),
            "ábralo en una hoja de cálculo y guárdelo de nuevo, como libro o como `CSV UTF-8`"
                .into(),
        ),
        Problem::BlankRow => ("la fila está en blanco y no se lee".into(), "bórrela".into()),
        Problem::Renamed { issued } => (
            format!("el archivo se emitió como `{issued}`"),
            format!("{NOTHING}: el paquete se ha reconocido por su contenido"),
        ),
        Problem::Copy { of } => {
            (format!("es una copia de `{of}`"), format!("{NOTHING}; borre la copia"))
        }
        Problem::OtherVersion { of } => {
            (format!("es otra versión de `{of}`"), "deje la que vale y borre la otra".into())
        }
        Problem::Stranger => (
            "el paquete no es de ninguna fuente de este catálogo y período".into(),
            "compruébelo con el catálogo y el período para los que se emitió, o retírelo".into(),
        ),
        Problem::NoPacket => (
            "el archivo no tiene las columnas de un paquete y no se lee".into(),
            format!("{NOTHING}, si no es un paquete"),
        ),
        Problem::Missing => (
            "el paquete no ha vuelto".into(),
            "rellénelo, o emítalo de nuevo y déjelo en la carpeta con este nombre".into(),
        ),
        Problem::Stale => (
            "el paquete se emitió en otro momento, con otros datos".into(),
            format!("{NOTHING}, si es el último que se emitió"),
        ),
        Problem::AlreadyLoaded => (
            "ahora no falta ningún dato de este paquete".into(),
            format!("{NOTHING}; al cargarlo solo cambia lo que sea distinto"),
        ),
        Problem::NothingFilledIn => (
            "no se ha rellenado nada".into(),
            "rellene la evidencia y las cifras con lo publicado".into(),
        ),
        Problem::SeveralRows { total } => (
            format!("el paquete tiene {total} filas; se emitió una"),
            "deje la fila de esta fuente y borre las demás".into(),
        ),
        Problem::DuplicateKey { key, first } => (
            format!("`{key}` está también en `{first}`"),
            "deje el paquete que vale y retire el otro".into(),
        ),
        Problem::LabelTwice => {
            ("esta columna está dos veces".into(), "deje la emitida y borre la otra".into())
        }
        Problem::LabelRenamed { column } => (
            format!("se ha cambiado el nombre de la columna `{column}`"),
            format!("escriba otra vez `{column}` en la cabecera"),
        ),
        Problem::LabelMissing { column } => (
            format!("falta la columna `{column}`"),
            "recupérela con su contenido, o empiece de nuevo con el paquete emitido".into(),
        ),
        Problem::LabelExtra => {
            ("esta columna no se emitió y no se lee".into(), "bórrela, o déjela para su uso".into())
        }
        Problem::LabelsMoved => (
            "las columnas están en otro orden que el emitido; se han leído por su nombre".into(),
            NOTHING.into(),
        ),
        Problem::CellTooLong { most } => (
            format!("la celda tiene más de {most} caracteres"),
            "redúzcala a lo que prueba las cifras".into(),
        ),
        Problem::ErrorValue => ("la celda tiene el error de una fórmula".into(), value_itself()),
        Problem::Formula => (
            "la celda tiene una fórmula, o un texto que la hoja de cálculo toma por una".into(),
            value_itself(),
        ),
        Problem::IssuedGone { issued } => {
            (format!("ha desaparecido `{issued}`, que se emitió"), again(issued))
        }
        Problem::KeyDate { damage, issued } => {
            (format!("{}; se emitió `{issued}`", date(*damage)), again(issued))
        }
        Problem::LeadingZerosLost { issued } => {
            (format!("se han perdido los ceros de delante; se emitió `{issued}`"), again(issued))
        }
        Problem::KeyScientific { issued } => {
            let message = number(NumberDamage::Scientific);
            (format!("{message}; se emitió `{issued}`"), again(issued))
        }
        Problem::KeyCase { issued } => {
            (format!("han cambiado mayúsculas y minúsculas; se emitió `{issued}`"), again(issued))
        }
        Problem::KeyChanged { issued } => (
            format!("se ha cambiado una celda que dice qué fila es; se emitió `{issued}`"),
            again(issued),
        ),
        Problem::IssuedAtAnotherTime { now } => (
            format!("el paquete se emitió en otro momento; ahora dice `{now}`"),
            format!("{NOTHING}, si es el último que se emitió"),
        ),
        Problem::ReadOnlyChanged { issued } => (
            format!("se ha cambiado una celda que era solo para leer; decía `{issued}`"),
            format!("{NOTHING}: el cambio no cuenta"),
        ),
        Problem::EvidenceDateMissing => ("falta la fecha de la evidencia".into(), EVIDENCE.into()),
        Problem::EvidenceQuoteMissing => ("falta la cita de la evidencia".into(), EVIDENCE.into()),
        Problem::NumberMissing => {
            ("falta un número".into(), "escriba el número que se publicó".into())
        }
        Problem::CellMissing => ("una celda obligatoria está en blanco".into(), "rellénela".into()),
        Problem::NumberAsDate => (
            "la hoja de cálculo ha convertido el número en una fecha".into(),
            "dé a la celda formato de número y escríbalo otra vez".into(),
        ),
        // A template names units in one language; the column's own title says what is counted.
        Problem::Number { damage, unit: _, mark } => (
            number(*damage).into(),
            format!("escriba solo el número, con cifras y una sola `{mark}`"),
        ),
        Problem::OutOfBounds { greater, exclusive, limit } => {
            let side = if *greater { "mayor" } else { "menor" };
            let than = if *exclusive { "que" } else { "o igual que" };
            (format!("el número tiene que ser {side} {than} {limit}"), COMPARE.into())
        }
        Problem::FutureEvidence => {
            ("la evidencia no puede tener una fecha futura".into(), day_remedy())
        }
        Problem::Date { damage } => (date(*damage).into(), day_remedy()),
        Problem::NoAddress => (
            "esto no es la dirección de una página".into(),
            "copie la dirección del navegador; empieza por https://".into(),
        ),
        Problem::LettersLost => (
            "se han perdido letras del texto por el camino".into(),
            "escríbalas otra vez y guarde el archivo como `CSV UTF-8` o como libro".into(),
        ),
        Problem::TextTooShort { length, least } => (
            format!("el texto tiene {length} caracteres; hacen falta al menos {least}"),
            "cite la frase entera de la publicación".into(),
        ),
        Problem::NotAllowed { allowed } => (
            "este texto no es ninguno de los admitidos".into(),
            format!("use uno de estos: {}", allowed.join(", ")),
        ),
        Problem::ExtraCell => (
            "hay una celda más allá de la última columna".into(),
            "bórrela; si un texto contiene el separador, póngalo entre comillas".into(),
        ),
        Problem::RequiredWhenFilled { when } => (
            format!("hace falta, porque `{when}` está relleno"),
            format!("rellénela, o vacíe `{when}`"),
        ),
        Problem::PartGreaterThanWhole { of, whole } => (
            format!("la parte es mayor que `{of}`, que es {whole}"),
            "compare ambas con la publicación".into(),
        ),
        Problem::Kpi { kpi_id, formula, fault } => (
            format!("`{kpi_id}`: {}", kpi(fault)),
            format!("compare las cifras de `{formula}` con la publicación"),
        ),
    }
}

fn value_itself() -> String {
    "escriba el valor mismo; ponga un apóstrofo delante de un texto que empiece así".to_owned()
}

fn again(issued: &str) -> String {
    format!("escriba otra vez `{issued}`")
}

fn day_remedy() -> String {
    "escriba el día como AAAA-MM-DD, por ejemplo 2025-03-31".to_owned()
}

fn unreadable(why: &Unreadable) -> String {
    match why {
        Unreadable::TooLarge { limit } => {
            format!("el libro ocupa más de {limit} bytes al abrirlo; ningún paquete ocupa tanto")
        }
        Unreadable::TooManyParts { parts } => {
            format!("el libro tiene {parts} partes; ningún paquete tiene tantas")
        }
        Unreadable::Damaged { problem } if problem.is_empty() => {
            "el libro no se puede leer: está dañado".to_owned()
        }
        Unreadable::Damaged { problem } => format!("el libro no se puede leer: {problem}"),
        Unreadable::NotBuiltIn => {
            "el archivo es un libro, y este programa se hizo sin leerlos".to_owned()
        }
        Unreadable::Before2007 => "el archivo es un libro anterior a 2007".to_owned(),
        Unreadable::OpenDocument => "el archivo es un libro en formato OpenDocument".to_owned(),
        Unreadable::Numbers => "el archivo es un documento de Numbers".to_owned(),
    }
}

fn date(damage: DateDamage) -> &'static str {
    match damage {
        DateDamage::Serial => "la hoja de cálculo ha convertido la fecha en un número de días",
        DateDamage::NotIso => "la fecha no está escrita AAAA-MM-DD",
        DateDamage::OneCountry => "la fecha está escrita como en un país, no AAAA-MM-DD",
        DateDamage::TwoDigitYear => "el año de la fecha tiene solo dos cifras",
        DateDamage::Ambiguous => "no se distingue el día del mes",
        DateDamage::NoSuchDay => "ese día no existe",
        DateDamage::NoDate => "esto no es una fecha",
    }
}

fn number(damage: NumberDamage) -> &'static str {
    match damage {
        NumberDamage::NotWhole => "este número no es entero",
        NumberDamage::Scientific => {
            "la hoja de cálculo muestra este número en notación científica, y puede perder cifras"
        }
        NumberDamage::Locale => "este número lleva los signos de otro país que el archivo",
        NumberDamage::MoreThanANumber => "en la celda hay más que un número",
        NumberDamage::OtherDigits => "estas no son las cifras de 0 a 9",
        NumberDamage::NoNumber => "esto no es un número",
    }
}

fn kpi(fault: &KpiFault<'_>) -> String {
    match fault {
        KpiFault::Evaluate(EvaluateError::MissingMeasure { measure }) => {
            format!("la medida `{measure}` no tiene valor")
        }
        KpiFault::Evaluate(EvaluateError::DivisionByZero { formula }) => {
            format!("la fórmula `{formula}` divide entre cero")
        }
        KpiFault::Evaluate(EvaluateError::OutOfRange { formula }) => {
            format!("la fórmula `{formula}` se sale de los decimales exactos")
        }
        KpiFault::LessThan { value, limit } => format!("el valor {value} es menor que {limit}"),
        KpiFault::GreaterThan { value, limit } => {
            format!("el valor {value} es mayor que {limit}")
        }
    }
}
