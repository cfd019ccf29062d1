//! Which targets are built, and what their files are called.

use std::path::Path;

use swak_recipe::diag::{Diagnostic, did_you_mean};

use super::{Planned, Request, real};
use crate::manifest::BuildConfig;
use crate::names::AgentName;
use crate::release::files;
use crate::target::Target;

/// The build config's targets, as far as the command line asks for them. Where neither says a word
/// it is this machine's own, whose file has no target in its name.
pub(super) fn plan(
    config: &BuildConfig,
    request: &Request,
    found: &mut Vec<Diagnostic>,
) -> Vec<Planned> {
    let out = real(&request.out);
    let asked = asked(&request.targets, config.targets.as_deref(), found);
    let targets = match (asked, &config.targets) {
        (Some(asked), _) => asked,
        (None, Some(listed)) => listed.clone(),
        (None, None) => {
            let target = Target::host();
            let file = out.join(files::own(&config.name, &target));
            return vec![Planned { target, file, also: None }];
        }
    };
    named(targets, &config.name, &out)
}

/// Names each target's file after it. The first one that runs here is there under the agent's own
/// name as well.
fn named(targets: Vec<Target>, name: &AgentName, out: &Path) -> Vec<Planned> {
    let here = targets.iter().position(Target::runs_here);
    let plan = |(i, target): (usize, Target)| Planned {
        file: out.join(files::executable(name, &target)),
        also: (here == Some(i)).then(|| out.join(files::own(name, &target))),
        target,
    };
    targets.into_iter().enumerate().map(plan).collect()
}

/// The targets that the command line names; `None` if it names none.
fn asked(
    words: &[String],
    listed: Option<&[Target]>,
    found: &mut Vec<Diagnostic>,
) -> Option<Vec<Target>> {
    if words.is_empty() {
        return None;
    }
    let mut asked: Vec<Target> = Vec::new();
    for word in words {
        match Target::named(word) {
            Err(error) => {
                found.push(Diagnostic::error(error.code(), error.to_string()).help(error.help()));
            }
            Ok(targets) => {
                // `all` is all of what there is to be narrowed.
                let targets = match listed {
                    Some(listed) if word == "all" => listed.to_vec(),
                    _ => targets,
                };
                let outside = |t: &&Target| listed.is_some_and(|l| !l.contains(t));
                found.extend(targets.iter().filter(outside).map(|t| not_listed(t, listed)));
                let inside = |t: &Target| listed.is_none_or(|l| l.contains(t));
                for target in targets.into_iter().filter(inside) {
                    if !asked.contains(&target) {
                        asked.push(target);
                    }
                }
            }
        }
    }
    Some(asked)
}

fn not_listed(target: &Target, listed: Option<&[Target]>) -> Diagnostic {
    let names: Vec<_> = listed.unwrap_or_default().iter().map(|t| t.name.as_str()).collect();
    let message = format!("`{}` is not among the targets of the build config", target.name);
    let list = format!("the build config has {}", names.join(", "));
    Diagnostic::error("target-not-listed", message).help(
        match did_you_mean(&target.name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`? {list}"),
            None => format!("add it to `targets` there; {list}"),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::HOST;

    #[test]
    fn the_command_line_narrows_what_the_build_config_lists() {
        let listed = Target::named("all").expect("a word");
        let mut found = Vec::new();
        let narrow = |words: &[&str], found: &mut Vec<Diagnostic>| {
            let words: Vec<_> = words.iter().map(|w| (*w).to_owned()).collect();
            let asked = asked(&words, Some(&listed), found).expect("words were given");
            asked.into_iter().map(|t| t.name).collect::<Vec<_>>()
        };
        let both = ["windows-x86_64", "x86_64-pc-windows-gnu"];
        assert_eq!(narrow(&both, &mut found), ["windows-x86_64"]);
        assert_eq!(narrow(&["all"], &mut found).len(), listed.len());
        let gnu = Target::named("linux-x86_64-gnu").expect("a target");
        assert_eq!(asked(&["all".to_owned()], Some(&gnu), &mut found), Some(gnu));
        assert!(found.is_empty());
        assert!(narrow(&["macos-universal"], &mut found).is_empty());
        assert_eq!(found.pop().map(|d| d.code), Some("target-not-listed"));
        assert!(narrow(&["linux-x86-64"], &mut found).is_empty());
        assert_eq!(found.pop().map(|d| d.code), Some("unknown-target"));
    }

    #[test]
    fn the_target_that_runs_here_has_the_agents_own_name_too() {
        let name = AgentName::new("x").expect("a good name");
        let host = Target::parse(HOST).expect("this machine's");
        let other = Target::parse("riscv64gc-unknown-linux-gnu").expect("a triple");
        let planned = named(vec![other, host.clone()], &name, Path::new("/d"));
        assert_eq!(planned[0].file, Path::new("/d/swak-x-riscv64gc-unknown-linux-gnu"));
        assert_eq!(planned[0].also, None);
        let own = format!("/d/swak-x{}", host.exe_suffix());
        assert_eq!(planned[1].also.as_deref(), Some(Path::new(&own)));
    }
}
