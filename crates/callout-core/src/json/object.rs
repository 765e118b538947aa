use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, OnceLock},
};

use smol_str::SmolStr;

use super::{Json, eight::few, unnest::unnest};

/// Up to this many members a look-up compares names one by one, which is faster than hashing.
const LINEAR: usize = 16;

/// The members of a JSON object in their order, shared between clones.
///
/// A name stands at most once: of duplicates the last value wins, at the place of the first.
#[derive(Clone, Default)]
pub struct Object(
    /// `None` is empty.
    Option<Arc<Members>>,
);

struct Members {
    entries: Vec<(SmolStr, Json)>,
    /// Name to position, made at the first look-up in a large object.
    index: OnceLock<HashMap<SmolStr, usize>>,
}

impl Object {
    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.position(name).map(|at| &self.entries()[at].1)
    }

    /// Which member, counted from 0, has that name: [`Object::entry`] gives it.
    pub fn position(&self, name: &str) -> Option<usize> {
        let Members { entries, index } = &**self.0.as_ref()?;
        if entries.len() <= LINEAR {
            return entries.iter().position(|(key, _)| key == name);
        }
        let index = index.get_or_init(|| entries.iter().enumerate().map(|(at, (key, _))| (key.clone(), at)).collect());
        index.get(name).copied()
    }

    /// Whether both are clones of one that is not empty.
    pub(super) fn shares(&self, other: &Self) -> bool {
        self.0.as_ref().zip(other.0.as_ref()).is_some_and(|(one, other)| Arc::ptr_eq(one, other))
    }

    /// From names that differ and the value of each.
    pub(super) fn of_row(names: &[SmolStr], values: impl Iterator<Item = Json>) -> Self {
        let entries: Vec<_> = names.iter().cloned().zip(values).collect();
        Self((!entries.is_empty()).then(|| Arc::new(Members { entries, index: OnceLock::new() })))
    }

    fn entries(&self) -> &[(SmolStr, Json)] {
        self.0.as_ref().map_or(&[], |members| members.entries.as_slice())
    }

    /// The members, if nobody else holds them; nothing is left here.
    pub(super) fn take_unshared(&mut self) -> Vec<(SmolStr, Json)> {
        self.0.take().and_then(Arc::into_inner).map(|members| members.entries).unwrap_or_default()
    }

    /// Whether a member of that name exists.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The members in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Json)> + DoubleEndedIterator + Clone {
        self.entries().iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The member at that position, its name in the form that can be kept without a copy.
    pub fn entry(&self, position: usize) -> Option<(&SmolStr, &Json)> {
        self.entries().get(position).map(|(key, value)| (key, value))
    }

    /// The names in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.iter().map(|(key, _)| key)
    }

    /// The values in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Json> {
        self.iter().map(|(_, value)| value)
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        if self.0.is_some() {
            unnest(self.take_unshared().iter_mut().map(|(_, value)| value));
        }
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(left), Some(right)) => Arc::ptr_eq(left, right) || left.entries == right.entries,
            (left, right) => left.is_none() == right.is_none(),
        }
    }
}

impl Eq for Object {}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Into<SmolStr>> FromIterator<(K, Json)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, Json)>>(members: I) -> Self {
        let members = members.into_iter();
        let mut builder = ObjectBuilder::with_capacity(members.size_hint().0);
        for (name, value) in members {
            builder.insert(name, value);
        }
        builder.build()
    }
}

/// Collects the members of an [`Object`]; see there for what becomes of duplicates.
#[derive(Debug, Default)]
pub struct ObjectBuilder {
    entries: Vec<(SmolStr, Json)>,
    /// The [`mark`] of each name: one whose mark is not among them is new.
    marks: [u64; 4],
    /// Made once a name has to be looked for among more than [`SEARCHED`].
    index: Option<HashMap<SmolStr, usize>>,
}

/// Up to this many members a name whose mark is known is looked for one by one. As a rule few are: those that stand
/// twice, and those that share another's mark.
const SEARCHED: usize = 64;

/// One of the 256 bits, by all of a name: where it stands among four words.
fn mark(name: &str) -> (usize, u64) {
    // An odd number without a pattern: what differs in a factor differs in the upper half of the product, and comes
    // from there into the lower.
    let spread = |word: u64| {
        let product = word.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        product ^ (product >> 32)
    };
    let (words, rest) = name.as_bytes().as_chunks();
    let whole = words.iter().fold(name.len() as u64, |mixed, word| spread(mixed ^ u64::from_le_bytes(*word)));
    let mixed = spread(spread(whole ^ few(rest)));
    ((mixed >> 62) as usize, 1 << (mixed >> 56 & 63))
}

impl ObjectBuilder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty builder with room for that many members.
    pub fn with_capacity(members: usize) -> Self {
        Self { entries: Vec::with_capacity(members), ..Self::default() }
    }

    /// Adds a member, or replaces the value of the one with that name; says whether it was new.
    pub fn insert(&mut self, name: impl Into<SmolStr>, value: impl Into<Json>) -> bool {
        let (name, value) = (name.into(), value.into());
        let (word, bit) = mark(&name);
        if self.marks[word] & bit != 0
            && let Some(at) = self.position(&name)
        {
            self.entries[at].1 = value;
            return false;
        }
        self.marks[word] |= bit;
        self.entries.push((name, value));
        true
    }

    /// The builder with that member added or replaced.
    #[must_use]
    pub fn with(mut self, name: impl Into<SmolStr>, value: impl Into<Json>) -> Self {
        self.insert(name, value);
        self
    }

    fn position(&mut self, name: &str) -> Option<usize> {
        if self.entries.len() <= SEARCHED {
            return self.entries.iter().position(|(key, _)| key == name);
        }
        let index = self.index.get_or_insert_default();
        // Those that have come since it was needed last.
        for at in index.len()..self.entries.len() {
            index.insert(self.entries[at].0.clone(), at);
        }
        index.get(name).copied()
    }

    /// The object.
    pub fn build(self) -> Object {
        Object((!self.entries.is_empty()).then(|| Arc::new(Members { entries: self.entries, index: OnceLock::new() })))
    }
}

impl From<ObjectBuilder> for Json {
    fn from(builder: ObjectBuilder) -> Self {
        Self::Object(builder.build())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn of_duplicates_the_last_value_stands_at_the_first_place() {
        for members in [2, LINEAR - 1, LINEAR, LINEAR + 1, SEARCHED, SEARCHED + 1, SEARCHED + 2, 1_000] {
            let mut builder = ObjectBuilder::new();
            for at in 0..members {
                assert!(builder.insert(format!("k{at}"), Json::Null));
            }
            for at in 0..members {
                assert!(!builder.insert(format!("k{at}"), Json::from(at)), "{members} members, key {at}");
            }
            assert!(builder.insert("one more", true), "after they were looked for");
            assert!(!builder.insert("one more", true));
            let object = builder.build();
            assert_eq!(object.len(), members + 1);
            for (at, (name, value)) in object.iter().take(members).enumerate() {
                assert_eq!((name, value), (format!("k{at}").as_str(), &Json::from(at)));
                assert_eq!(object.get(name), Some(value));
                assert_eq!(object.position(name), Some(at));
            }
            assert_eq!(object.get("absent"), None);
        }
    }

    #[test]
    fn names_of_one_family_have_marks_that_differ() {
        type Family = fn(usize) -> String;
        let families: [Family; 8] = [
            |at| format!("k{at}"),
            |at| format!("{}", 100_000 + 7 * at),
            |at| format!("customfield_{}", 10_000 + at),
            |at| format!("custom_field_{at:03}_displayName"),
            |at| format!("https://api.example.com/users/{:04}/profile", 37 * at),
            |at| format!("2026-{:02}-{:02}", 1 + at / 28, 1 + at % 28),
            |at| "x".repeat(at + 1),
            |at| char::from_u32(0x4e00 + at as u32).unwrap().to_string(),
        ];
        for family in families {
            let names: Vec<_> = (0..SEARCHED).map(family).collect();
            let marks: HashSet<_> = names.iter().map(|name| mark(name)).collect();
            // Of 64 that are thrown at 256, 57 differ as a rule.
            assert!(marks.len() >= 48, "{} of {names:?}", marks.len());
        }
        assert_eq!(mark(""), (0, 1));
    }
}
