//! Fillers: words and digits that people and forms put where an identifier is missing.

/// Words that stand for "there is none", in letters and digits alone.
const FILLERS: &[&str] = &[
    "0",
    "000",
    "anonimo",
    "anonymous",
    "blank",
    "desc",
    "desconhecido",
    "desconocido",
    "documentoentramite",
    "emandamento",
    "empty",
    "emtramitacao",
    "enblanco",
    "enproceso",
    "entramite",
    "extraviado",
    "falso",
    "falta",
    "indocumentado",
    "inexistente",
    "invalid",
    "invalido",
    "missing",
    "na",
    "nada",
    "nan",
    "nao",
    "naoconsta",
    "naoinformado",
    "naoinformou",
    "naopossui",
    "naosabe",
    "naotem",
    "naotenho",
    "nd",
    "ne",
    "nenhum",
    "nil",
    "ninguna",
    "ningundoc",
    "ningundocumento",
    "ninguno",
    "nn",
    "no",
    "noaplica",
    "noconoce",
    "nocontesta",
    "nocuenta",
    "nodata",
    "nodisponible",
    "noemail",
    "noexiste",
    "nohay",
    "noindica",
    "noinforma",
    "nomail",
    "none",
    "nophone",
    "noposee",
    "nopresenta",
    "nopresento",
    "noquiere",
    "norecuerda",
    "norefiere",
    "noregistra",
    "nosabe",
    "notapplicable",
    "notavailable",
    "notelephone",
    "notengo",
    "notengodni",
    "notiene",
    "notienedni",
    "nr",
    "ns",
    "null",
    "nulo",
    "objectobject",
    "pendente",
    "pendiente",
    "pending",
    "poractualizar",
    "porconfirmar",
    "porregistrar",
    "prueba",
    "sc",
    "sd",
    "sem",
    "semcnpj",
    "semcpf",
    "semdocumento",
    "sememail",
    "semrg",
    "semtelefone",
    "sin",
    "sinapellido",
    "sincedula",
    "sincelular",
    "sincorreo",
    "sindato",
    "sindatos",
    "sindni",
    "sindoc",
    "sindocumento",
    "sinemail",
    "sininformacion",
    "sinnombre",
    "sinnumero",
    "sinplaca",
    "sinplacas",
    "sinregistro",
    "sinruc",
    "sintelefono",
    "sn",
    "st",
    "tba",
    "tbd",
    "test",
    "teste",
    "tramite",
    "undefined",
    "unknown",
    "vencido",
    "void",
    "x",
    "xx",
    "xxx",
    "xxxx",
    "xxxxx",
    "xxxxxxxx",
];

/// Tells whether a text says that there is no value: `no tiene`, `n/a`, `-`, `S/N`.
///
/// A text without any letter or digit is one too.
pub(crate) fn is_filler(text: &str) -> bool {
    use unicode_normalization::UnicodeNormalization;
    let mut folded = [0; FILLER_MAX];
    let mut length = 0;
    // Takes one character; whatever is longer than any filler, or of other letters, is none.
    let mut take = |character: char| {
        if !character.is_alphanumeric() {
            return true;
        }
        match (folded.get_mut(length), u8::try_from(character)) {
            (Some(slot), Ok(byte)) if byte.is_ascii() => {
                *slot = byte.to_ascii_lowercase();
                length += 1;
                true
            }
            _ => false,
        }
    };
    let short = if text.is_ascii() {
        text.bytes().all(|byte| take(char::from(byte)))
    } else {
        text.nfkd().all(take)
    };
    let folded = &folded[..length];
    short
        && (length == 0 || FILLERS.binary_search_by(|filler| filler.as_bytes().cmp(folded)).is_ok())
}

/// Tells whether a text without an identifier says that there is none: a filler, words that begin with "no" or "without", an
/// error of a spreadsheet, or keys pressed in a row.
pub(crate) fn says_nothing(text: &str) -> bool {
    const NO: [&str; 10] =
        ["no", "sin", "sem", "nao", "não", "not", "without", "ningun", "ninguna", "nenhum"];
    if is_filler(text) || is_error(text) {
        return true;
    }
    if text.bytes().any(|byte| byte.is_ascii_digit() || byte == b'@') {
        return false;
    }
    let lower = text.to_lowercase();
    let mut words =
        lower.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    match words.next() {
        Some(_) => NO.contains(&first),
        None => is_keyboard_run(first.as_bytes()),
    }
}

/// Tells whether a text is an error of a spreadsheet in any language: `#N/D`, `#¡VALOR!`, `#REF!`, `#¿NOMBRE?`, `#DIV/0!`.
fn is_error(text: &str) -> bool {
    let Some(name) = text.trim().strip_prefix('#') else { return false };
    let letters = name.chars().filter(|sign| sign.is_alphabetic()).count();
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let marked = name.ends_with(['!', '?']);
    (2..=12).contains(&letters)
        && digits <= 1
        && (marked || matches!(name, "N/A" | "N/D" | "NV" | "NA"))
}

/// Longest of the fillers.
const FILLER_MAX: usize = 20;

/// Returns the letters and digits of a text, unaccented and in lower case.
pub(crate) fn letters_and_digits(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    text.nfkd().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Tells whether digits are one digit repeated, or a run up or down, with 0 after 9.
pub(crate) fn is_repeated_or_run(digits: &[u8]) -> bool {
    let &[first, second, ..] = digits else { return false };
    // The difference of neighbours, modulo ten, must stay 0, 1 or -1.
    let step = (second + 10 - first) % 10;
    matches!(step, 0 | 1 | 9) && digits.windows(2).all(|pair| (pair[1] + 10 - pair[0]) % 10 == step)
}

/// Tells whether letters are one letter repeated, or pieces of one row of a keyboard: `aaaa`, `asdasd`, `qwerty`.
pub(crate) fn is_keyboard_run(letters: &[u8]) -> bool {
    if letters.len() < 4 || !letters.iter().all(u8::is_ascii_lowercase) {
        return false;
    }
    if letters.windows(2).all(|pair| pair[0] == pair[1]) {
        return true;
    }
    // Pieces of three neighbours or more, each beginning anew.
    let place = |letter: u8| PLACES[usize::from(letter - b'a')];
    let mut run = 1;
    for pair in letters.windows(2) {
        match place(pair[1]) == place(pair[0]) + 1 {
            true => run += 1,
            false if run >= 3 => run = 1,
            false => return false,
        }
    }
    run >= 3
}

/// The places of the letters on a keyboard; neighbours in a row have places one after the other.
static PLACES: [u8; 26] = {
    const ROWS: [&[u8]; 3] = [b"qwertyuiop", b"asdfghjkl", b"zxcvbnm"];
    let mut places = [0; 26];
    let (mut row, mut place) = (0, 0);
    while row < ROWS.len() {
        let mut at = 0;
        while at < ROWS[row].len() {
            places[(ROWS[row][at] - b'a') as usize] = place;
            (at, place) = (at + 1, place + 1);
        }
        // The next row begins beyond.
        (row, place) = (row + 1, place + 1);
    }
    places
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fillers_are_sorted_so_that_they_are_found() {
        assert!(FILLERS.is_sorted());
        assert!(FILLERS.iter().all(|filler| filler.len() <= FILLER_MAX));
    }

    #[test]
    fn words_for_nothing_are_fillers_in_any_writing() {
        for text in
            ["no tiene", "NO TIENE", "N/A", "s/n", "-", "--", "Não tem", "sin teléfono", "."]
        {
            assert!(is_filler(text), "{text}");
        }
        for text in ["nora", "45678912", "tengo"] {
            assert!(!is_filler(text), "{text}");
        }
        for text in [
            "no tiene celular",
            "sin telf",
            "Não quis informar",
            "#¡VALOR!",
            "#N/D",
            "#DIV/0!",
            "asdasd",
        ] {
            assert!(says_nothing(text), "{text}");
        }
        for text in
            ["Noelia", "Ana Díaz", "#987123456", "no 987123456", "no@correo.pe", "Sinforosa"]
        {
            assert!(!says_nothing(text), "{text}");
        }
    }
}
