//! What a build config asks for beside the executable: `licenses`, `package`, `container`.

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use swak_recipe::diag::{Diagnostic, Diagnostics, did_you_mean};

use super::licenses::Deny;
use super::package::{Debian, RpmArch};
use crate::target::{System, Target};

/// What a build config asks for beside the executable; the default is nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// Licences that no crate in the agent may have.
    pub deny: Deny,
    /// Packages to make, in the order of the build config, none twice.
    pub packages: Vec<Format>,
    /// Whether a Dockerfile is written beside each static Linux executable.
    pub container: bool,
}

/// A format of packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// A tar archive, compressed with gzip; for any target.
    TarGz,
    /// A zip archive; for any target.
    Zip,
    /// A package of Debian and its kin; for Linux.
    Deb,
    /// A package of Red Hat, SUSE and their kin; for Linux.
    Rpm,
}

impl Format {
    /// All of them, in the order they are shown.
    pub const ALL: [Format; 4] = [Format::TarGz, Format::Zip, Format::Deb, Format::Rpm];

    /// Reads a format's name; else gives the nearest one.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(name: &str) -> Result<Self, Option<&'static str>> {
        let found = Format::ALL.into_iter().find(|format| format.name() == name);
        found.ok_or_else(|| match name.to_ascii_lowercase().as_str() {
            "tgz" | "tar" => Some("tar.gz"),
            lower => did_you_mean(lower, Format::ALL.map(Format::name)),
        })
    }

    /// As a build config says it, and as a file's name ends.
    pub fn name(self) -> &'static str {
        match self {
            Format::TarGz => "tar.gz",
            Format::Zip => "zip",
            Format::Deb => "deb",
            Format::Rpm => "rpm",
        }
    }

    /// Whether a package of this format can be made for the target.
    pub fn fits(self, target: &Target) -> bool {
        let [triple] = target.triples.as_slice() else {
            return matches!(self, Format::TarGz | Format::Zip);
        };
        match self {
            Format::TarGz | Format::Zip => true,
            Format::Deb => Debian::of(triple).is_some(),
            Format::Rpm => RpmArch::of(triple).is_some(),
        }
    }

    /// Of these targets, those that get a package of this format. A `.deb` and an `.rpm` are named
    /// after the processor alone: of several targets for one processor, the static one gets it,
    /// else the first.
    pub fn chosen<'a>(self, targets: impl IntoIterator<Item = &'a Target>) -> Vec<&'a Target> {
        let fitting: Vec<&Target> = targets.into_iter().filter(|t| self.fits(t)).collect();
        if matches!(self, Format::TarGz | Format::Zip) {
            return fitting;
        }
        let arch = |target: &Target| match self {
            Format::Deb => Debian::of(&target.triples[0]).map(Debian::name),
            _ => RpmArch::of(&target.triples[0]).map(RpmArch::name),
        };
        let is_first = |(at, target): &(usize, &&'a Target)| {
            let rivals = || fitting.iter().enumerate().filter(|(_, t)| arch(t) == arch(target));
            let best = rivals().find(|(_, t)| is_static(t)).or_else(|| rivals().next());
            best.is_some_and(|(best, _)| best == *at)
        };
        fitting.iter().enumerate().filter(is_first).map(|(_, target)| *target).collect()
    }
}

/// Whether a container can hold nothing but this target's executable.
pub fn is_static(target: &Target) -> bool {
    matches!(target.triples.as_slice(), [one] if one.is_musl())
}

impl Wanted {
    /// What is asked for and not made for some of the targets, for people. A build config for
    /// which nothing at all would be made is refused when it is read.
    pub fn warnings(&self, targets: &[Target]) -> Vec<String> {
        let told = |code: &'static str, message: String| {
            let told = Diagnostics::from(Diagnostic::warning(code, message));
            told.render(false).trim_end().to_owned()
        };
        let mut said = Vec::new();
        for format in &self.packages {
            let chosen = format.chosen(targets);
            let left: Vec<_> = targets
                .iter()
                .filter(|t| t.system() == System::Linux && !chosen.contains(t))
                .map(|t| t.name.as_str())
                .collect();
            if !left.is_empty() {
                let message = format!(
                    "no {} is made for {}: one is made for each processor that the format has a \
                     name for",
                    format.name(),
                    left.join(", "),
                );
                said.push(told("no-package", message));
            }
        }
        let left: Vec<_> =
            targets.iter().filter(|t| !is_static(t)).map(|t| t.name.as_str()).collect();
        if self.container && !left.is_empty() {
            let message = format!(
                "no Dockerfile is written for {}: an empty container runs only a static Linux \
                 executable",
                left.join(", "),
            );
            said.push(told("no-container", message));
        }
        said
    }

    /// The lines of the plan, each with its heading.
    pub fn lines(&self, targets: &[Target]) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        if !self.deny.is_empty() {
            lines.push(("licenses", format!("without {}", self.deny)));
        }
        for (at, format) in self.packages.iter().enumerate() {
            let head = if at == 0 { "package" } else { "" };
            let text = format!("{} for {}", format.name(), names(&format.chosen(targets)));
            lines.push((head, text));
        }
        if self.container {
            let chosen: Vec<_> = targets.iter().filter(|t| is_static(t)).collect();
            lines.push(("container", format!("a Dockerfile for {}", names(&chosen))));
        }
        lines
    }
}

fn names(targets: &[&Target]) -> String {
    match targets {
        [] => "none of the targets".to_owned(),
        some => some.iter().map(|t| t.name.as_str()).collect::<Vec<_>>().join(", "),
    }
}

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// As the keys of the build config: `licenses`, `package`, `container`.
impl Serialize for Wanted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("licenses", &serde_json::json!({ "deny": self.deny }))?;
        map.serialize_entry("package", &self.packages)?;
        map.serialize_entry("container", &self.container)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(words: &[&str]) -> Vec<Target> {
        words.iter().map(|w| Target::parse(w).expect("a target")).collect()
    }

    #[test]
    fn a_format_is_read_by_its_name_alone() {
        for format in Format::ALL {
            assert_eq!(Format::parse(format.name()), Ok(format));
        }
        assert_eq!(Format::parse("tgz"), Err(Some("tar.gz")));
        assert_eq!(Format::parse("DEB"), Err(Some("deb")));
        assert_eq!(Format::parse("msi-installer"), Err(None));
    }

    #[test]
    fn one_package_is_made_for_a_processor() {
        let all = targets(&["linux-x86_64-gnu", "windows-x86_64", "linux-x86_64", "linux-aarch64"]);
        assert_eq!(names(&Format::Deb.chosen(&all)), "linux-x86_64, linux-aarch64");
        assert_eq!(names(&Format::Rpm.chosen(&all[..2])), "linux-x86_64-gnu");
        assert_eq!(Format::Zip.chosen(&all).len(), 4);
        let universal = targets(&["macos-universal"]);
        assert_eq!(names(&Format::Deb.chosen(&universal)), "none of the targets");
        let wanted = Wanted { packages: vec![Format::Deb], container: true, ..Wanted::default() };
        let said = wanted.warnings(&all);
        let deb = "warning[no-package]: no deb is made for linux-x86_64-gnu:";
        assert!(said[0].starts_with(deb), "{said:?}");
        assert!(said[1].contains("for linux-x86_64-gnu, windows-x86_64:"), "{said:?}");
    }
}
