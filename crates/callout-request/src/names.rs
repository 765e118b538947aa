//! Sets of names that a call's params are looked up in.

use std::collections::HashSet;

use callout_core::json::SmolStr;

/// Up to this many names are compared one by one, which is faster than hashing.
const FEW: usize = 8;

/// A set of names. Whoever calls chooses how many are looked up in it, so that each is found without going through all.
#[derive(Debug)]
pub(crate) enum Names {
    Few(Vec<SmolStr>),
    Many(HashSet<SmolStr>),
}

impl Names {
    /// Whether it has that name.
    pub(crate) fn contains(&self, name: &str) -> bool {
        match self {
            Self::Few(names) => names.iter().any(|other| other == name),
            Self::Many(names) => names.contains(name),
        }
    }
}

impl FromIterator<SmolStr> for Names {
    fn from_iter<I: IntoIterator<Item = SmolStr>>(names: I) -> Self {
        let names: Vec<SmolStr> = names.into_iter().collect();
        if names.len() <= FEW { Self::Few(names) } else { Self::Many(names.into_iter().collect()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_names_and_many_are_found_alike() {
        for count in [0, 1, FEW, FEW + 1, 1_000] {
            let names: Names = (0..count).map(|at| SmolStr::from(format!("n{at}"))).collect();
            assert_eq!(matches!(names, Names::Few(_)), count <= FEW, "{count}");
            assert!((0..count).all(|at| names.contains(&format!("n{at}"))), "{count}");
            assert!(!names.contains(&format!("n{count}")) && !names.contains(""), "{count}");
        }
    }
}
