//! What an executable is made of, as CycloneDX 1.5 in JSON
//! (<https://cyclonedx.org/docs/1.5/json/>).
//!
//! The crates are those that Cargo resolved for the target: what is linked in has the scope
//! `required`, what only takes part in the build `excluded`. There is no time in it, and its serial
//! number is made from what it says, so that the same build has the same SBOM.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::graph::{Crate, CrateSource};
use super::licenses;
use super::sums::{hex, sha256};
use super::{Made, Release};

/// The index of crates.io, as `Cargo.lock` says it.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The SBOM of one target.
pub(super) fn cyclonedx(release: &Release<'_>, made: &Made<'_>) -> Vec<u8> {
    let graph = made.graph;
    let package = release.name.package();
    let root = format!("pkg:generic/{package}@{}", escaped(&release.version.to_string()));
    let name = |one: &Crate| {
        if one.key() == graph.root().key() { root.clone() } else { reference(one) }
    };
    let components: Vec<Value> = graph.dependencies().map(component).collect();
    let dependencies: Vec<Value> = graph
        .crates()
        .iter()
        .map(|one| {
            let mut on: Vec<String> =
                one.dependencies.iter().map(|at| name(&graph.crates()[*at])).collect();
            on.sort_unstable();
            json!({ "ref": name(one), "dependsOn": on })
        })
        .collect();
    let triples: Vec<String> = made.target.triples.iter().map(ToString::to_string).collect();
    let mut bom = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "tools": { "components": [{
                "type": "application",
                "name": "swak-makebuild",
                "version": env!("CARGO_PKG_VERSION"),
            }]},
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": package,
                "version": release.version.to_string(),
                "purl": root,
                "hashes": [{ "alg": "SHA-256", "content": sha256(made.executable) }],
            },
            "properties": [
                { "name": "swak:target", "value": made.target.name },
                { "name": "swak:triples", "value": triples.join(" ") },
            ],
        },
        "components": components,
        "dependencies": dependencies,
    });
    bom["serialNumber"] = serial_number(&bom).into();
    let mut bytes = serde_json::to_vec_pretty(&bom).expect("an SBOM is plain data");
    bytes.push(b'\n');
    bytes
}

fn component(one: &Crate) -> Value {
    let mut value = json!({
        "type": "library",
        "bom-ref": reference(one),
        "name": one.name,
        "version": one.version.to_string(),
        "scope": if one.linked { "required" } else { "excluded" },
        "purl": purl(one),
    });
    if !one.authors.is_empty() {
        value["author"] = one.authors.join(", ").into();
    }
    if let Some(description) = &one.description {
        value["description"] = description.trim().into();
    }
    if let Some(licenses) = licenses_of(one) {
        value["licenses"] = licenses;
    }
    if let Some(checksum) = &one.checksum {
        value["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    // Only what is an address for certain: the field's form is checked by those who read it.
    let is_address = |text: &&String| {
        text.starts_with("https://")
            && text.bytes().all(|b| b.is_ascii_graphic())
            && !text.contains(['"', '<', '>', '\\', '^', '`', '{', '|', '}'])
    };
    if let Some(repository) = one.repository.as_ref().filter(is_address) {
        value["externalReferences"] = json!([{ "type": "vcs", "url": repository }]);
    }
    value
}

/// An expression where the crate says one that can be understood, else its own words.
fn licenses_of(one: &Crate) -> Option<Value> {
    let Some(text) = &one.license else {
        let file = one.license_file.as_ref()?.file_name()?.to_string_lossy();
        return Some(json!([{ "license": { "name": format!("see {file} in the crate") } }]));
    };
    Some(match licenses::deny::read(text) {
        Some(expression) => json!([{ "expression": expression.to_string() }]),
        None => json!([{ "license": { "name": text } }]),
    })
}

/// What the SBOM itself calls a crate. A folder may hold another crate of the name and version of
/// one from crates.io; their package URLs are the same.
fn reference(one: &Crate) -> String {
    match one.source {
        CrateSource::Path => format!("path+{}", purl(one)),
        _ => purl(one),
    }
}

/// A package URL (<https://github.com/package-url/purl-spec>, type `cargo`). Where a crate is not
/// from crates.io, a qualifier says from where; one in a folder has none, since the folder is this
/// machine's own.
fn purl(one: &Crate) -> String {
    let plain = format!("pkg:cargo/{}@{}", one.name, escaped(&one.version.to_string()));
    match &one.source {
        CrateSource::Registry(index) if index == CRATES_IO => plain,
        CrateSource::Registry(index) => {
            let address = index.split_once('+').map_or(index.as_str(), |(_, address)| address);
            format!("{plain}?repository_url={}", escaped(address))
        }
        CrateSource::Git(source) => {
            // Cargo: `git+https://…?tag=x#commit`; package URLs: `git+https://…@commit`.
            let (address, commit) = source.split_once('#').unwrap_or((source, ""));
            let address = address.split('?').next().unwrap_or_default();
            let at = if commit.is_empty() { "" } else { "@" };
            format!("{plain}?vcs_url={}", escaped(&format!("{address}{at}{commit}")))
        }
        CrateSource::Path => plain,
    }
}

/// Percent-encoded but for letters, digits and `.-_~:/`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~:/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A UUID of version 8 (RFC 9562, 5.8: of one's own making) from the SHA-256 of the rest.
fn serial_number(bom: &Value) -> String {
    let text = serde_json::to_vec(bom).expect("an SBOM is plain data");
    let mut id: [u8; 16] = Sha256::digest(text)[..16].try_into().expect("16 of 32 bytes");
    id[6] = id[6] & 0x0f | 0x80;
    id[8] = id[8] & 0x3f | 0x80;
    let hex = hex(&id);
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    format!("urn:uuid:{}", parts.join("-"))
}
