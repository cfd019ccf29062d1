//! The licences of everything in an agent: what may not be in it ([`Deny`]), and the file that
//! ships their texts.
//!
//! Most licences want their text handed on with the executable. `swak-myprj-LICENSES.txt` has the
//! texts of every crate that is linked in for any of the targets, of Rust's standard library, and
//! of the C runtime where that is linked in too; a text that many share stands there once.

pub(in crate::release) mod deny;
mod shipped;
mod system;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::graph::{CRATES_IO, Crate, CrateSource};
use super::{Made, Release};
use shipped::Shipped;

pub use deny::{Denied, Deny, UnknownLicense};

/// Something in the executable, with its licence.
struct Entry {
    /// `serde 1.0.2`
    title: String,
    /// The expression, or what is known instead.
    license: String,
    /// Who it is from.
    from: String,
    /// The targets that it is in.
    targets: BTreeSet<String>,
    shipped: Shipped,
}

/// The file of licences. Reads the licence files in the folders of the crates; one that cannot be
/// read is as if it were not there.
pub(super) fn text(release: &Release<'_>, made: &[Made<'_>]) -> String {
    let mut crates: BTreeMap<_, Entry> = BTreeMap::new();
    let mut system: BTreeMap<&str, Entry> = BTreeMap::new();
    for one in made {
        for krate in one.graph.dependencies().filter(|krate| krate.linked) {
            let entry = crates.entry(krate.key()).or_insert_with(|| entry(krate));
            entry.targets.insert(one.target.name.clone());
        }
        for part in
            one.target.triples.iter().flat_map(|triple| system::parts(triple, one.executable))
        {
            let entry = system.entry(part.order).or_insert_with(|| Entry {
                title: part.title.to_owned(),
                license: part.license.to_owned(),
                from: part.from.to_owned(),
                targets: BTreeSet::new(),
                shipped: Shipped::of_system(&part),
            });
            entry.targets.insert(one.target.name.clone());
        }
    }
    let entries: Vec<Entry> = crates.into_values().chain(system.into_values()).collect();
    write(release, made, &entries)
}

fn entry(krate: &Crate) -> Entry {
    let shipped = Shipped::of(krate);
    let license = match (&krate.license, shipped.is_empty()) {
        (Some(license), _) => license.clone(),
        (None, false) => "its own licence".to_owned(),
        (None, true) => "no licence said".to_owned(),
    };
    let from = match (&krate.repository, &krate.source) {
        (Some(repository), _) => repository.clone(),
        (None, CrateSource::Registry(index)) if index == CRATES_IO => {
            format!("https://crates.io/crates/{}", krate.name)
        }
        (None, source) => source.address().unwrap_or_default(),
    };
    Entry { title: krate.to_string(), license, from, targets: BTreeSet::new(), shipped }
}

fn write(release: &Release<'_>, made: &[Made<'_>], entries: &[Entry]) -> String {
    // Equal texts get one number, in the order in which they first come.
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut users: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for entry in entries {
        for text in &entry.shipped.texts {
            let number = *numbers.entry(&text.key).or_insert_with(|| {
                users.push((&text.title, &text.text, Vec::new()));
                users.len()
            });
            let (_, _, titles) = &mut users[number - 1];
            if titles.last() != Some(&entry.title.as_str()) {
                titles.push(&entry.title);
            }
        }
    }
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    line(&format!("Licences of what is in {} {}", release.name.package(), release.version));
    line("");
    let targets: Vec<_> = made.iter().map(|one| one.target.name.as_str()).collect();
    line(&format!("For: {}.", targets.join(", ")));
    line("A number in brackets is that of a text below.");
    line("");
    let all = made.iter().map(|one| &one.target.name).collect::<BTreeSet<_>>().len();
    for entry in entries {
        let mut shown = format!("{}: {}", entry.title, one_line(&entry.license));
        if !entry.from.is_empty() {
            write!(shown, ", {}", one_line(&entry.from)).expect("a string takes it");
        }
        if entry.targets.len() < all {
            let some: Vec<_> = entry.targets.iter().map(String::as_str).collect();
            write!(shown, " (only in {})", some.join(", ")).expect("a string takes it");
        }
        let mut numbers: Vec<usize> =
            entry.shipped.texts.iter().map(|text| numbers[text.key.as_str()]).collect();
        numbers.sort_unstable();
        numbers.dedup();
        for number in numbers {
            write!(shown, " [{number}]").expect("a string takes it");
        }
        line(&shown);
        if entry.shipped.standard {
            line("    It ships no text of its licence: the standard one stands for it.");
            if !entry.shipped.authors.is_empty() {
                line(&format!("    By {}.", one_line(&entry.shipped.authors)));
            }
        }
    }
    for (at, (title, text, titles)) in users.iter().enumerate() {
        line("");
        line(&"=".repeat(80));
        line(&format!("[{}] {title}", at + 1));
        line(&format!("Of {}", titles.join(", ")));
        line(&"=".repeat(80));
        line("");
        line(text);
    }
    out
}

/// What a stranger wrote, on one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_said_to_be_from_its_own_registry() {
        let from = |source| entry(&Crate::from_somewhere("x", source)).from;
        let registry = |index: &str| from(CrateSource::Registry(index.to_owned()));
        assert_eq!(registry(CRATES_IO), "https://crates.io/crates/x");
        assert_eq!(registry("sparse+https://example.com/index/"), "https://example.com/index/");
        let git = CrateSource::Git("git+https://me:secret@example.com/x?rev=1#12".to_owned());
        assert_eq!(from(git), "https://example.com/x");
    }
}
