//! Tests against software that no one here wrote: ministack and moto, started by `tests/services`. Everything in this
//! module is left out of the quick `cargo nextest run` and runs under `--profile full`.

mod chain;
mod crash;
mod leak;
mod oracle;
mod pre_commit;
