//! A `.deb` (deb(5), version 2.0): an `ar` archive of a version, a `control.tar.gz` that says what
//! it is, and a `data.tar.gz` with what is installed. Fields are those of Debian's policy.

use std::fmt::Write as _;

use md5::{Digest as _, Md5};

use super::{Entry, arch, debian_name, needs, summary, tar, version};
use crate::generate::templates::{Values, fill};
use crate::release::{Made, Moment, Release, sums};

/// The package, with these files.
pub(super) fn deb(release: &Release<'_>, made: &Made<'_>, entries: &[Entry]) -> Vec<u8> {
    let moment = release.moment;
    let control = tar::compress(&tar::tar("", &control(release, made, entries), moment));
    let data = tar::compress(&tar::tar("", entries, moment));
    let mut out = b"!<arch>\n".to_vec();
    member(&mut out, "debian-binary", b"2.0\n", moment);
    member(&mut out, "control.tar.gz", &control, moment);
    member(&mut out, "data.tar.gz", &data, moment);
    out
}

/// A member of an `ar` archive: a header of 60 bytes in ASCII, the bytes, and a line break where
/// their number is odd.
fn member(out: &mut Vec<u8>, name: &str, bytes: &[u8], moment: Moment) {
    let (time, size) = (moment.seconds(), bytes.len());
    let header = format!("{name:<16}{time:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, "100644");
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(bytes);
    if !bytes.len().is_multiple_of(2) {
        out.push(b'\n');
    }
}

/// What is in `control.tar.gz`.
fn control(release: &Release<'_>, made: &Made<'_>, entries: &[Entry]) -> Vec<Entry> {
    let text = |path: &str, text: String, mode| Entry {
        path: path.to_owned(),
        bytes: text.into_bytes(),
        mode,
        config: false,
    };
    let mut values = Values::new();
    values.insert("package".into(), release.name.package().into());
    let mut sums = String::new();
    let mut conffiles = String::new();
    for entry in entries {
        let sum = sums::hex(&Md5::digest(&entry.bytes));
        writeln!(sums, "{sum}  {}", entry.path).expect("a string takes it");
        if entry.config {
            writeln!(conffiles, "/{}", entry.path).expect("a string takes it");
        }
    }
    vec![
        text("conffiles", conffiles, 0o644),
        text("control", fields(release, made, entries), 0o644),
        text("md5sums", sums, 0o644),
        text("postinst", fill("package/postinst", &values), 0o755),
        text("postrm", fill("package/postrm", &values), 0o755),
        text("prerm", fill("package/prerm", &values), 0o755),
    ]
}

fn fields(release: &Release<'_>, made: &Made<'_>, entries: &[Entry]) -> String {
    let triple = made.target.triples.first().expect("a target has a triple");
    let arch = arch::Debian::of(triple).expect("the format fits the target");
    // In units of 1024 bytes, each file rounded up (policy, 5.6.20).
    let size: usize = entries.iter().map(|entry| entry.bytes.len().div_ceil(1024)).sum();
    let name = release.name.package();
    let mut out = String::new();
    let mut field = |key: &str, value: &str| {
        writeln!(out, "{key}: {value}").expect("a string takes it");
    };
    field("Package", &debian_name(release.name));
    field("Version", &version(release.version));
    field("Architecture", arch.name());
    // The field must be there; a build config does not say who answers for the package.
    field("Maintainer", &format!("{name} <nobody@localhost>"));
    field("Installed-Size", &size.to_string());
    if let Some(needs) = needs::of(triple, made.executable) {
        // Before Debian 11 it had the other name.
        let libgcc = if needs.libgcc { ", libgcc-s1 | libgcc1" } else { "" };
        field("Depends", &format!("libc6 (>= 2.{}){libgcc}", needs.glibc));
    }
    field("Section", "utils");
    field("Priority", "optional");
    field("Description", &summary(release));
    out.push_str(
        " Follows files and other sources, changes what it reads and delivers it, as its\n",
    );
    writeln!(out, " recipe in /etc/{name} says. Not started by the installation.")
        .expect("a string takes it");
    out
}
