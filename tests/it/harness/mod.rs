//! What the integration tests stand on: the real binary in a scrubbed environment, the real services, and ways to kill
//! the one at the worst moment and to look for secrets afterwards.

pub(crate) mod aws;
pub(crate) mod canary;
pub(crate) mod program;
pub(crate) mod proxy;
pub(crate) mod shim;

/// Where the services of `tests/services` answer. Absent settings are a failure, never a skip.
pub(crate) mod services {
    /// ministack's endpoint: verifies signatures, refuses inactive and deleted keys, enforces policies.
    pub(crate) fn ministack() -> String {
        setting("STAUNCH_TEST_MINISTACK")
    }

    /// moto's endpoint: two-key limit, last use, managed policies.
    pub(crate) fn moto() -> String {
        setting("STAUNCH_TEST_MOTO")
    }

    /// The value of one of the settings that `tests/services` writes.
    pub(crate) fn setting(name: &str) -> String {
        std::env::var(name).unwrap_or_else(|_| {
            panic!("{name} is not set: run tests/run, or `tests/services start` and `eval \"$(tests/services env)\"` first")
        })
    }
}
