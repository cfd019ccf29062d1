//! A Dockerfile that holds the executable of one static Linux target and nothing else.

use super::{Release, files};
use crate::generate::templates::{Values, fill};
use crate::target::{Target, Triple};

/// The Dockerfile, to be used in the folder where the executable is.
pub(super) fn dockerfile(release: &Release<'_>, target: &Target) -> String {
    let triple = target.triples.first().expect("a target has a triple");
    let mut values = Values::new();
    values.insert("package".into(), release.name.package().into());
    values.insert("image".into(), release.name.package().to_ascii_lowercase().into());
    values.insert("version".into(), release.version.to_string().into());
    // A `+` cannot stand in an image's tag.
    values.insert("tag".into(), release.version.to_string().replace('+', "-").into());
    values.insert("target".into(), target.name.clone().into());
    values.insert("dockerfile".into(), files::dockerfile(release.name, target).into());
    values.insert("executable".into(), files::executable(release.name, target).into());
    values.insert("platform".into(), platform(triple).into());
    values.insert("has_recipe".into(), release.recipe.is_some().into());
    fill("container/Dockerfile", &values)
}

/// The platform as images name it: the operating system, the processor as Go calls it, and its
/// variant (<https://github.com/opencontainers/image-spec/blob/main/image-index.md>).
fn platform(triple: &Triple) -> String {
    let processor = match triple.processor() {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "i586" | "i686" => "386",
        "powerpc64le" => "ppc64le",
        "riscv64gc" => "riscv64",
        "loongarch64" => "loong64",
        arm if arm.starts_with("armv7") || arm.starts_with("thumbv7") => "arm/v7",
        arm if arm.starts_with("armv5") => "arm/v5",
        arm if arm.starts_with("arm") => "arm/v6",
        other => other,
    };
    format!("linux/{processor}")
}
