//! What must hold of any input: over the corpora of the fuzz targets.

use std::{fs, path::Path};

use callout_oracles::ORACLES;

/// Each target's corpus is run whole: its seeds, what a fuzzer found to be worth keeping, what was a finding.
#[test]
fn corpora_are_replayed() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for (name, oracle) in ORACLES {
        let mut inputs = 0;
        for entry in fs::read_dir(corpora.join(name)).unwrap() {
            let path = entry.unwrap().path();
            // Said before it is run: what ends the process cannot be said after.
            println!("{}", path.display());
            oracle(&fs::read(&path).unwrap());
            inputs += 1;
        }
        assert!(inputs >= 5, "{name} has a corpus");
    }
}
