//! An `.rpm` (<https://rpm-software-management.github.io/rpm/manual/format_v4.html>): a lead, a
//! signature header, a header that says what it is, and a `cpio` archive compressed with gzip.
//!
//! It is not signed; the signature header holds sizes and digests.

mod cpio;
mod header;

use md5::{Digest as _, Md5};

use super::{Entry, arch, needs, summary, tar, version};
use crate::generate::templates::{Values, fill};
use crate::release::sums::sha256;
use crate::release::{Made, Release};
use header::{Header, Value};

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
    signature.add(273, Value::Text(sha256(&header)));
    signature.add(1000, Value::Int32(vec![size(whole.len())]));
    signature.add(1004, Value::Bytes(Md5::digest(&whole).to_vec()));
    signature.add(1007, Value::Int32(vec![size(archive.len())]));
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
        let own: std::collections::BTreeSet<String> = own.collect();
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

/// The tags are those of `rpm/rpmtag.h`.
fn main_header(release: &Release<'_>, made: &Made<'_>, files: &Files, payload: &[u8]) -> Header {
    let triple = made.target.triples.first().expect("a target has a triple");
    let arch = arch::RpmArch::of(triple).expect("the format fits the target").name();
    let (name, version) = (release.name.package(), version(release.version));
    let text = |text: &str| Value::Text(text.to_owned());
    let same = |value: &str| Value::Texts(vec![value.to_owned(); files.list.len()]);
    let mut values = Values::new();
    values.insert("package".into(), name.clone().into());

    let mut header = Header::default();
    header.add(100, Value::Texts(vec!["C".to_owned()])); // languages of translated texts
    header.add(1000, text(&name));
    header.add(1001, text(&version));
    header.add(1002, text(RELEASE));
    header.add(1004, Value::Translated(summary(release)));
    header.add(1005, Value::Translated(description(&name)));
    header.add(1006, Value::Int32(vec![files.time])); // built
    header.add(1007, text("localhost")); // where: this machine's name is nobody's business
    header.add(1009, Value::Int32(vec![size(files.list.iter().map(|f| f.bytes.len()).sum())]));
    header.add(1014, text("see the file copyright")); // licence
    header.add(1016, Value::Translated("Unspecified".to_owned())); // group
    header.add(1021, text("linux"));
    header.add(1022, text(arch));
    header.add(1024, Value::Text(fill("package/postin", &values)));
    header.add(1025, Value::Text(fill("package/preun", &values)));
    header.add(1026, Value::Text(fill("package/postun", &values)));
    header.add(1028, Value::Int32(files.each(|f| size(f.bytes.len()))));
    header.add(1030, Value::Int16(files.each(|f| f.mode)));
    header.add(1033, Value::Int16(files.each(|_| 0))); // device numbers
    header.add(1034, Value::Int32(files.each(|_| files.time)));
    let digest = |f: &File| if is_folder(f) { String::new() } else { sha256(&f.bytes) };
    header.add(1035, Value::Texts(files.each(digest)));
    header.add(1036, same("")); // targets of links
    // 1: configuration, 16: an update does not replace it; 2: documentation.
    let flags = |f: &File| match f {
        f if f.config => 1 | 16,
        f if f.path.starts_with("/usr/share/doc/") && !is_folder(f) => 2,
        _ => 0,
    };
    header.add(1037, Value::Int32(files.each(flags)));
    header.add(1039, same("root"));
    header.add(1040, same("root"));
    header.add(1044, Value::Text(format!("{name}-{version}-{RELEASE}.src.rpm")));
    header.add(1045, Value::Int32(files.each(|_| u32::MAX))); // verify everything
    header.add(1047, Value::Texts(vec![name]));
    let needs = Requirement::all(made, &["postin", "preun", "postun"]);
    header.add(1048, Value::Int32(needs.iter().map(|need| need.flags).collect()));
    header.add(1049, Value::Texts(needs.iter().map(|need| need.name.clone()).collect()));
    header.add(1050, Value::Texts(needs.iter().map(|need| need.version.to_owned()).collect()));
    header.add(1064, text("4.14.0")); // the oldest rpm that knows all of this
    // The scripts are run by the shell.
    for tag in [1086, 1087, 1088] {
        header.add(tag, text("/bin/sh"));
    }
    header.add(1095, Value::Int32(files.each(|_| 1))); // one file system
    header.add(1096, Value::Int32((1..).take(files.list.len()).collect())); // inodes
    header.add(1097, same("")); // languages of the files
    header.add(1112, Value::Int32(vec![8])); // =
    header.add(1113, Value::Texts(vec![format!("{version}-{RELEASE}")]));
    let folders = folders(files);
    let place = |f: &File| {
        let found = folders.iter().position(|folder| folder == split(f).0);
        size(found.expect("each file's folder is in the list"))
    };
    header.add(1116, Value::Int32(files.each(place)));
    header.add(1117, Value::Texts(files.each(|f| split(f).1.to_owned())));
    header.add(1118, Value::Texts(folders.clone()));
    header.add(1124, text("cpio"));
    header.add(1125, text("gzip"));
    header.add(1126, text("9"));
    header.add(1132, text(&format!("{arch}-unknown-linux")));
    header.add(5011, Value::Int32(vec![SHA256]));
    header.add(5092, Value::Texts(vec![sha256(payload)]));
    header.add(5093, Value::Int32(vec![SHA256]));
    header
}

/// Something that must be there before.
struct Requirement {
    name: String,
    flags: u32,
    version: &'static str,
}

impl Requirement {
    /// What rpm itself must know, what runs the scripts, and the C library of one that is not
    /// static.
    fn all(made: &Made<'_>, scripts: &[&str]) -> Vec<Self> {
        /// `<=`, of rpm itself.
        const RPMLIB: u32 = 2 | 8 | 1 << 24;
        let need =
            |name: &str, flags, version| Requirement { name: name.to_owned(), flags, version };
        let mut all = vec![
            need("rpmlib(CompressedFileNames)", RPMLIB, "3.0.4-1"),
            need("rpmlib(FileDigests)", RPMLIB, "4.6.0-1"),
            need("rpmlib(PayloadFilesHavePrefix)", RPMLIB, "4.0-1"),
            need("rpmlib(TildeInVersions)", RPMLIB, "4.10.0-1"),
        ];
        // Bit 8 says that the shell itself is meant, 10 to 12 when it is needed.
        let when = scripts.iter().map(|script| match *script {
            "postin" => 1 << 10,
            "preun" => 1 << 11,
            _ => 1 << 12,
        });
        all.push(need("/bin/sh", when.fold(1 << 8, |flags, bit| flags | bit), ""));
        let triple = made.target.triples.first().expect("a target has a triple");
        if let Some(needs) = needs::of(triple, made.executable) {
            // Where pointers have 64 bits, the name of a library says so.
            let narrow = triple.processor() == "armv7" || triple.processor() == "i686";
            let wide = if narrow { "" } else { "(64bit)" };
            all.push(need(&format!("libc.so.6(GLIBC_2.{}){wide}", needs.glibc), 0, ""));
            if needs.libgcc {
                let wide = if narrow { "" } else { "()(64bit)" };
                all.push(need(&format!("libgcc_s.so.1{wide}"), 0, ""));
            }
        }
        all
    }
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
