//! Who is told of what is swept.

use super::{
    read::Reader,
    words::{WORDS, Words, highest, last},
};

/// Is told of what is swept, and may break off by `None`. It is told before it is known whether all of that is
/// as it has to be.
pub(super) trait Watch {
    /// Whether names are of any use to it.
    const LOOKS_INSIDE: bool;

    /// Whether it wants to be told of the names in the innermost container.
    fn wants_names(&self) -> bool;

    /// If names are of no use to it now, nor is where containers end: it must be told of arrays that begin within
    /// fewer others than this, and of objects that begin within fewer than one less, and need not be told of more.
    fn skims(&self) -> Option<usize>;

    /// A name begins at `quote`, or a string that stands where one would.
    fn name(&mut self, bytes: &[u8], group: &Seen<'_>, quote: usize) -> Option<()>;

    /// A container begins at `at`, in so many others.
    fn opens(&mut self, bytes: &[u8], group: &Seen<'_>, at: usize, within: usize, is_object: bool) -> Option<()>;

    /// One has ended, in so many others.
    fn closes(&mut self, reader: &mut Reader<'_>, within: usize) -> Option<()>;
}

/// What a watch can see around the place that it is told of.
pub(super) struct Seen<'g> {
    /// Where the group begins.
    pub(super) base: usize,
    /// Where names begin in it, and strings that stand where names would.
    pub(super) names: &'g Words,
    /// The last of those before it.
    pub(super) name: usize,
    pub(super) backslashes: &'g Words,
    pub(super) has_backslashes: bool,
}

impl Seen<'_> {
    #[cfg(test)]
    pub(super) fn alone(backslashes: &Words) -> Seen<'_> {
        Seen { base: 0, names: backslashes, name: 0, backslashes, has_backslashes: *backslashes != [0; WORDS] }
    }

    /// Where the last name before that place began. What stands there need not be one if the text is not as it
    /// has to be.
    #[inline]
    pub(super) fn name_before(&self, at: usize) -> usize {
        let (word, bit) = (at.saturating_sub(self.base) / 64, at.saturating_sub(self.base) % 64);
        let bits = self.names.get(word).map_or(0, |bits| bits & !(u64::MAX << bit));
        if bits != 0 {
            return self.base + word * 64 + highest(bits);
        }
        let before = self.names.get(..word).unwrap_or_default();
        last(before).map_or(self.name, |at| self.base + at)
    }

    /// Whether it is known that no backslash stands between these places, of which the first is not behind the
    /// other.
    #[inline]
    pub(super) fn is_plain(&self, from: usize, to: usize) -> bool {
        let Some(words) = from.checked_sub(self.base).map(|from| from / 64..=(to - self.base) / 64) else {
            return false;
        };
        if self.has_backslashes {
            self.backslashes.get(words).is_some_and(|words| words.iter().all(|bits| *bits == 0))
        } else {
            *words.end() < WORDS
        }
    }
}

/// Nobody watches.
pub(super) struct Unwatched;

impl Watch for Unwatched {
    const LOOKS_INSIDE: bool = false;

    #[inline]
    fn wants_names(&self) -> bool {
        false
    }

    #[inline]
    fn skims(&self) -> Option<usize> {
        Some(0)
    }

    #[inline]
    fn name(&mut self, _: &[u8], _: &Seen<'_>, _: usize) -> Option<()> {
        Some(())
    }

    #[inline]
    fn opens(&mut self, _: &[u8], _: &Seen<'_>, _: usize, _: usize, _: bool) -> Option<()> {
        Some(())
    }

    #[inline]
    fn closes(&mut self, _: &mut Reader<'_>, _: usize) -> Option<()> {
        Some(())
    }
}
