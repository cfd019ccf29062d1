//! Packages: an executable with all that a machine needs to run it as a service.
//!
//! An archive (`tar.gz`, `zip`) has one folder, `swak-myprj-1.4.0-<target>/`, for any system. A
//! `.deb` and an `.rpm` put the same things where Linux wants them. Everything in them belongs to
//! root and has one time, see [`super::Moment`].

mod arch;
mod content;
mod deb;
mod needs;
mod rpm;
mod tar;
mod zip;

use semver::Version;

use super::{Artifact, Format, Made, Release, files};
use crate::names::AgentName;

pub use arch::{Debian, RpmArch};

/// A file in a package.
struct Entry {
    /// Where it goes: in an archive from the archive's folder, else from the root; with `/` and
    /// without one in front.
    path: String,
    bytes: Vec<u8>,
    /// Who may do what, as in `chmod`.
    mode: u16,
    /// The operator's own after the installation: an update leaves it as it is.
    config: bool,
}

/// Makes one package; the format must be one that fits the target.
pub(super) fn make(
    release: &Release<'_>,
    made: &Made<'_>,
    format: Format,
    licenses: &str,
) -> Artifact {
    let name = files::package(release.name, release.version, made.target, format);
    let bytes = match format {
        Format::TarGz | Format::Zip => {
            let folder = name.strip_suffix(format.name()).expect("the name ends so");
            let folder = folder.trim_end_matches('.');
            let entries = content::archive(release, made, licenses);
            match format {
                Format::TarGz => tar::gz(folder, &entries, release.moment),
                _ => zip::zip(folder, &entries, release.moment),
            }
        }
        Format::Deb => deb::deb(release, made, &content::system(release, made, licenses)),
        Format::Rpm => rpm::rpm(release, made, content::system(release, made, licenses)),
    };
    Artifact { name, bytes }
}

/// The name of a `.deb`: lower-case letters, digits, `+`, `-` and `.` (Debian policy, 5.6.1).
pub(super) fn debian_name(name: &AgentName) -> String {
    name.package().to_ascii_lowercase().replace('_', "-")
}

/// A version as `.deb` and `.rpm` order it: a `~` sorts before everything, so that a pre-release
/// is older than its release. `-` has another meaning in both.
pub(super) fn version(version: &Version) -> String {
    let plain = |text: &str| text.replace('-', ".");
    let mut out = format!("{}.{}.{}", version.major, version.minor, version.patch);
    if !version.pre.is_empty() {
        out.push_str(&format!("~{}", plain(&version.pre)));
    }
    if !version.build.is_empty() {
        out.push_str(&format!("+{}", plain(&version.build)));
    }
    out
}

/// One line about the agent.
fn summary(release: &Release<'_>) -> String {
    format!("Swak agent {}", release.name.package())
}
