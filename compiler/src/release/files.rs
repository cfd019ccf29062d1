//! The names of the files in `dist/`, and whose they are.

use semver::Version;

use super::Format;
use super::package::{Debian, RpmArch};
use crate::names::AgentName;
use crate::target::Target;

/// The executable of a target: `swak-myprj-windows-x86_64.exe`.
pub fn executable(name: &AgentName, target: &Target) -> String {
    format!("{}-{}{}", name.package(), target.name, target.exe_suffix())
}

/// What a target's executable is made of: `swak-myprj-linux-x86_64.cdx.json`.
pub fn sbom(name: &AgentName, target: &Target) -> String {
    format!("{}-{}.cdx.json", name.package(), target.name)
}

/// The licences of everything in it, for all targets: `swak-myprj-LICENSES.txt`.
pub fn licenses(name: &AgentName) -> String {
    format!("{}-LICENSES.txt", name.package())
}

/// How it was built: `swak-myprj.build.json`.
pub fn record(name: &AgentName) -> String {
    format!("{}.build.json", name.package())
}

/// The Dockerfile of a target: `swak-myprj-linux-x86_64.Dockerfile`.
pub fn dockerfile(name: &AgentName, target: &Target) -> String {
    format!("{}-{}.Dockerfile", name.package(), target.name)
}

/// A package of a target, named as its format wants it. The target must be one that
/// [`Format::fits`].
pub fn package(name: &AgentName, version: &Version, target: &Target, format: Format) -> String {
    let package = name.package();
    match format {
        Format::TarGz | Format::Zip => {
            format!("{package}-{version}-{}.{}", target.name, format.name())
        }
        Format::Deb => {
            let arch = Debian::of(&target.triples[0]).expect("the format fits the target");
            let name = super::package::debian_name(name);
            format!("{name}_{}_{}.deb", super::package::version(version), arch.name())
        }
        Format::Rpm => {
            let arch = RpmArch::of(&target.triples[0]).expect("the format fits the target");
            format!("{package}-{}-1.{}.rpm", super::package::version(version), arch.name())
        }
    }
}

/// Whether a file in `dist/` is one that builds of this agent leave there, of whatever version and
/// target. Other agents may share the folder, and their names may begin alike: `swak-web` owns
/// `swak-web-linux-x86_64`, not `swak-web-2-linux-x86_64`.
pub fn belongs_to(name: &AgentName, file: &str) -> bool {
    let package = name.package();
    if let Some(rest) = file.strip_prefix(&format!("{}_", super::package::debian_name(name))) {
        // version_arch.deb
        let parts = rest.strip_suffix(".deb").and_then(|rest| rest.rsplit_once('_'));
        if parts.is_some_and(|(version, _)| is_version(version)) {
            return true;
        }
    }
    let Some(rest) = file.strip_prefix(&package) else { return false };
    if matches!(rest, "" | ".exe" | ".build.json" | "-LICENSES.txt") {
        return true;
    }
    let Some(rest) = rest.strip_prefix('-') else { return false };
    if let Some((version, _)) = rest.strip_suffix(".rpm").and_then(|rest| rest.rsplit_once("-1.")) {
        return is_version(version);
    }
    let archive = [".tar.gz", ".zip"].iter().find_map(|suffix| rest.strip_suffix(suffix));
    if let Some(rest) = archive {
        // A version and a target may both have dashes in them.
        let cuts = rest.match_indices('-').map(|(at, _)| (&rest[..at], &rest[at + 1..]));
        return cuts.into_iter().any(|(v, t)| Version::parse(v).is_ok() && is_target(t));
    }
    let suffixes = [".exe", ".cdx.json", ".Dockerfile"];
    is_target(suffixes.iter().find_map(|suffix| rest.strip_suffix(suffix)).unwrap_or(rest))
}

fn is_target(name: &str) -> bool {
    Target::parse(name).is_ok_and(|target| target.name == name)
}

/// A version as a package has it: three numbers first.
fn is_version(text: &str) -> bool {
    let core = text.split(['~', '+']).next().unwrap_or_default();
    Version::parse(core).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(word: &str) -> AgentName {
        AgentName::new(word).expect("a good name")
    }

    #[test]
    fn an_agent_knows_its_own_files() {
        let web = name("My_Web");
        let mut all = vec![record(&web), licenses(&web), web.package(), web.package() + ".exe"];
        let targets =
            ["linux-x86_64", "linux-x86_64-gnu.2.17", "windows-x86_64", "macos-universal"];
        for target in targets.map(|t| Target::parse(t).expect("a target")) {
            all.extend([executable(&web, &target), sbom(&web, &target), dockerfile(&web, &target)]);
            for version in ["1.4.0", "1.4.0-rc-1.2+build-7"] {
                let version = Version::parse(version).expect("a version");
                let formats = Format::ALL.into_iter().filter(|f| f.fits(&target));
                all.extend(formats.map(|format| package(&web, &version, &target, format)));
            }
        }
        for file in &all {
            assert!(belongs_to(&web, file), "{file}");
            assert!(!belongs_to(&AgentName::default(), file), "{file}");
            assert!(!belongs_to(&name("My"), file), "{file}");
        }
        for other in ["swak-My_Web-2", "swak-My_Web-2-linux-x86_64", "SHA256SUMS", "swak-My_Webs"] {
            assert!(!belongs_to(&web, other), "{other}");
        }
    }

    #[test]
    fn a_package_is_named_as_its_format_wants_it() {
        let version = Version::parse("1.4.0-rc.1").expect("a version");
        let target = Target::parse("linux-armv7").expect("a target");
        let named = |format| package(&name("My_prj"), &version, &target, format);
        assert_eq!(named(Format::Deb), "swak-my-prj_1.4.0~rc.1_armhf.deb");
        assert_eq!(named(Format::Rpm), "swak-My_prj-1.4.0~rc.1-1.armv7hl.rpm");
        assert_eq!(named(Format::Zip), "swak-My_prj-1.4.0-rc.1-linux-armv7.zip");
    }
    proptest! {
        #[test]
        fn a_file_belongs_to_one_of_two_agents_at_most(rest in "[-_.a-z0-9~]{0,24}") {
            let file = format!("swak-a{rest}");
            prop_assert!(!(belongs_to(&name("a"), &file) && belongs_to(&name("ab"), &file)));
        }
    }
}
