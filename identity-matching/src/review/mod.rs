//! What is wrong with the population itself: persons that are one, and one that is several.
//!
//! A bad population makes bad matches. Persons who share a document are most likely one person with two
//! keys; a person with two documents of one country and type is most likely two persons under one key.
//! Nothing is merged or split here: the findings are for the people who keep the population.

mod groups;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    index::{InMemoryIndex, IndexedPerson, RowId},
    key::{DocumentTypeId, KeyForm, KeyKind},
    policy::Policy,
};

/// What a review of a population finds; documents are masked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PopulationReview {
    /// How many persons were reviewed.
    pub persons_total: usize,
    /// Groups of persons who are linked by documents that few hold, by their first key.
    pub same: Vec<SamePerson>,
    /// Persons who hold two documents of one country and type, by key.
    pub several: Vec<SeveralPersons>,
    /// Documents that more persons hold than the policy takes for evidence: not used for groups.
    pub shared: Vec<SharedDocument>,
}

/// A group of persons who are most likely one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SamePerson {
    /// The persons' keys, in order; at least two.
    pub persons: Vec<String>,
    /// The documents that link them.
    pub documents: Vec<String>,
    /// Whether some of them also hold different documents of one country and type: then look twice.
    pub contradicted: bool,
}

/// A person who is most likely several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SeveralPersons {
    /// The person's key.
    pub person: String,
    /// The country whose documents differ.
    pub country: String,
    /// The documents of one type, at least two.
    pub documents: Vec<String>,
}

/// A document that too many persons hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SharedDocument {
    /// The document.
    pub document: String,
    /// How many hold it.
    pub holders: usize,
}

/// Reviews a population under a policy, whose document caps say which documents are evidence.
///
/// Groups are connected components over documents held by two to `max_persons_per_key` persons, so that no
/// placeholder fuses strangers. Work grows with the persons and the shared keys, not with pairs.
///
/// ```
/// use identity_matching::{
///     Normaliser, Policy, RawDocument, Record, review, index::InMemoryIndex,
/// };
///
/// let normaliser = Normaliser::default();
/// let ana = Record { documents: vec![RawDocument::typed("PE", "DNI", "45678913")], ..Record::default() };
/// let mut builder = InMemoryIndex::builder();
/// builder.add("P1", &normaliser.normalise(&ana))?;
/// builder.add("P2", &normaliser.normalise(&ana))?;
/// let review = review::review(&builder.build()?, &Policy::default());
/// assert_eq!(review.same[0].persons, ["P1", "P2"]);
/// # Ok::<(), identity_matching::index::IndexError>(())
/// ```
#[must_use]
pub fn review(index: &InMemoryIndex, policy: &Policy) -> PopulationReview {
    let mut review = PopulationReview { persons_total: index.len(), ..PopulationReview::default() };
    for person in index.persons() {
        several(&person, policy, &mut review.several);
    }
    review.several.sort_unstable_by(|left, right| {
        (&left.person, &left.documents).cmp(&(&right.person, &right.documents))
    });
    let documents = policy.kind(KeyKind::DOCUMENT).cloned().unwrap_or_default();
    let cap = documents.max_persons_per_key as usize;
    let mut groups = groups::Groups::default();
    for (key, persons) in index.shared() {
        if key.kind() != Some(KeyKind::DOCUMENT) || key.is_organisation() {
            continue;
        }
        if persons.len() > cap {
            let (document, holders) = (key.masked(), persons.len());
            review.shared.push(SharedDocument { document, holders });
        } else {
            persons[1..].iter().for_each(|&other| groups.join(persons[0], other));
        }
    }
    review.shared.sort_unstable_by(|left, right| {
        right.holders.cmp(&left.holders).then_with(|| left.document.cmp(&right.document))
    });
    review.same = groups.into_lists().iter().map(|ids| same(index, policy, cap, ids)).collect();
    review.same.sort_unstable_by(|left, right| left.persons.cmp(&right.persons));
    review
}

fn several(person: &IndexedPerson<'_>, policy: &Policy, found: &mut Vec<SeveralPersons>) {
    let mut by_type: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for held in person.keys() {
        if let Some(kind) = held.key.document_type().filter(|&kind| is_exclusive(policy, kind)) {
            by_type.entry(kind).or_default().push(held.key.masked());
        }
    }
    for (kind, mut documents) in by_type {
        if documents.len() > 1 {
            documents.sort_unstable();
            found.push(SeveralPersons {
                person: person.key().to_owned(),
                country: kind.country().to_string(),
                documents,
            });
        }
    }
}

/// Tells whether a person has one document of the type at most.
fn is_exclusive(policy: &Policy, kind: DocumentTypeId) -> bool {
    let documents = policy.used().iter().find(|used| used.kind == KeyKind::DOCUMENT);
    documents.is_some_and(|used| used.exclusive && !used.exempts(Some(kind)))
        && !kind.is_organisation()
}

fn same(index: &InMemoryIndex, policy: &Policy, cap: usize, ids: &[RowId]) -> SamePerson {
    let mut persons = Vec::with_capacity(ids.len());
    let mut holders: BTreeMap<_, usize> = BTreeMap::new();
    let mut types: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for view in ids.iter().filter_map(|&id| index.view(id)) {
        persons.push(view.key().to_owned());
        for held in view.keys() {
            let Some(kind) = held.key.document_type() else { continue };
            *holders.entry(held.key).or_default() += 1;
            if held.form == KeyForm::Exact && is_exclusive(policy, kind) {
                types.entry(kind).or_default().push(held.key);
            }
        }
    }
    persons.sort_unstable();
    let contradicted = types.into_values().any(|mut keys| {
        keys.sort_unstable();
        keys.dedup();
        keys.len() > 1
    });
    let links = holders.into_iter().filter(|&(_, count)| count > 1 && count <= cap);
    let mut documents: Vec<String> = links.map(|(key, _)| key.masked()).collect();
    documents.sort_unstable();
    SamePerson { persons, documents, contradicted }
}
