//! Which columns a table has, and which of them a file must bring.

/// The columns of a table.
///
/// The order of the columns is that of [`Row::cells`](super::Row::cells).
///
/// ```
/// use raw_packets::table::TableSchema;
///
/// let cards = TableSchema::new("cards", ["card", "person_key", "since"])
///     .needs(["card"])
///     .needs(["person_key"])
///     .accepts(["since"]);
/// assert_eq!(cards.name(), "cards");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSchema {
    name: String,
    columns: Vec<String>,
    /// Of each group one column must be recognised.
    needs: Vec<Vec<String>>,
    accepted: Vec<String>,
}

impl TableSchema {
    /// Makes a schema; `name` is what a [`ColumnMap`](super::ColumnMap) calls the table.
    pub fn new<C: Into<String>>(
        name: impl Into<String>,
        columns: impl IntoIterator<Item = C>,
    ) -> Self {
        let columns = columns.into_iter().map(Into::into).collect();
        Self { name: name.into(), columns, needs: Vec::new(), accepted: Vec::new() }
    }

    /// Refuses a file in which none of these columns is recognised.
    #[must_use]
    pub fn needs<C: Into<String>>(mut self, any_of: impl IntoIterator<Item = C>) -> Self {
        self.needs.push(any_of.into_iter().map(Into::into).collect());
        self
    }

    /// Takes these columns where they are there, and says nothing where they are not.
    #[must_use]
    pub fn accepts<C: Into<String>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.accepted.extend(columns.into_iter().map(Into::into));
        self
    }

    /// Returns the columns of `leads.csv`: a key, and at least one column that identifies a person.
    #[must_use]
    pub fn leads() -> Self {
        Self::new(
            "leads",
            [
                "id",
                "external_id",
                "lead_created_at",
                "phone",
                "document",
                "document_type",
                "document_country",
                "email",
                "first_name",
                "middle_name",
                "last_name",
                "birth_date",
                "plate",
            ],
        )
        .needs(["id", "external_id"])
        .needs(IDENTIFIERS)
    }

    /// Returns the columns of `persons.csv`: a key, and at least one column that identifies a person.
    #[must_use]
    pub fn persons() -> Self {
        Self::new(
            "persons",
            [
                "person_key",
                "phone",
                "document",
                "document_type",
                "document_country",
                "email",
                "full_name",
                "birth_date",
                "plate",
            ],
        )
        .needs(["person_key"])
        .needs(IDENTIFIERS)
    }

    /// Returns the columns of `claims.csv`.
    #[must_use]
    pub fn claims() -> Self {
        Self::new("claims", ["claim_id", "person_key", "source_pk"])
            .needs(["claim_id"])
            .needs(["person_key", "source_pk"])
    }

    /// Returns the columns of `truth.csv`: which person each lead is, as somebody has labelled it.
    #[must_use]
    pub fn truth() -> Self {
        Self::new("truth", ["source_pk", "person_key"]).needs(["source_pk"]).needs(["person_key"])
    }

    /// Returns the name of the table.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the names of the columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    pub(super) fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| name == column)
    }

    /// Returns the groups of columns of which a file must bring one.
    #[must_use]
    pub fn needed(&self) -> &[Vec<String>] {
        &self.needs
    }

    pub(super) fn is_expected(&self, column: &str) -> bool {
        !self.accepted.iter().any(|name| name == column)
    }
}

/// The columns by which a person is found; a name alone finds nobody.
const IDENTIFIERS: [&str; 4] = ["phone", "document", "email", "plate"];
