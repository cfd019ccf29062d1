//! What is left in `dist/` beside the executables.
//!
//! | file | made by |
//! |---|---|
//! | `swak-myprj-<target>.cdx.json`, what is in the executable | [`sbom`] |
//! | `swak-myprj-LICENSES.txt`, for all targets | [`licenses`] |
//! | `swak-myprj-<target>.Dockerfile` | [`container`] |
//! | `swak-myprj-1.4.0-<target>.tar.gz` and other packages | [`package`] |
//! | `SHA256SUMS`, shared by the agents of a folder | [`sums`] |
//! | `swak-myprj.build.json` | [`record`] |
//!
//! All of these are functions from data to bytes: the same input gives the same bytes, on any
//! machine and at any time. Nothing is started and nothing is written; the only files that are read
//! are the licences in the folders of the crates. In the order of a build:
//!
//! 1. [`graph::Graph::of`] for each triple, from what Cargo says; [`graph::Graph::union`] for a
//!    universal target.
//! 2. [`licenses::Deny::check`] before anything is compiled.
//! 3. [`Release::artifacts`] with the executables as they will be delivered (stripped, signed).
//! 4. [`sums::sha256`] of everything that is delivered, [`sums::merge`], [`record::Record`].

pub mod container;
pub mod files;
pub mod graph;
pub mod licenses;
pub mod package;
pub mod record;
pub mod sbom;
pub mod sums;
mod wanted;

use semver::Version;

use crate::names::AgentName;
use crate::resolve::{Plan, Recipe, STANDARD};
use crate::target::Target;
use graph::Graph;

pub use wanted::{Format, Wanted, is_static};

/// The agent that was built, and what its build config asks for beside it.
#[derive(Clone, Copy, Debug)]
pub struct Release<'a> {
    /// Its name.
    pub name: &'a AgentName,
    /// Its version.
    pub version: &'a Version,
    /// The recipe that is built in; packages carry it as their example.
    pub recipe: Option<&'a Recipe>,
    /// Whether the standard plugins are in it: the example that packages carry when no recipe is
    /// built in uses them.
    pub standard: bool,
    /// What the build config asks for.
    pub wanted: &'a Wanted,
    /// When the files in packages say that they were changed; see [`Moment::of`].
    pub moment: Moment,
}

/// One target that was built.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
    /// The target.
    pub target: &'a Target,
    /// The bytes of its executable, as they will be delivered.
    pub executable: &'a [u8],
    /// The crates that it was made from.
    pub graph: &'a Graph,
}

/// A file for `dist/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Its name, without a folder.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// The time that the files in packages have, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(u32);

impl Moment {
    /// The first second of the year 2000: a time that every format can say, for builds that are
    /// told no other.
    pub const FIXED: Moment = Moment(946_684_800);

    /// What the environment variable `SOURCE_DATE_EPOCH` says
    /// (<https://reproducible-builds.org/specs/source-date-epoch/>), else [`Moment::FIXED`]. A
    /// value that is no number of seconds, or before 1980 or after 2106, which zip and rpm cannot
    /// say, is as if it were not there.
    pub fn of(source_date_epoch: Option<&str>) -> Self {
        /// The first second of 1980.
        const FIRST: u32 = 315_532_800;
        let said = source_date_epoch.and_then(|text| text.trim().parse().ok());
        said.filter(|seconds| *seconds >= FIRST).map_or(Moment::FIXED, Moment)
    }

    /// Seconds since 1970.
    pub fn seconds(self) -> u32 {
        self.0
    }
}

impl<'a> Release<'a> {
    /// The release of a plan.
    pub fn of(plan: &'a Plan, moment: Moment) -> Self {
        Release {
            name: &plan.name,
            version: &plan.version,
            recipe: plan.recipe.as_ref(),
            standard: plan.plugins.iter().any(|p| p.name.as_str() == STANDARD),
            wanted: &plan.wanted,
            moment,
        }
    }

    /// Every file that belongs beside these executables but the sums and the record, which are
    /// about these: an SBOM for each target, the licences, and the packages and Dockerfiles that
    /// are asked for. Ordered by name; no name is there twice.
    ///
    /// Takes the targets that were really built: one that failed gets no file. The executables
    /// themselves are not among the answers. The bytes of all packages are in memory at once, each
    /// of them less than the executable and the licences together.
    pub fn artifacts(&self, made: &[Made<'_>]) -> Vec<Artifact> {
        if made.is_empty() {
            return Vec::new();
        }
        let mut all = Vec::new();
        for one in made {
            all.push(Artifact {
                name: files::sbom(self.name, one.target),
                bytes: sbom::cyclonedx(self, one),
            });
            if self.wanted.container && is_static(one.target) {
                all.push(Artifact {
                    name: files::dockerfile(self.name, one.target),
                    bytes: container::dockerfile(self, one.target).into_bytes(),
                });
            }
        }
        let targets: Vec<&Target> = made.iter().map(|one| one.target).collect();
        for one in made {
            let formats = self.wanted.packages.iter();
            let chosen = |f: &&Format| f.chosen(targets.iter().copied()).contains(&one.target);
            let formats: Vec<_> = formats.filter(chosen).collect();
            if formats.is_empty() {
                continue;
            }
            // Of this target alone: what else was built makes no package another one.
            let licenses = licenses::text(self, std::slice::from_ref(one));
            all.extend(formats.into_iter().map(|f| package::make(self, one, *f, &licenses)));
        }
        let licenses = licenses::text(self, made);
        all.push(Artifact { name: files::licenses(self.name), bytes: licenses.into_bytes() });
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }
}

#[cfg(test)]
mod tests;
