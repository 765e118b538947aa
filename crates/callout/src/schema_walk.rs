//! What a walk through a host's schema beside a model's params may cost.

use callout_core::json::Json;

/// How far references and what is combined are followed for one value.
pub(crate) const MAX_REFERENCES: u32 = 16;

/// How often subschemas are looked at for the params of one call.
pub(crate) const MAX_LOOKS: usize = 1_000_000;

/// How many bytes of a text are read at the price of a look.
const TEXT_BYTES: usize = 64;

/// The looks that are left; none once they did not suffice.
#[derive(Debug)]
pub(crate) struct Looks(usize);

impl Default for Looks {
    /// [`MAX_LOOKS`]
    fn default() -> Self {
        Self(MAX_LOOKS)
    }
}

impl Looks {
    /// `None` if that many are not left.
    pub(crate) fn spend(&mut self, looks: usize) -> Option<()> {
        let left = self.0.checked_sub(looks);
        self.0 = left.unwrap_or(0);
        left.and(Some(()))
    }
}

/// How many looks one at this schema counts as, its reference followed.
pub(crate) fn cost(schema: &Json) -> usize {
    1 + schema.get("$ref").and_then(Json::as_str).map_or(0, length_cost)
}

/// How many more a text costs that is read, for its length.
pub(crate) fn length_cost(text: &str) -> usize {
    text.len() / TEXT_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_suffice_is_used_up() {
        let mut looks = Looks::default();
        assert!(looks.spend(MAX_LOOKS - 1).is_some() && looks.spend(2).is_none());
        assert!(looks.spend(1).is_none() && looks.spend(0).is_some());
    }

    #[test]
    fn a_long_reference_counts_as_several_looks() {
        let to = |bytes: usize| cost(&Json::parse(&format!(r#"{{"$ref":"{}"}}"#, "a".repeat(bytes))).unwrap());
        assert_eq!([cost(&Json::Bool(true)), to(63), to(64), to(6_400)], [1, 1, 2, 101]);
    }
}
