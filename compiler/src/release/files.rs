//! The names of the files in `dist/`.

use semver::Version;

use super::Format;
use super::package::{Debian, RpmArch};
use crate::names::AgentName;
use crate::target::Target;

/// The executable that runs on the machine that built it: `swak-myprj`.
pub fn own(name: &AgentName, target: &Target) -> String {
    format!("{}{}", name.package(), target.exe_suffix())
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn name(word: &str) -> AgentName {
        AgentName::new(word).expect("a good name")
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
}
