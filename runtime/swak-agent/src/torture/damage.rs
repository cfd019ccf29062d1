//! Damage to a file, as disks, power failures and people do it.

use std::fs;
use std::io;
use std::path::Path;

use super::random::Random;

/// Damages a file in one of many ways, and says how.
///
/// # Errors
/// As the system says.
pub(super) fn damage(path: &Path, random: &mut Random) -> io::Result<&'static str> {
    let mut bytes = fs::read(path)?;
    let length = bytes.len() as u64;
    let place = |random: &mut Random| usize::try_from(random.within(0..length.max(1))).unwrap_or(0);
    let how = match random.within(0..8) {
        0 | 1 if length > 0 => {
            let place = place(random);
            bytes[place] ^= 1 << random.within(0..8);
            "a flipped bit"
        }
        2 if length > 0 => {
            let start = place(random);
            bytes[start..].iter_mut().take(64).for_each(|byte| *byte = random.next() as u8);
            "overwritten bytes"
        }
        3 if length > 0 => {
            let start = place(random);
            bytes[start..].iter_mut().take(4096).for_each(|byte| *byte = 0);
            "zeros, as a power failure leaves them"
        }
        4 => {
            bytes.clear();
            "emptied"
        }
        5 => {
            let more = random.within(1..200);
            bytes.extend((0..more).map(|_| random.next() as u8));
            "garbage at its end"
        }
        6 => {
            fs::remove_file(path)?;
            return Ok("deleted");
        }
        _ => {
            bytes.truncate(place(random));
            "cut off"
        }
    };
    fs::write(path, bytes)?;
    Ok(how)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_damage_changes_the_file() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("x");
        let mut random = Random::new(5);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            fs::write(&path, b"0123456789").unwrap();
            let how = damage(&path, &mut random).unwrap();
            assert_ne!(fs::read(&path).unwrap_or_default(), b"0123456789", "{how}");
            seen.insert(how);
        }
        assert_eq!(seen.len(), 7, "{seen:?}");
        fs::write(&path, b"").unwrap();
        damage(&path, &mut random).unwrap();
    }
}
