//! Which output of a failover is tried first.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::net::UdpSocket;

use swak_recipe::model::StartBy;
use swak_sdk::ack::Outcome;
use swak_sdk::data::{Chunk, RecordRef, json};
use swak_sdk::options::FieldPath;

/// Which member is tried first.
pub(crate) enum Start {
    /// The same one for every record.
    At(usize),
    /// By the hash of a field, among so many.
    Field(FieldPath, usize),
}

impl Start {
    /// Decides what can be decided once.
    pub(crate) fn new(by: &StartBy, members: usize) -> swak_sdk::Result<Self> {
        let members = members.max(1);
        let pick = |hash: u64| Start::At((hash % members as u64) as usize);
        Ok(match by {
            StartBy::First => Start::At(0),
            StartBy::Random => pick(RandomState::new().hash_one(0)),
            StartBy::Ip => pick(hash_of(&own_address())),
            StartBy::Field(path) => Start::Field(path.parse::<FieldPath>()?, members),
        })
    }

    /// The parts of a chunk by the member they start with; order within a part is kept.
    pub(super) fn split(&self, chunk: Chunk) -> BTreeMap<usize, Chunk> {
        let (path, members) = match self {
            Start::At(start) => return BTreeMap::from([(*start, chunk)]),
            Start::Field(path, members) => (path, *members),
        };
        let mut parts = BTreeMap::<usize, Chunk>::new();
        for mut batch in chunk {
            let mut starts: Vec<usize> =
                batch.iter().map(|r| (field_hash(r, path) % members as u64) as usize).collect();
            let mut used = starts.clone();
            used.sort_unstable();
            used.dedup();
            let Some((last, others)) = used.split_last() else {
                // Whatever was in it is accounted for; nobody else will settle it.
                batch.settle(Outcome::Delivered);
                continue;
            };
            for start in others {
                let mut of_each = starts.iter();
                let part = batch.extract(|_| of_each.next() == Some(start));
                starts.retain(|s| s != start);
                parts.entry(*start).or_default().push(part);
            }
            parts.entry(*last).or_default().push(batch);
        }
        parts
    }
}

/// Equal values have equal hashes on every machine and in every run of one version; a missing field
/// is a value like any other.
fn field_hash(record: RecordRef<'_>, path: &FieldPath) -> u64 {
    let mut text = Vec::new();
    if let Some(value) = path.get(&record.to_map()) {
        json::write_value(&mut text, value);
    }
    hash_of(&text)
}

fn hash_of(value: &impl Hash) -> u64 {
    // `DefaultHasher::new` has fixed keys, unlike `RandomState`.
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The address that this machine would send from; no packet is sent. Machines without a network all
/// choose the same member.
fn own_address() -> String {
    // TEST-NET-1 (RFC 5737) and the prefix for documentation (RFC 3849): only the route is looked up.
    let routes = [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")];
    let address = |(from, to): (&str, &str)| {
        let socket = UdpSocket::bind(from).ok()?;
        socket.connect(to).ok()?;
        Some(socket.local_addr().ok()?.ip().to_string())
    };
    routes.into_iter().find_map(address).unwrap_or_default()
}
