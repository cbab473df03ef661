//! The codes of findings, each with its page.

use std::collections::BTreeSet;
use std::path::Path;

use raw_packets::Code;

#[test]
fn every_code_is_unique_told_and_listed_in_the_reference() {
    let words: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(words.len(), Code::ALL.len());
    for code in Code::ALL {
        let word = code.as_str();
        assert!(word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{word}");
        assert!(code.title().len() > 10 && code.title().ends_with('.'), "{word}: {}", code.title());
        assert!(code.page().ends_with('.'), "{word}: {}", code.page());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/findings.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, Code::reference()).unwrap();
    }
    let listed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(listed == Code::reference(), "run with UPDATE_GOLDEN=1 to write docs/findings.md anew");
}
