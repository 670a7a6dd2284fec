//! Every row of a table that names its proof as `` `file` `test` `` names a test that is there. A proof that was renamed
//! or dropped fails here, so that no document promises what nothing shows.

use std::path::Path;

/// The documents that promise something.
const DOCUMENTS: [&str; 2] = ["README.md", "src/PRIVACY.md"];

/// A test that a document leans on.
#[derive(Debug, PartialEq, Eq)]
struct Proof {
    file: String,
    test: String,
}

/// The proofs that one line of a table names: a word that ends in `.rs`, and the words in backticks after it.
fn proofs(line: &str) -> Vec<Proof> {
    let mut found = Vec::new();
    if !line.starts_with('|') {
        return found;
    }
    let mut file: Option<&str> = None;
    for word in line.split('`').skip(1).step_by(2) {
        match (word.ends_with(".rs"), file) {
            (true, _) => file = Some(word),
            (false, Some(file)) => found.push(Proof { file: file.to_owned(), test: word.to_owned() }),
            (false, None) => {}
        }
    }
    found
}

/// Whether a source text has a test of that name.
fn has_test(source: &str, name: &str) -> bool {
    let definition = format!("fn {name}(");
    let Some(at) = source.find(&definition) else { return false };
    // Its attributes stand on the lines above it.
    let above: Vec<&str> = source[..at].lines().rev().take(8).collect();
    above
        .iter()
        .take_while(|line| !line.starts_with('}'))
        .any(|line| ["test]", "::test(", "proptest"].iter().any(|word| line.contains(word)))
}

#[test]
fn every_proof_that_a_document_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing = Vec::new();
    let mut named = 0;
    for document in DOCUMENTS {
        let text = std::fs::read_to_string(root.join(document)).expect("reading a document");
        for proof in text.lines().flat_map(proofs) {
            named += 1;
            let source = std::fs::read_to_string(root.join(&proof.file)).unwrap_or_default();
            if !has_test(&source, &proof.test) {
                missing.push(format!("{document}: `{}` has no test `{}`", proof.file, proof.test));
            }
        }
    }
    assert!(named >= 20, "the tables are no longer read: {named} proofs found");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn a_proof_that_is_not_there_is_found() {
    let line = "| never | a figure under k | `src/a.rs` `one`, `two`; `src/b.rs` `three` |";
    let of = |file: &str, test: &str| Proof { file: file.to_owned(), test: test.to_owned() };
    assert_eq!(proofs(line), [of("src/a.rs", "one"), of("src/a.rs", "two"), of("src/b.rs", "three")]);
    assert!(proofs("prose names `src/a.rs` `one` freely").is_empty());
    let source = "#[test]\n#[ignore = \"needs time\"]\nfn one() {\n}\nfn two() {\n}\n";
    assert!(has_test(source, "one"));
    assert!(!has_test(source, "two") && !has_test(source, "three"));
}
