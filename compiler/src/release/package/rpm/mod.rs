//! An `.rpm` (<https://rpm-software-management.github.io/rpm/manual/format_v4.html>): a lead, a
//! signature header, a header that says what it is, and a `cpio` archive compressed with gzip.
//!
//! It is not signed; the signature header holds sizes and digests.

mod cpio;
mod header;
mod need;
mod tag;

use std::collections::BTreeSet;

use md5::{Digest as _, Md5};

use super::{Entry, arch, summary, tar, version};
use crate::generate::templates::{Values, fill};
use crate::release::sums::sha256;
use crate::release::{Made, Release};
use header::{Header, Value};
use need::Need;

/// The release of a package: a version is packed once.
const RELEASE: &str = "1";
/// SHA-256, in the numbers of RFC 4880, 9.4.
const SHA256: u32 = 8;

/// The package, with these files.
pub(super) fn rpm(release: &Release<'_>, made: &Made<'_>, entries: Vec<Entry>) -> Vec<u8> {
    let files = Files::of(entries, release.moment.seconds());
    let archive = cpio::archive(&files);
    let payload = tar::compress(&archive);
    let header = main_header(release, made, &files, &payload).to_bytes(header::IMMUTABLE);
    let mut signature = Header::default();
    let whole = [header.as_slice(), &payload].concat();
    signature.add(tag::signature::SHA256, Value::Text(sha256(&header)));
    signature.add(tag::signature::SIZE, Value::Int32(vec![size(whole.len())]));
    signature.add(tag::signature::MD5, Value::Bytes(Md5::digest(&whole).to_vec()));
    signature.add(tag::signature::PAYLOADSIZE, Value::Int32(vec![size(archive.len())]));
    let mut signature = signature.to_bytes(header::SIGNATURES);
    // What follows begins at a multiple of eight.
    signature.resize(signature.len().next_multiple_of(8), 0);

    let full = format!("{}-{}-{RELEASE}", release.name.package(), version(release.version));
    let mut out = lead(&full);
    out.extend(signature);
    out.extend(whole);
    out
}

/// A file or a folder of its own, as the header and the archive name it.
struct File {
    /// From the root, with a `/` in front.
    path: String,
    bytes: Vec<u8>,
    /// With the kind of file, as `stat` says it.
    mode: u16,
    config: bool,
}

/// Everything in a package, ordered by path.
struct Files {
    list: Vec<File>,
    /// Seconds since 1970.
    time: u32,
}

impl Files {
    fn of(entries: Vec<Entry>, time: u32) -> Self {
        let mut list: Vec<File> = entries
            .into_iter()
            .map(|entry| File {
                path: format!("/{}", entry.path),
                bytes: entry.bytes,
                mode: 0o100_000 | entry.mode,
                config: entry.config,
            })
            .collect();
        // The folders that no other package has are taken away with this one.
        let own = list.iter().filter_map(|file| {
            let (folder, _) = file.path.rsplit_once('/')?;
            let shared = ["/usr/bin", "/usr/lib/systemd/system"];
            (!shared.contains(&folder)).then(|| folder.to_owned())
        });
        let own: BTreeSet<String> = own.collect();
        list.extend(own.into_iter().map(|path| File {
            path,
            bytes: Vec::new(),
            mode: 0o040_755,
            config: false,
        }));
        list.sort_by(|a, b| a.path.cmp(&b.path));
        Files { list, time }
    }

    fn each<T>(&self, of: impl FnMut(&File) -> T) -> Vec<T> {
        self.list.iter().map(of).collect()
    }
}

/// What the package is, and what is in it. Rpm wants some lists for each file although all of their
/// items are the same here.
fn main_header(release: &Release<'_>, made: &Made<'_>, files: &Files, payload: &[u8]) -> Header {
    let triple = made.target.triples.first().expect("a target has a triple");
    let arch = arch::RpmArch::of(triple).expect("the format fits the target").name();
    let (name, version) = (release.name.package(), version(release.version));
    let text = |text: &str| Value::Text(text.to_owned());
    let same = |value: &str| Value::Texts(vec![value.to_owned(); files.list.len()]);
    let mut values = Values::new();
    values.insert("package".into(), name.clone().into());

    let mut header = Header::default();
    header.add(tag::HEADERI18NTABLE, Value::Texts(vec!["C".to_owned()]));
    header.add(tag::NAME, text(&name));
    header.add(tag::VERSION, text(&version));
    header.add(tag::RELEASE, text(RELEASE));
    header.add(tag::SUMMARY, Value::Translated(summary(release)));
    header.add(tag::DESCRIPTION, Value::Translated(description(&name)));
    header.add(tag::BUILDTIME, Value::Int32(vec![files.time]));
    header.add(tag::BUILDHOST, text("localhost")); // its real name is nobody's business
    header.add(tag::SIZE, Value::Int32(vec![size(files.list.iter().map(|f| f.bytes.len()).sum())]));
    header.add(tag::LICENSE, text("see the file copyright"));
    header.add(tag::GROUP, Value::Translated("Unspecified".to_owned()));
    header.add(tag::OS, text("linux"));
    header.add(tag::ARCH, text(arch));
    header.add(tag::POSTIN, Value::Text(fill("package/postin", &values)));
    header.add(tag::PREUN, Value::Text(fill("package/preun", &values)));
    header.add(tag::POSTUN, Value::Text(fill("package/postun", &values)));
    header.add(tag::FILESIZES, Value::Int32(files.each(|f| size(f.bytes.len()))));
    header.add(tag::FILEMODES, Value::Int16(files.each(|f| f.mode)));
    header.add(tag::FILERDEVS, Value::Int16(files.each(|_| 0)));
    header.add(tag::FILEMTIMES, Value::Int32(files.each(|_| files.time)));
    let digest = |f: &File| if is_folder(f) { String::new() } else { sha256(&f.bytes) };
    header.add(tag::FILEDIGESTS, Value::Texts(files.each(digest)));
    header.add(tag::FILELINKTOS, same(""));
    // 1: configuration, 16: an update does not replace it; 2: documentation.
    let flags = |f: &File| match f {
        f if f.config => 1 | 16,
        f if f.path.starts_with("/usr/share/doc/") && !is_folder(f) => 2,
        _ => 0,
    };
    header.add(tag::FILEFLAGS, Value::Int32(files.each(flags)));
    header.add(tag::FILEUSERNAME, same("root"));
    header.add(tag::FILEGROUPNAME, same("root"));
    header.add(tag::SOURCERPM, Value::Text(format!("{name}-{version}-{RELEASE}.src.rpm")));
    header.add(tag::FILEVERIFYFLAGS, Value::Int32(files.each(|_| u32::MAX))); // verify everything
    header.add(tag::PROVIDENAME, Value::Texts(vec![name]));
    let needs = Need::all(made);
    header.add(tag::REQUIREFLAGS, Value::Int32(needs.iter().map(|need| need.flags).collect()));
    header
        .add(tag::REQUIRENAME, Value::Texts(needs.iter().map(|need| need.name.clone()).collect()));
    header.add(
        tag::REQUIREVERSION,
        Value::Texts(needs.iter().map(|need| need.version.to_owned()).collect()),
    );
    header.add(tag::RPMVERSION, text("4.14.0")); // the oldest rpm that knows all of this
    // The scripts are run by the shell.
    for program in [tag::POSTINPROG, tag::PREUNPROG, tag::POSTUNPROG] {
        header.add(program, text("/bin/sh"));
    }
    header.add(tag::FILEDEVICES, Value::Int32(files.each(|_| 1))); // one file system
    header.add(tag::FILEINODES, Value::Int32((1..).take(files.list.len()).collect())); // inodes
    header.add(tag::FILELANGS, same(""));
    header.add(tag::PROVIDEFLAGS, Value::Int32(vec![need::EQUAL]));
    header.add(tag::PROVIDEVERSION, Value::Texts(vec![format!("{version}-{RELEASE}")]));
    let folders = folders(files);
    let place = |f: &File| {
        let found = folders.iter().position(|folder| folder == split(f).0);
        size(found.expect("each file's folder is in the list"))
    };
    header.add(tag::DIRINDEXES, Value::Int32(files.each(place)));
    header.add(tag::BASENAMES, Value::Texts(files.each(|f| split(f).1.to_owned())));
    header.add(tag::DIRNAMES, Value::Texts(folders.clone()));
    header.add(tag::PAYLOADFORMAT, text("cpio"));
    header.add(tag::PAYLOADCOMPRESSOR, text("gzip"));
    header.add(tag::PAYLOADFLAGS, text("9"));
    header.add(tag::PLATFORM, text(&format!("{arch}-unknown-linux")));
    header.add(tag::FILEDIGESTALGO, Value::Int32(vec![SHA256]));
    header.add(tag::PAYLOADDIGEST, Value::Texts(vec![sha256(payload)]));
    header.add(tag::PAYLOADDIGESTALGO, Value::Int32(vec![SHA256]));
    header
}

fn description(name: &str) -> String {
    format!(
        "Follows files and other sources, changes what it reads and delivers it, as its\n\
         recipe in /etc/{name} says. Not started by the installation."
    )
}

fn is_folder(file: &File) -> bool {
    file.mode & 0o170_000 == 0o040_000
}

/// The folder with its `/`, and the name.
fn split(file: &File) -> (&str, &str) {
    let at = file.path.rfind('/').expect("a path has a slash in front");
    file.path.split_at(at + 1)
}

fn folders(files: &Files) -> Vec<String> {
    let mut folders = files.each(|file| split(file).0.to_owned());
    folders.sort();
    folders.dedup();
    folders
}

/// The 96 bytes that once said everything; now they tell other programs what the file is.
fn lead(full: &str) -> Vec<u8> {
    let mut out = vec![0xed, 0xab, 0xee, 0xdb, 3, 0, 0, 0, 0, 1];
    let mut name = full.as_bytes().to_vec();
    name.truncate(65);
    name.resize(66, 0);
    out.extend(name);
    out.extend([0, 1, 0, 5]); // Linux, with a signature header
    out.resize(96, 0);
    out
}

/// A number of bytes or of things; a package of four gigabytes is none of ours.
fn size(n: usize) -> u32 {
    u32::try_from(n).expect("a package is smaller than four gigabytes")
}
