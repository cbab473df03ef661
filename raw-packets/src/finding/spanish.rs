//! Problems and remedies in Spanish.

use super::problem::labels;
use super::{KpiFault, Problem, Whose, shortened};
use crate::formula::EvaluateError;
use crate::read::{NotRead, Unreadable};
use crate::template::Language;
use crate::value::{DateDamage, NumberDamage, NumberReading};

const NOTHING: &str = "no hay que hacer nada";
const SAVE: &str = "guarde el archivo como `CSV UTF-8`";
const COMPARE: &str = "compárelo con la publicación";
const EVIDENCE: &str = "cópiela de la publicación que prueba las cifras";
const UNPACK: &str = "descomprímalo y ponga sus archivos en la carpeta";
const DAY: &str = "escriba el día como AAAA-MM-DD, por ejemplo 2025-03-31";

#[expect(clippy::too_many_lines, reason = "a table of sentences, one entry each")]
pub(super) fn tell(problem: &Problem<'_>) -> (String, String) {
    match problem {
        Problem::Encoding => {
            ("el archivo no está en UTF-8, y se pierden las letras con tilde".into(), SAVE.into())
        }
        Problem::NulBytes => (
            "el archivo tiene bytes NUL: está dañado, o una copia se interrumpió".into(),
            "cópielo de nuevo desde donde se guardó".into(),
        ),
        Problem::Decoded { encoding } => {
            (format!("el archivo está en {encoding}; se ha leído de todos modos"), NOTHING.into())
        }
        Problem::EmptyFile => {
            ("el archivo está vacío".into(), "empiece de nuevo con el paquete emitido".into())
        }
        Problem::Unreadable(why) | Problem::FileUnreadable(why) => unreadable(why),
        Problem::OneColumn { delimiter } => {
            let [marks, mark] = delimiter_words(*delimiter);
            (
                format!("las celdas están en una columna: {marks} no sirvieron de separadores"),
                format!(
                    "en Excel use Datos, Texto en columnas, {mark}; luego guárdelo como `CSV UTF-8`"
                ),
            )
        }
        Problem::SingleQuotes => (
            "las celdas llevan comillas simples; un CSV las lleva dobles o ninguna".into(),
            "guárdelo desde una hoja de cálculo como `CSV UTF-8`".into(),
        ),
        Problem::HeaderBelow { row } => (
            format!("la cabecera está en la fila {row}; se emitió en la primera"),
            "borre las filas de encima de la cabecera".into(),
        ),
        Problem::BlankRows { rows } => {
            (format!("en blanco; no se leen: {}", row_words(rows)), NOTHING.into())
        }
        Problem::Renamed { issued } => (
            format!("el archivo se emitió como `{issued}`"),
            format!("{NOTHING}: el paquete se ha reconocido por su contenido"),
        ),
        Problem::Copy { of } => {
            (format!("es una copia de `{of}`"), format!("{NOTHING}; borre la copia"))
        }
        Problem::UnfilledCopy { filled } => (
            format!("sin rellenar; `{filled}` está relleno y es el que vale"),
            format!("{NOTHING}; borre el que está en blanco"),
        ),
        Problem::OtherVersion { of } => {
            (format!("es otra versión de `{of}`"), "deje la que vale y borre la otra".into())
        }
        Problem::Stranger => (
            "el paquete no es de ninguna fuente de este catálogo y período".into(),
            "compruébelo con el catálogo para el que se emitió, o retírelo".into(),
        ),
        Problem::OtherPeriod { issued } => (
            format!("el paquete es de otro período, `{issued}`"),
            "compruébelo con --period-date y --period-granularity de ese período, o retírelo"
                .into(),
        ),
        Problem::NoPacket => (
            "el archivo no tiene las columnas de un paquete y no se lee".into(),
            format!("{NOTHING}, si no es un paquete"),
        ),
        Problem::NotRead(why) => not_read(why),
        Problem::Missing { beside: None } => (
            "el paquete no ha vuelto".into(),
            "rellénelo, o emítalo de nuevo y déjelo en la carpeta con este nombre".into(),
        ),
        Problem::Missing { beside: Some(file) } => (
            format!("no se ha leído ningún archivo de este paquete; `{file}` no se pudo leer"),
            "si está ahí, póngalo en la carpeta misma, como .xlsx o `CSV UTF-8`".into(),
        ),
        Problem::RowElsewhere { file, row } => (
            format!("su fila ha vuelto dentro de otro archivo: `{file}`, fila {row}"),
            "ponga esa fila en el paquete que se emitió con este nombre".into(),
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
        Problem::SeveralRows { total, others } => (
            format!("el paquete tiene {total} filas; se emitió una"),
            format!("deje la fila de esta fuente y borre {}", row_words(others)),
        ),
        Problem::SeveralSources { rows } => (
            format!("el archivo tiene varias fuentes: {rows}"),
            "deje la fila de esta fuente y ponga las demás en sus propios paquetes".into(),
        ),
        Problem::DuplicateKey { key, first } => (
            format!("`{key}` está también en `{first}`"),
            "deje el paquete que vale y retire el otro".into(),
        ),
        Problem::SheetChosen { read, unfilled } => (
            format!("se ha leído la hoja `{read}`, porque `{unfilled}` está sin rellenar"),
            format!("{NOTHING}; borre la hoja en blanco"),
        ),
        Problem::SheetDiffers { sheet, read } => (
            format!("las hojas `{sheet}` y `{read}` están rellenas con valores distintos"),
            "deje la que vale y borre o vacíe la otra".into(),
        ),
        Problem::SheetIgnored { sheet, says } => (
            format!("la hoja `{sheet}` no se lee; dice: {says}"),
            "mire si importa para las cifras".into(),
        ),
        Problem::Comment { says } => {
            (format!("un comentario dice: {says}"), "mire si importa para las cifras".into())
        }
        Problem::RowHidden => (
            "la fila está oculta o filtrada en el libro; se ha leído".into(),
            "muestre todas las filas y mire si es la que vale".into(),
        ),
        Problem::LabelTwice => {
            ("esta columna está dos veces".into(), "deje la emitida y borre la otra".into())
        }
        Problem::LabelRenamed { labels } => {
            (format!("se han leído con su nombre emitido: {labels}"), NOTHING.into())
        }
        Problem::LabelsMissing { columns } => (
            match columns.as_slice() {
                [one] => format!("falta la columna `{one}`"),
                several => format!("faltan {} columnas: {}", several.len(), listed(several)),
            },
            "recupérelas con su contenido, o empiece de nuevo con el paquete emitido".into(),
        ),
        Problem::LabelsExtra { labels } => match labels.as_slice() {
            [_] => (
                "esta columna no se emitió y no se lee".into(),
                "bórrela, o déjela para su uso".into(),
            ),
            several => (
                format!(
                    "{} columnas no se emitieron: {}",
                    several.len(),
                    listed(several)
                ),
                "no se leen: bórrelas, o déjelas para su uso".into(),
            ),
        },
        Problem::HeaderGone => (
            "falta la fila de los rótulos; la primera fila tiene valores".into(),
            "copie encima la primera fila del paquete emitido".into(),
        ),
        Problem::LabelsMoved => (
            "las columnas están en otro orden que el emitido; se han leído por su nombre".into(),
            NOTHING.into(),
        ),
        Problem::CellTooLong { most } => (
            format!("la celda tiene más de {most} caracteres"),
            "redúzcala a lo que prueba las cifras".into(),
        ),
        Problem::ErrorValue => (
            "la celda tiene el error de una fórmula".into(),
            "escriba el valor mismo, el de la publicación".into(),
        ),
        Problem::TooNarrow => (
            "la columna era estrecha para el valor, y solo se guardó `#`".into(),
            "ensanche la columna en la hoja de cálculo y guarde otra vez".into(),
        ),
        Problem::Formula { typed: true, .. } => (
            "la celda tiene una fórmula".into(),
            "copie la celda y péguela con Pegado especial, Valores".into(),
        ),
        Problem::Formula { typed: false, text: true } => (
            "la celda tiene una fórmula".into(),
            "escriba el valor mismo; ponga un espacio delante de una cita que empiece así".into(),
        ),
        Problem::Formula { typed: false, text: false } => {
            ("la celda tiene una fórmula".into(), "escriba el valor mismo".into())
        }
        Problem::IssuedGone { issued, .. } => {
            (format!("ha desaparecido `{issued}`, que se emitió"), again(issued))
        }
        Problem::KeyDate { damage, issued } => {
            (format!("{}; se emitió `{issued}`", date(*damage)), again(issued))
        }
        Problem::LeadingZerosLost { issued } => (
            format!("se han perdido los ceros de delante; se emitió `{issued}`"),
            format!("dé a la celda formato de texto y escriba otra vez `{issued}`"),
        ),
        Problem::KeyScientific { issued } => {
            let message = number(NumberDamage::Scientific);
            (format!("{message}; se emitió `{issued}`"), again(issued))
        }
        Problem::KeyMangled { issued } => {
            (format!("escrito de otro modo; era `{issued}`"), again(issued))
        }
        Problem::KeyOf { issued, whose: Whose::AnotherPacket } => (
            format!("es la clave de otra fuente o período; se emitió `{issued}`"),
            "ponga estas cifras en el paquete al que pertenecen".into(),
        ),
        Problem::KeyOf { issued, whose: Whose::Nobody } => (
            format!("se ha cambiado; se emitió `{issued}`"),
            "escríbalo otra vez, si las cifras son de esta fuente y este período".into(),
        ),
        Problem::KeyRewritten { issued } => {
            (format!("está escrito de otro modo; solo puede ser `{issued}`"), NOTHING.into())
        }
        Problem::IssuedAtAnotherTime { now } => (
            format!("el paquete se emitió en otro momento; ahora dice `{now}`"),
            format!("{NOTHING}, si el paquete es el último que se emitió"),
        ),
        Problem::ReadOnlyChanged { issued } => (
            format!(
                "se ha cambiado una celda que era solo para leer; decía `{}`",
                shortened(issued, 40)
            ),
            format!("{NOTHING}: el cambio no cuenta"),
        ),
        Problem::EvidenceDateMissing => ("falta la fecha de la evidencia".into(), EVIDENCE.into()),
        Problem::EvidenceQuoteMissing => ("falta la cita de la evidencia".into(), EVIDENCE.into()),
        Problem::NumberMissing => {
            ("falta un número".into(), "escriba el número que se publicó".into())
        }
        Problem::CellMissing => ("una celda obligatoria está en blanco".into(), "rellénela".into()),
        Problem::NumberAsDate => (
            "la hoja de cálculo ha convertido el número en una fecha o una hora".into(),
            "dé a la celda formato de número y escríbalo otra vez".into(),
        ),
        // A template names units in one language; the column's own title says what is counted.
        Problem::Number { damage, text, readings, unit: _, mark } => {
            if let (NumberDamage::Ambiguous, [one, other]) = (damage, readings) {
                return ambiguous(text, one, other);
            }
            let remedy = match damage {
                NumberDamage::NoFigure => {
                    "escriba el número; si no se publicó, dígalo en una columna suya".into()
                }
                NumberDamage::Minus | NumberDamage::Brackets => {
                    "escriba el guion del teclado delante de las cifras, por ejemplo -5".into()
                }
                _ => format!("escriba solo el número, con cifras y como mucho una `{mark}`"),
            };
            (number(*damage).into(), remedy)
        }
        Problem::ThousandsPossible { read, also, mark } => (
            format!("se lee {read}; donde `{mark}` separa miles es {also}"),
            format!("{NOTHING}, si es {read}; si no, escriba {also}"),
        ),
        Problem::OutOfBounds { greater, bound } => {
            let side = if *greater { "mayor" } else { "menor" };
            let than = if bound.exclusive { "que" } else { "o igual que" };
            (format!("el número tiene que ser {side} {than} {}", bound.limit), COMPARE.into())
        }
        Problem::FutureEvidence { as_of } => (
            format!("la evidencia no puede ser de una fecha futura, después de {as_of}"),
            DAY.into(),
        ),
        Problem::LongAgo { first } => (
            format!(
                "la evidencia es de {first} o después; las hojas muestran 1 como un día de 1900"
            ),
            DAY.into(),
        ),
        Problem::Date { damage, .. } => (date(*damage).into(), DAY.into()),
        Problem::NoAddress => (
            "esto no es la dirección de una página".into(),
            "copie la dirección del navegador; empieza por https://".into(),
        ),
        Problem::LettersLost => (
            "se han perdido letras del texto por el camino".into(),
            "escríbalas otra vez y guarde el archivo como `CSV UTF-8` o como libro".into(),
        ),
        Problem::TextTooShort { length, least, .. } => (
            format!("el texto tiene {length} letras; hacen falta al menos {least}"),
            "cite la frase entera de la publicación".into(),
        ),
        Problem::NotAllowed { allowed } => (
            "este texto no es ninguno de los admitidos".into(),
            format!("use uno de estos: {}", labels(allowed, Language::Es)),
        ),
        Problem::ExtraCell => (
            "hay una celda más allá de la última columna".into(),
            "bórrela; si un texto contiene el separador, póngalo entre comillas".into(),
        ),
        Problem::CommaInText => (
            "una coma de este texto se tomó por separador y desplazó las celdas siguientes".into(),
            "ponga el texto entre comillas, como hace una hoja de cálculo al guardar".into(),
        ),
        Problem::CommaInNumber { number, meant } => (
            format!("la coma de `{number}` se tomó por separador"),
            format!("escriba `{meant}`, o guarde el archivo con punto y coma"),
        ),
        Problem::RowFellApart { surplus } => (
            format!(
                "a la fila le sobran {surplus} celdas: las partieron comas de números o de textos"
            ),
            "escriba los números sin comas y ponga entre comillas los textos que las tengan".into(),
        ),
        Problem::QuoteLeftOpen => (
            "unas comillas de la fila se quedaron abiertas y juntaron varias celdas".into(),
            "guarde el paquete desde una hoja de cálculo, que dobla las comillas de un texto"
                .into(),
        ),
        Problem::RequiredWhenFilled { when } => (
            format!("hace falta, porque `{when}` está relleno"),
            format!("rellénela, o vacíe `{when}`"),
        ),
        Problem::RequiredWhenIs { when, is } => (
            format!("hace falta, porque `{when}` dice `{}`", is.es),
            format!("rellénela, o cambie `{when}`"),
        ),
        Problem::RowUnknown => (
            "no se emitió ninguna fila con esta clave: es de otro servicio u otra base de datos, o la clave se cambió".into(),
            "devuélvala donde se emitió, o copie de nuevo la fila del paquete emitido".into(),
        ),
        Problem::RowTwice { file, row } => (
            format!("la fila está también en `{file}`, fila {row}, y dice otra cosa"),
            "deje la que vale y borre la otra".into(),
        ),
        Problem::RowAgain { file, row } => {
            (format!("la fila está también en `{file}`, fila {row}, y dice lo mismo"), NOTHING.into())
        }
        Problem::RowsBeyond { most } => (
            format!("el archivo tiene más de {most} filas, más de las que se emitieron"),
            "devuelva cada paquete en su propio archivo".into(),
        ),
        Problem::Service { message, remedy } => ((*message).into(), (*remedy).into()),
        Problem::PartGreaterThanWhole { of, whole } => (
            format!("la parte es mayor que `{of}`, que es {whole}"),
            "compare ambas con la publicación".into(),
        ),
        Problem::Kpi { kpi_id, formula, fault } => (
            format!("`{kpi_id}`: {}", kpi(fault)),
            format!("compare las cifras de `{formula}` con la publicación"),
        ),
        Problem::KpiUnanswered { kpi_id, formula } => (
            format!("se pidió `{kpi_id}`, y no se sigue de lo que está relleno"),
            format!("rellénelas, si se publicaron: `{formula}`"),
        ),
    }
}

/// Lists a few names, and how many more there are.
fn listed(names: &[impl AsRef<str>]) -> String {
    let shown = names.iter().take(3).map(|name| format!("`{}`", name.as_ref()));
    let shown: Vec<String> = shown.collect();
    let more = names.len().saturating_sub(3);
    if more == 0 { shown.join(", ") } else { format!("{} y {more} más", shown.join(", ")) }
}

/// Names rows, of which there may be one.
fn row_words(rows: &str) -> String {
    if rows.contains(|c: char| !c.is_ascii_digit()) {
        format!("las filas {rows}")
    } else {
        format!("la fila {rows}")
    }
}

/// Names the character between cells, in the plural and as Excel's dialogue does.
fn delimiter_words(delimiter: char) -> [&'static str; 2] {
    match delimiter {
        ';' => ["los puntos y coma", "Punto y coma"],
        '\t' => ["los tabuladores", "Tabulación"],
        '|' => ["las barras", "Otro, |"],
        _ => ["las comas", "Coma"],
    }
}

fn again(issued: &str) -> String {
    format!("escriba otra vez `{issued}`")
}

/// Tells both meanings of a number with a mark that separates thousands or decimals.
fn ambiguous(text: &str, one: &NumberReading, other: &NumberReading) -> (String, String) {
    let mark = if text.contains(',') { ',' } else { '.' };
    let (decimal, grouped) = if one.mark == mark { (one, other) } else { (other, one) };
    let (decimal, grouped) = (decimal.value, grouped.value);
    let [of_decimal, of_groups] = match mark {
        '.' => ["inglés, México", "España, Alemania"],
        _ => ["España, Alemania", "inglés, México"],
    };
    (
        format!(
            "{decimal} con `{mark}` decimal ({of_decimal}), {grouped} con `{mark}` de miles ({of_groups})"
        ),
        format!("escriba {decimal} o {grouped}, sin marca de miles"),
    )
}

fn unreadable(why: &Unreadable) -> (String, String) {
    let save = "guárdelo como libro (.xlsx) o como `CSV UTF-8`";
    let anew = "ábralo en una hoja de cálculo y guárdelo de nuevo, como .xlsx o como `CSV UTF-8`";
    let (message, remedy) = match why {
        Unreadable::TooLarge { limit } => {
            (format!("el libro ocupa más de {limit} bytes al abrirlo"), anew)
        }
        Unreadable::TooManyParts { parts } => {
            (format!("el libro tiene {parts} partes; ningún paquete tiene tantas"), anew)
        }
        Unreadable::Damaged { problem } if problem.is_empty() => {
            ("el libro no se puede leer: está dañado".to_owned(), anew)
        }
        Unreadable::Damaged { problem } => (format!("el libro no se puede leer: {problem}"), anew),
        Unreadable::NotBuiltIn => {
            ("el archivo es un libro, y este programa se hizo sin leerlos".to_owned(), SAVE)
        }
        Unreadable::Password => (
            "el libro tiene contraseña".to_owned(),
            "quítela (Excel: Archivo, Información, Proteger libro, Cifrar) y guárdelo",
        ),
        Unreadable::Not(NotRead::Kind("zip")) => {
            ("el archivo es un archivo comprimido".to_owned(), UNPACK)
        }
        Unreadable::Not(NotRead::Kind(kind)) => (format!("el archivo es {}", kind_of(kind)), save),
        Unreadable::Not(why) => return not_read(why),
    };
    (message, remedy.to_owned())
}

fn kind_of(kind: &str) -> &str {
    match kind {
        "flat-odf" => "un OpenDocument plano (.fods)",
        "numbers" => "un documento de Numbers",
        "html" => "una página web, diga lo que diga su nombre",
        "spreadsheetml" => "XML de Excel 2003 (SpreadsheetML)",
        "json" => "JSON, que ninguna hoja de cálculo escribe",
        "mail" => "un mensaje de correo",
        "pdf" => "un PDF",
        "image" => "una imagen",
        "zip" => "un archivo comprimido",
        "xml" => "XML, que ninguna hoja de cálculo abre como tabla",
        "database" => "un archivo de una base de datos",
        "document" => "un documento de texto, no un libro",
        _ => "de una clase que no se lee",
    }
}

fn not_read(why: &NotRead) -> (String, String) {
    let (message, remedy) = match why {
        NotRead::Folder => (
            "es una carpeta y no se lee".to_owned(),
            "ponga sus archivos en la carpeta de los paquetes",
        ),
        NotRead::Symlink => (
            "es un enlace simbólico y no se lee".to_owned(),
            "ponga el archivo mismo en la carpeta",
        ),
        NotRead::TooLarge { limit } => (
            format!("ocupa más de {limit} bytes, como ningún paquete, y no se lee"),
            "retírelo, o guarde el paquete de nuevo",
        ),
        NotRead::NoPermission => {
            ("este usuario no lo puede leer".to_owned(), "cambie quién puede leer el archivo")
        }
        NotRead::Kind("zip") => ("un archivo comprimido; no se lee".to_owned(), UNPACK),
        NotRead::Kind(kind) => (
            format!("{}; no se lee", kind_of(kind)),
            "si es un paquete, guárdelo como libro (.xlsx) o como `CSV UTF-8`",
        ),
    };
    (message, remedy.to_owned())
}

fn date(damage: DateDamage) -> &'static str {
    match damage {
        DateDamage::Serial => "la hoja de cálculo ha convertido la fecha en un número de días",
        DateDamage::NotIso => "la fecha no está escrita AAAA-MM-DD",
        DateDamage::OneCountry => "la fecha está escrita como en un país, no AAAA-MM-DD",
        DateDamage::TwoDigitYear => "el año de la fecha tiene solo dos cifras",
        DateDamage::Ambiguous => "no se distingue el día del mes",
        DateDamage::TimeOnly => "es una hora sin fecha",
        DateDamage::NoDay => "falta una parte de la fecha: hacen falta día, mes y año",
        DateDamage::NoSuchDay => "ese día no existe",
        DateDamage::MoreThanADate => "en la celda hay más que una fecha",
        DateDamage::NoDate => "esto no es una fecha",
    }
}

fn number(damage: NumberDamage) -> &'static str {
    match damage {
        NumberDamage::NotWhole => "este número no es entero",
        NumberDamage::Scientific => {
            "la hoja de cálculo muestra este número en notación científica, y puede perder cifras"
        }
        NumberDamage::Ambiguous | NumberDamage::Locale => {
            "este número lleva marcas de miles o decimales que no son las del archivo"
        }
        NumberDamage::Marks => {
            "hay puntos, comas o espacios donde ningún país los escribe en un número"
        }
        NumberDamage::Percent => "es un porcentaje",
        NumberDamage::Range => "es un intervalo, no un número",
        NumberDamage::Approximate => "es un número aproximado o un límite, no el número",
        NumberDamage::Fraction => "es una fracción, o una fecha",
        NumberDamage::Minus => "el signo menos no es el guion delante de las cifras",
        NumberDamage::Brackets => "en contabilidad, los paréntesis hacen negativo el número",
        NumberDamage::MoreThanANumber => "en la celda hay más que un número",
        NumberDamage::OtherDigits => "estas no son las cifras de 0 a 9",
        NumberDamage::TooLong => "el número tiene más cifras de las que se guardan con exactitud",
        NumberDamage::NoFigure => "la celda dice que no hay dato",
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
