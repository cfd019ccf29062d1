//! What the system gives: this machine's name, and randomness.

/// The name of this machine; `localhost` where it has none.
pub(crate) fn host_name() -> String {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").unwrap_or_default();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

/// Bytes that nobody can guess.
///
/// # Panics
/// If the system has none, in which case no secret is safe.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("every system that we run on gives random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_name_and_no_two_random_values_are_the_same() {
        assert!(!host_name().is_empty());
        assert_ne!(random::<16>(), random::<16>());
    }
}
