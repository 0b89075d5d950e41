//! Tests against software that no one here wrote: ministack, moto, a container registry with skopeo and umoci, PostgreSQL, MariaDB, Redis, OpenBao, OpenSSH, started by `tests/services`. Everything in this
//! module is left out of the quick `cargo nextest run` and runs under `--profile full`.

mod chain;
mod crash;
mod drill;
mod full;
mod images;
mod kubernetes;
mod leak;
mod living;
mod logins;
mod moto;
mod openbao;
mod oracle;
mod pre_commit;
mod reach;
mod rotating;
mod rotating_approle;
mod rotating_ecs;
mod rotating_lambda;
mod rotating_mariadb;
mod rotating_postgres;
mod sessions;
mod ssh;
mod stopping;
mod turn;
mod watch;
