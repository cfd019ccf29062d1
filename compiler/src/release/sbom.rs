//! What an executable is made of, as CycloneDX 1.5 in JSON
//! (<https://cyclonedx.org/docs/1.5/json/>).
//!
//! The crates are those that Cargo resolved for the target: what is linked in has the scope
//! `required`, what only takes part in the build `excluded`. There is no time in it, and its serial
//! number is made from what it says, so that the same build has the same SBOM.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::graph::{CRATES_IO, Crate, CrateSource};
use super::licenses;
use super::sums::{hex, sha256};
use super::{Made, Release};

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

/// What the SBOM itself calls a crate. A folder or a repository of this machine may hold another
/// crate of the name and version of one from crates.io; their package URLs are the same.
fn reference(one: &Crate) -> String {
    match &one.source {
        CrateSource::Path => format!("path+{}", purl(one)),
        CrateSource::Git(source) if one.source.address().is_none() => {
            format!("git+{}#{}", purl(one), commit(source))
        }
        CrateSource::Registry(_) if one.source.address().is_none() => {
            format!("registry+{}", purl(one))
        }
        _ => purl(one),
    }
}

fn commit(source: &str) -> &str {
    source.split_once('#').map_or("", |(_, commit)| commit)
}

/// A package URL (<https://github.com/package-url/purl-spec>, type `cargo`). Where a crate is not
/// from crates.io, a qualifier says from where; one from this machine has none.
fn purl(one: &Crate) -> String {
    let plain = format!("pkg:cargo/{}@{}", one.name, escaped(&one.version.to_string()));
    match (&one.source, one.source.address()) {
        (CrateSource::Registry(index), _) if index == CRATES_IO => plain,
        (CrateSource::Registry(_), Some(address)) => {
            format!("{plain}?repository_url={}", escaped(&address))
        }
        (CrateSource::Git(source), Some(address)) => {
            // Cargo: `git+https://…?tag=x#commit`; package URLs: `git+https://…@commit`.
            let commit = commit(source);
            let at = if commit.is_empty() { "" } else { "@" };
            format!("{plain}?vcs_url={}", escaped(&format!("git+{address}{at}{commit}")))
        }
        (_, _) => plain,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_said_to_be_from_where_others_can_find_it() {
        let git = |source: &str| {
            let source = CrateSource::Git(format!("git+{source}#12ab"));
            Crate::from_somewhere("x", source)
        };
        let remote = git("https://me:secret@example.com/x.git?tag=v1");
        let address = "pkg:cargo/x@1.0.0?vcs_url=git%2Bhttps://example.com/x.git%4012ab";
        assert_eq!((purl(&remote).as_str(), reference(&remote).as_str()), (address, address));
        let local = git("file:///home/me/x");
        assert_eq!(purl(&local), "pkg:cargo/x@1.0.0");
        assert_eq!(reference(&local), "git+pkg:cargo/x@1.0.0#12ab");
        let index = CrateSource::Registry("sparse+https://example.com/index/".to_owned());
        let from = "pkg:cargo/x@1.0.0?repository_url=https://example.com/index/";
        assert_eq!(purl(&Crate::from_somewhere("x", index)), from);
    }
}
