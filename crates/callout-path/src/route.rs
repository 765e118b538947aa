//! Where in a document a path can lead, told without the document.

use callout_core::json::SmolStr;

/// One way to go down a level on a [`Route`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hop {
    /// The member of that name, of an object.
    Member(SmolStr),
    /// Every member of an object.
    Members,
    /// The element at that index, of an array.
    Element(usize),
    /// Every element of an array.
    Elements,
    /// The member of that name, of an object; an array is gone through to each of its elements, on
    /// which this same hop stands again.
    Through(SmolStr),
}

/// For each level from the root down, the hops that a path may take there.
///
/// What a path gives, and what it costs against `max_path_matches`, depends on nothing but the nodes on
/// its route, how many children those of them have to which all lead, and everything below its end. An
/// empty route is the whole document.
pub type Route = Vec<Vec<Hop>>;
