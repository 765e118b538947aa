use std::{fmt, ops::Deref, sync::Arc};

use super::{Json, unnest::unnest};

/// The elements of a JSON array, shared between clones.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Array(
    /// `None` is empty.
    Option<Arc<Vec<Json>>>,
);

impl Array {
    /// Whether both are clones of one that is not empty.
    pub(super) fn shares(&self, other: &Self) -> bool {
        self.0.as_ref().zip(other.0.as_ref()).is_some_and(|(one, other)| Arc::ptr_eq(one, other))
    }

    /// The elements, if nobody else holds them; nothing is left here.
    pub(super) fn take_unshared(&mut self) -> Vec<Json> {
        self.0.take().and_then(Arc::into_inner).unwrap_or_default()
    }
}

impl Deref for Array {
    type Target = [Json];

    fn deref(&self) -> &[Json] {
        self.0.as_ref().map_or(&[], |elements| elements.as_slice())
    }
}

impl Drop for Array {
    fn drop(&mut self) {
        if self.0.is_some() {
            unnest(&mut self.take_unshared());
        }
    }
}

impl From<Vec<Json>> for Array {
    fn from(elements: Vec<Json>) -> Self {
        Self((!elements.is_empty()).then(|| Arc::new(elements)))
    }
}

impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&**self).finish()
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
        (**self).iter()
    }
}
