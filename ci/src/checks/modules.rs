//! Modules stay small, and none allows unsafe code without saying why.

use super::Check;
use crate::context::{Context, Result, none_of};

pub(super) const CHECK: Check =
    Check { name: "modules", what: "modules are small, unsafe code is explained", run };

/// The most lines that a module may have; tests in a file of their own may be longer.
const MOST_LINES: usize = 600;

fn run(cx: &Context) -> Result {
    let mut wrong = Vec::new();
    for folder in ["ci", "compiler", "fuzz", "plugins", "runtime"] {
        for path in cx.files(folder, ".rs")? {
            let (shown, text) = (cx.shown(&path), cx.read(&path)?);
            let lines = text.lines().count();
            if lines > MOST_LINES && !is_test(&shown) {
                wrong.push(format!("{shown}: {lines} lines, at most {MOST_LINES}: split it"));
            }
            for line in unexplained_unsafe(&text) {
                wrong.push(format!("{shown}:{line}: say in a comment why unsafe code is needed"));
            }
        }
    }
    none_of(&wrong)
}

fn is_test(path: &str) -> bool {
    path.split(['/', '\\']).any(|part| part == "tests" || part == "tests.rs")
}

/// The lines that allow unsafe code with no comment on them or right above them.
fn unexplained_unsafe(text: &str) -> Vec<usize> {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let allows = |line: &str| {
        line.starts_with("#") && line.contains("unsafe_code") && !line.contains("deny")
    };
    let explains = |line: &str| line.starts_with("//");
    (0..lines.len())
        .filter(|&i| allows(lines[i]))
        .filter(|&i| !lines[i].contains("//") && !lines[i].contains("reason"))
        .filter(|&i| i == 0 || !explains(lines[i - 1]))
        .map(|i| i + 1)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_code_needs_a_word() {
        assert_eq!(unexplained_unsafe("use a;\n#![allow(unsafe_code)]\n"), [2]);
        assert_eq!(unexplained_unsafe("#[expect(unsafe_code)]\nfn f() {}"), [1]);
        assert!(unexplained_unsafe("// Calls the system.\n#![allow(unsafe_code)]").is_empty());
        assert!(unexplained_unsafe("#[allow(unsafe_code)] // Calls the system.").is_empty());
        assert!(unexplained_unsafe("#[expect(unsafe_code, reason = \"a call\")]").is_empty());
        assert!(unexplained_unsafe("#![deny(unsafe_code)]").is_empty());
    }

    #[test]
    fn tests_in_files_of_their_own_may_be_long() {
        assert!(is_test("runtime/swak-recipe/src/yaml/tests.rs"));
        assert!(is_test("compiler/tests/cases.rs"));
        assert!(!is_test("runtime/swak-test/src/lib.rs"));
    }
}
