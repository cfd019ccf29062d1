//! What fuzzing holds against what it promises: the reader of build configs.

use std::collections::HashSet;
use std::path::Path;

use swak_recipe::diag::{Diagnostics, SourceFile};

use crate::manifest::{self, BuildConfig};

#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

/// A build config is read, or refused with places that are in it; what was read keeps to what its
/// documentation says, also where something was wrong.
pub fn build_config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let source = SourceFile::new("build.yml", text);
    match manifest::from_source(&source, Path::new("folder/build.yml")) {
        Ok((config, found)) => {
            holds(&config);
            Diagnostics::from_vec(found).inspect(|found| can_be_told(found, source.text()));
        }
        Err(found) => {
            assert!(found.has_errors());
            can_be_told(&found, source.text());
        }
    }
}

fn holds(config: &BuildConfig) {
    let imports: HashSet<_> = config.imports.iter().map(|import| &import.name.value).collect();
    assert_eq!(imports.len(), config.imports.len(), "no crate twice");
    if let Some(targets) = &config.targets {
        let names: HashSet<_> = targets.iter().map(|target| &target.name).collect();
        assert!(names.len() == targets.len() && !names.is_empty(), "no target twice");
    }
}

fn can_be_told(found: &Diagnostics, text: &str) {
    for one in found {
        for label in one.primary.iter().chain(&one.secondary) {
            assert!(text.get(label.span.range()).is_some(), "{one:?} has no place in the text");
        }
    }
    assert!(!found.render(false).is_empty());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fuzzing_found_stays_found() {
        replay::replay("build_config", build_config);
    }
}
