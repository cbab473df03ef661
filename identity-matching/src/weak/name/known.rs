//! Particles, and frequent given names and surnames, by which it is told where in a name the surnames stand.
//!
//! A list of facts, not of rules: a name that is in neither list is read by its place. Chosen from the most frequent
//! names that statistical offices publish: Instituto Nacional de Estadística (Spain), "Apellidos y nombres más
//! frecuentes"; IBGE (Brazil), "Nomes no Brasil", 2010; RENIEC (Peru), yearly notes on frequent names. Words that are
//! frequent as both, such as `Cruz`, `Martín` or `Santiago`, are left out: they tell nothing.

/// Words that join the parts of a name and may be missing: Spanish and Portuguese particles, and forms of
/// address.
const PARTICLES: &[&str] = &[
    "da", "das", "de", "del", "der", "di", "do", "don", "dona", "dos", "dr", "dra", "e", "el",
    "ing", "la", "las", "lic", "los", "mr", "mrs", "ms", "sr", "sra", "srta", "van", "vda",
    "viuda", "von", "y",
];

/// Given names, folded, in order.
#[rustfmt::skip]
const GIVEN: &[&str] = &[
    "aaron", "abel", "abigail", "abraham", "adela", "adelaida", "adolfo", "adrian", "adriana", "agustina",
    "aida", "alan", "alba", "alberto", "alejandra", "alejandro", "alessandra", "alex", "alexander",
    "alexandra", "alexis", "alfonsina", "alfredo", "alicia", "alina", "aline", "alma", "alvaro", "amalia",
    "amanda", "amelia", "ana", "anabel", "analia", "anderson", "andre", "andrea", "andreia", "andres",
    "angela", "angelica", "angelina", "anita", "antonela", "antonia", "antonio", "antony", "araceli",
    "ariana", "ariel", "arturo", "augusto", "aurora", "axel", "ayrton", "barbara", "beatriz", "belen",
    "berta", "bianca", "blanca", "brandon", "brayan", "brenda", "brigida", "bruna", "bruno", "caio", "camila",
    "camilo", "carina", "carla", "carlos", "carmela", "carmen", "carolina", "catalina", "caterina", "cecilia",
    "celeste", "celia", "celso", "cesar", "cintia", "clara", "clarisa", "claudia", "claudio", "cleber",
    "concepcion", "consuelo", "cristian", "cristiane", "cristiano", "cristina", "cristobal", "dalia",
    "damaris", "damian", "daniel", "daniela", "daniele", "danilo", "dante", "dario", "david", "dayana",
    "debora", "delia", "denis", "denise", "deyvi", "diana", "diego", "dina", "dolores", "domenica", "doris",
    "dulce", "edgar", "edgardo", "edison", "edith", "edson", "eduarda", "eduardo", "edwin", "efrain", "elena",
    "eleonora", "elias", "elisa", "eliseo", "elizabeth", "eloisa", "elsa", "elva", "elvira", "emanuel",
    "emilia", "emiliano", "emilio", "emma", "enrique", "enzo", "eric", "erika", "ernestina", "ernesto",
    "esperanza", "esteban", "estefania", "estela", "ester", "esther", "eugenia", "eugenio", "eusebio", "eva",
    "evelyn", "fabian", "fabiana", "fabiano", "fabio", "fabiola", "facundo", "fanny", "fatima", "federico",
    "felicia", "felipe", "felix", "fernanda", "fernando", "fiorella", "flavia", "flavio", "flor", "florencia",
    "francesca", "francisca", "francisco", "franco", "frank", "freddy", "gabriel", "gabriela", "genesis",
    "genoveva", "george", "gerardo", "german", "gilberto", "gilda", "giovanna", "giovanni", "gisela",
    "giselle", "gladys", "gloria", "gonzalo", "graciela", "grecia", "gregoria", "gregorio", "guadalupe",
    "guilherme", "guillermina", "guillermo", "gustavo", "hector", "helen", "helena", "henry", "heriberto",
    "herminia", "hernan", "hilda", "hugo", "humberto", "ignacia", "ignacio", "ines", "ingrid", "irene",
    "iris", "irma", "isaac", "isabel", "isabela", "isaias", "isidora", "ismael", "israel", "ivan", "ivana",
    "ivette", "ivonne", "jacinta", "jackeline", "jacob", "jaime", "jair", "jana", "janet", "javier", "jazmin",
    "jean", "jennifer", "jenny", "jeremias", "jesica", "jessica", "jesus", "jhon", "joana", "joao", "joaquin",
    "joaquina", "joel", "johana", "john", "jonathan", "jorge", "jose", "josefa", "josefina", "joseph",
    "joshua", "josue", "joyce", "juan", "juana", "judith", "julia", "juliana", "julieta", "julio", "julissa",
    "justina", "karen", "karina", "karla", "katherine", "katia", "keiko", "kelly", "kenia", "kevin", "kiara",
    "larissa", "laura", "lautaro", "lazaro", "leandro", "leidy", "leonardo", "leonor", "leticia", "lidia",
    "ligia", "lilia", "lilian", "liliana", "lina", "lisa", "liz", "lizbeth", "lorena", "lorenza", "lourdes",
    "luana", "lucas", "lucero", "lucia", "luciana", "luciano", "lucila", "lucrecia", "luis", "luisa", "luiz",
    "luz", "lydia", "mabel", "macarena", "magali", "magdalena", "maite", "manuel", "manuela", "marcela",
    "marcelo", "marcia", "marco", "margarita", "maria", "mariana", "mariano", "maribel", "maricarmen",
    "mariela", "marilu", "marina", "mario", "marisa", "marisol", "marlene", "marta", "martha", "martina",
    "mateo", "matheus", "matias", "matilde", "mauricio", "mauro", "maxima", "maximiliano", "maximo", "mayra",
    "melanie", "melisa", "mercedes", "mia", "micaela", "michael", "michelle", "miguel", "milagros", "milena",
    "miriam", "moises", "monica", "morelia", "myriam", "nadia", "nahuel", "nancy", "natalia", "natasha",
    "nelida", "nelly", "nelson", "nestor", "nicanor", "nicolas", "nicolasa", "nicole", "nilda", "noelia",
    "noemi", "nora", "norma", "octavio", "ofelia", "olga", "olivia", "omar", "orlando", "oscar", "osvaldo",
    "otilia", "pablo", "paloma", "pamela", "paola", "patricia", "patricio", "paula", "paulina", "paulo",
    "pedro", "pilar", "priscila", "rafael", "rafaela", "ramiro", "ramona", "raquel", "raul", "rebeca",
    "regina", "renata", "renato", "renzo", "ricardo", "richard", "rigoberto", "rita", "roberta", "roberto",
    "rocio", "rodolfo", "rodrigo", "rogelio", "rolando", "roman", "rosa", "rosalia", "rosana", "rosario",
    "rosaura", "roxana", "ruben", "rubi", "ruth", "sabina", "sabrina", "salome", "samanta", "samuel",
    "sandra", "santino", "sara", "sarita", "saul", "sebastian", "selena", "sergio", "sheila", "silvana",
    "silvia", "silvina", "simona", "sofia", "soledad", "sonia", "stella", "stephanie", "steven", "susana",
    "tamara", "tania", "tatiana", "teodora", "teofilo", "teresa", "thais", "thiago", "tiago", "tomasa",
    "trinidad", "valentina", "valeria", "valerio", "vanessa", "vera", "veronica", "victor", "victoria",
    "vilma", "violeta", "viviana", "vladimir", "walter", "wanda", "wendy", "wilber", "wilfredo", "william",
    "wilmer", "wilson", "ximena", "xiomara", "yanina", "yasmin", "yesenia", "yolanda", "yuliana", "yuri",
    "yvonne", "zaida", "zenaida", "zoe", "zoila", "zulema",
];

/// Surnames, folded, in order.
#[rustfmt::skip]
const SURNAMES: &[&str] = &[
    "acevedo", "acosta", "acuna", "aguilar", "aguirre", "alarcon", "almeida", "alvarado", "alvarez", "alves",
    "apaza", "arancibia", "araujo", "arce", "arias", "arroyo", "avila", "ayala", "barbosa", "barreto",
    "barrios", "bautista", "becerra", "bermudez", "blanco", "bravo", "bustamante", "caballero", "cabrera",
    "caceres", "calderon", "calle", "camacho", "campos", "canales", "cardenas", "cardoso", "carrasco",
    "carrillo", "carvalho", "castaneda", "castillo", "castro", "ccama", "ccori", "cervantes", "cespedes",
    "chambi", "chavez", "choque", "cisneros", "condori", "contreras", "cordero", "cordova", "correa",
    "cortes", "costa", "cuellar", "cueva", "davila", "delgado", "diaz", "dominguez", "duarte", "duran",
    "enriquez", "escobar", "espinosa", "espinoza", "esteves", "estrada", "farias", "fernandes", "fernandez",
    "ferreira", "figueroa", "flores", "fonseca", "freitas", "fuentes", "galindo", "gallardo", "gallego",
    "gallegos", "galvez", "garces", "garcia", "garrido", "garzon", "gil", "gimenez", "giraldo", "gomes",
    "gomez", "goncalves", "gonzales", "gonzalez", "guerrero", "guevara", "gutierrez", "guzman", "henriquez",
    "heredia", "hernandez", "herrera", "herrero", "hidalgo", "huaman", "huamani", "huanca", "huarcaya",
    "hurtado", "ibanez", "iglesias", "jimenez", "juarez", "lara", "leal", "leiva", "lima", "llamas", "llanos",
    "lopes", "lopez", "lozano", "luna", "machado", "maldonado", "mamani", "marquez", "martinez", "martins",
    "medina", "mejia", "melo", "mendes", "mendez", "mendieta", "mendoza", "meza", "miranda", "molina",
    "montenegro", "montero", "montes", "montoya", "mora", "morales", "moreno", "mosquera", "moura", "moya",
    "munoz", "murillo", "naranjo", "navarrete", "navarro", "nieto", "nogueira", "nunez", "ochoa", "oliveira",
    "olivera", "ordonez", "orozco", "ortega", "ortiz", "osorio", "ospina", "pacheco", "padilla", "palacios",
    "palomino", "pardo", "paredes", "parra", "pena", "peralta", "pereira", "perez", "pineda", "pinheiro",
    "pinto", "pizarro", "polo", "ponce", "prado", "prieto", "puma", "quiroga", "quiroz", "quispe", "ramirez",
    "ramos", "rangel", "restrepo", "reyes", "ribeiro", "riquelme", "rivas", "rivera", "riveros", "rocha",
    "rodrigues", "rodriguez", "rojas", "romero", "rosales", "rubio", "rueda", "ruiz", "saavedra", "saez",
    "salas", "salazar", "salcedo", "saldana", "salinas", "sanabria", "sanchez", "sandoval", "santana", "sanz",
    "sepulveda", "serrano", "sierra", "silva", "silveira", "soares", "solis", "soria", "sosa", "soto",
    "sousa", "souza", "suarez", "tapia", "tavares", "teixeira", "tello", "ticona", "tinoco", "toledo",
    "torres", "trujillo", "urbina", "uribe", "urrutia", "valdes", "valdez", "valdivia", "valencia",
    "valenzuela", "valverde", "varela", "vargas", "vasquez", "vazquez", "vega", "vela", "velasco",
    "velasquez", "velazquez", "velez", "vergara", "vidal", "vieira", "vilca", "villalobos", "villanueva",
    "villegas", "yanez", "yupanqui", "zambrano", "zamora", "zapata", "zarate", "zavala", "zegarra", "zuniga",
];

/// Tells whether a folded word joins the parts of a name.
pub(super) fn is_particle(word: &str) -> bool {
    PARTICLES.binary_search(&word).is_ok()
}

/// Tells whether a folded word is a frequent given name.
pub(super) fn is_given(word: &str) -> bool {
    GIVEN.binary_search(&word).is_ok()
}

/// Tells whether a folded word is a frequent surname.
pub(super) fn is_surname(word: &str) -> bool {
    SURNAMES.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_order_and_share_no_name() {
        for list in [GIVEN, PARTICLES, SURNAMES] {
            assert!(list.is_sorted_by(|one, next| one < next));
        }
        assert!(!GIVEN.iter().any(|word| is_surname(word)));
    }
}
