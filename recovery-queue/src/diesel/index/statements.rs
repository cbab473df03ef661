//! The statements of the candidate index, each written once for both backends.

use crate::diesel::conn::namespace::Names;

/// A key that more persons hold than this has a counter of its own.
pub(crate) use crate::diesel::HUB;

/// How one backend takes a list apart that travels as JSON.
struct Dialect {
    /// A list of keys as `at, key`.
    keys: &'static str,
    /// A list of numbers as `value`.
    numbers: &'static str,
    /// A list of texts as `value`.
    texts: &'static str,
    /// A list of pairs of a text and bytes as `text, bytes`.
    held: &'static str,
    /// A list of pairs of a number and bytes as `number, bytes`.
    changed: &'static str,
    /// A list of pairs of a key and a number as `key, number`.
    counted: &'static str,
    /// The holders of the keys of `t` that no more persons hold than `$2`, as `p`, each found by the index. Above the limit
    /// the key that is looked for is NULL, so that no holder is even looked at.
    holders: &'static str,
}

const SQLITE: Dialect = Dialect {
    keys: "SELECT CAST(key AS INTEGER) AS at, unhex(value) AS key FROM json_each($1)",
    numbers: "SELECT CAST(value AS INTEGER) AS value FROM json_each($1)",
    texts: "SELECT value FROM json_each($1)",
    held: "SELECT value ->> 0 AS text, unhex(value ->> 1) AS bytes FROM json_each($1)",
    changed: "SELECT CAST(value ->> 0 AS INTEGER) AS number, unhex(value ->> 1) AS bytes FROM json_each($1)",
    counted: "SELECT unhex(value ->> 0) AS key, CAST(value ->> 1 AS INTEGER) AS number FROM json_each($1)",
    holders: "{ns}queue_index_holder p ON p.key = CASE WHEN t.total <= $2 THEN t.key END",
};

const POSTGRES: Dialect = Dialect {
    keys: "SELECT e.n - 1 AS at, decode(e.v, 'hex') AS key \
           FROM json_array_elements_text(CAST($1 AS json)) WITH ORDINALITY e(v, n)",
    numbers: "SELECT CAST(v AS BIGINT) AS value FROM json_array_elements_text(CAST($1 AS json)) e(v)",
    texts: "SELECT v AS value FROM json_array_elements_text(CAST($1 AS json)) e(v)",
    held: "SELECT v ->> 0 AS text, decode(v ->> 1, 'hex') AS bytes \
           FROM json_array_elements(CAST($1 AS json)) e(v)",
    changed: "SELECT CAST(v ->> 0 AS BIGINT) AS number, decode(v ->> 1, 'hex') AS bytes \
              FROM json_array_elements(CAST($1 AS json)) e(v)",
    counted: "SELECT decode(v ->> 0, 'hex') AS key, CAST(v ->> 1 AS BIGINT) AS number \
              FROM json_array_elements(CAST($1 AS json)) e(v)",
    // OFFSET 0 keeps it a look-up for each key: a planner that expects many holders would read all of them.
    holders: "LATERAL (SELECT x.person_id FROM {ns}queue_index_holder x \
                  WHERE x.key = CASE WHEN t.total <= $2 THEN t.key END OFFSET 0) p ON true",
};

/// Each takes one list as `$1`.
pub(crate) struct Statements {
    /// Who holds the keys: `at, total, person_id`; nobody is listed where more hold one than `$2`.
    pub(crate) holders: String,
    /// The persons with these ids, in their order.
    pub(crate) persons: String,
    /// The persons with these keys.
    pub(crate) known: String,
    /// Takes the lock that changes queue up at.
    pub(crate) lock: Option<String>,
    /// Adds persons, and gives their keys and ids.
    pub(crate) add: String,
    /// Writes what persons hold now.
    pub(crate) change: String,
    /// Removes persons by their ids.
    pub(crate) remove: String,
    /// Adds and removes holders of keys.
    pub(crate) hold: String,
    pub(crate) release: String,
    /// Brings the counters in step with the holders: of keys that have one, then of keys that need one, then
    /// without those that need none any more.
    pub(crate) count: [String; 3],
}

/// Counts the holders of each key that needs a counter, where none has one yet.
pub(crate) fn counters() -> String {
    format!(
        "INSERT INTO {{ns}}queue_index_hub (key, holders) SELECT key, count(*) FROM {{ns}}queue_index_holder \
         GROUP BY key HAVING count(*) > {HUB}"
    )
}

impl Statements {
    pub(crate) fn new(sqlite: bool, names: &Names) -> Self {
        let Dialect { keys, numbers, texts, held, changed, counted, holders } =
            if sqlite { SQLITE } else { POSTGRES };
        let sql = |template: &str| names.sql(template);
        // Persons by a list, each found by an index, whatever a planner of PostgreSQL believes of the list.
        let persons = |column: &str, list: &str| {
            if sqlite {
                format!(
                    "{{ns}}queue_index_person p WHERE p.{column} IN (SELECT value FROM ({list}) w)"
                )
            } else {
                format!(
                    "(SELECT DISTINCT value FROM ({list}) v) w CROSS JOIN LATERAL \
                         (SELECT * FROM {{ns}}queue_index_person q WHERE q.{column} = w.value OFFSET 0) p"
                )
            }
        };
        Self {
            holders: sql(&format!(
                "WITH w AS MATERIALIZED ({keys}), t AS MATERIALIZED (SELECT w.at, w.key, COALESCE(h.holders, \
                     (SELECT count(*) FROM {{ns}}queue_index_holder c WHERE c.key = w.key)) AS total \
                     FROM w LEFT JOIN {{ns}}queue_index_hub h ON h.key = w.key) \
                 SELECT t.at, t.total, p.person_id FROM t LEFT JOIN {holders} WHERE t.total > 0 ORDER BY t.at, p.person_id"
            )),
            persons: sql(&format!(
                "SELECT p.id, p.person_key, p.held FROM {} ORDER BY p.id",
                persons("id", numbers)
            )),
            known: sql(&format!(
                "SELECT p.id, p.person_key, p.held FROM {}",
                persons("person_key", texts)
            )),
            lock: (!sqlite).then(|| sql("SELECT id AS value FROM {ns}queue_index FOR UPDATE")),
            add: sql(&format!(
                "INSERT INTO {{ns}}queue_index_person (person_key, held) \
                 SELECT w.text, w.bytes FROM ({held}) w ORDER BY w.text RETURNING id, person_key, held"
            )),
            change: sql(&format!(
                "UPDATE {{ns}}queue_index_person SET held = w.bytes FROM ({changed}) w \
                 WHERE {{ns}}queue_index_person.id = w.number"
            )),
            remove: sql(&format!(
                "DELETE FROM {{ns}}queue_index_person WHERE id IN (SELECT value FROM ({numbers}) w)"
            )),
            hold: sql(&format!(
                "INSERT INTO {{ns}}queue_index_holder (key, person_id) \
                 SELECT w.key, w.number FROM ({counted}) w ORDER BY w.key, w.number"
            )),
            release: sql(&format!(
                "DELETE FROM {{ns}}queue_index_holder \
                 WHERE (key, person_id) IN (SELECT w.key, w.number FROM ({counted}) w)"
            )),
            count: [
                sql(&format!(
                    "UPDATE {{ns}}queue_index_hub SET holders = holders + w.number FROM ({counted}) w \
                     WHERE {{ns}}queue_index_hub.key = w.key"
                )),
                sql(&format!(
                    "INSERT INTO {{ns}}queue_index_hub (key, holders) SELECT n.key, n.holders FROM \
                         (SELECT w.key, (SELECT count(*) FROM {{ns}}queue_index_holder c \
                              WHERE c.key = w.key) AS holders FROM ({counted}) w \
                          WHERE w.number > 0 AND NOT EXISTS \
                              (SELECT 1 FROM {{ns}}queue_index_hub h WHERE h.key = w.key)) n \
                     WHERE n.holders > {HUB}"
                )),
                sql(&format!(
                    "DELETE FROM {{ns}}queue_index_hub WHERE holders <= {HUB} \
                     AND key IN (SELECT w.key FROM ({counted}) w)"
                )),
            ],
        }
    }
}
