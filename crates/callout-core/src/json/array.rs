use std::{ops::Deref, sync::Arc};

use super::Json;

/// The elements of a JSON array, shared between clones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Array(Arc<Vec<Json>>);

impl Deref for Array {
    type Target = [Json];

    fn deref(&self) -> &[Json] {
        &self.0
    }
}

impl From<Vec<Json>> for Array {
    fn from(elements: Vec<Json>) -> Self {
        Self(Arc::new(elements))
    }
}

impl FromIterator<Json> for Array {
    fn from_iter<I: IntoIterator<Item = Json>>(elements: I) -> Self {
        elements.into_iter().collect::<Vec<_>>().into()
    }
}

impl<'a> IntoIterator for &'a Array {
    type Item = &'a Json;
    type IntoIter = std::slice::Iter<'a, Json>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
