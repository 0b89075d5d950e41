//! URLs with passwords, told live from dead by the real PostgreSQL, MariaDB and Redis. Their users and passwords are made in
//! `tests/services`; one user for each way that a login may go.

use std::fs;

use serde_json::Value;

use crate::harness::program::Home;
use crate::harness::services::setting;

/// What is said of a URL in a scan of its own: findings with the same password would be one.
fn scanned(url: &str, arguments: &[&str]) -> Value {
    let home = Home::new();
    fs::write(home.work().join("service.env"), format!("BACKEND_URL={url}\n")).unwrap();
    let all = [&["scan", "--validate", "--format", "jsonl"], arguments, &["."]].concat();
    let output = home.staunch([&all[..], &["--ca-file", &setting("STAUNCH_TEST_CA")]].concat()).output();
    let (text, errors) = (output.stdout(), output.stderr());
    let password = url.split(':').nth(2).and_then(|rest| rest.split('@').next()).unwrap();
    assert!(!errors.contains(password) && !text.contains(password), "a password was shown");
    let finding: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    finding["liveness"].clone()
}

/// The same of a text that is no URL, where loopback is allowed.
fn said_of(text: &str) -> Value {
    let home = Home::new();
    fs::write(home.work().join("main.py"), format!("connect(\"{text}\")\n")).unwrap();
    let allowed = ["--allow-host", "127.0.0.1", "--allow-net", "127.0.0.0/8"];
    let output = home.staunch([&["scan", "--validate", "--format", "jsonl"], &allowed[..], &["."]].concat()).output();
    let finding: Value = serde_json::from_str(output.stdout().lines().next().unwrap()).unwrap();
    finding["liveness"].clone()
}

fn assert_said(urls: &[(String, &str, &str)]) {
    for (url, state, why) in urls {
        let said = scanned(url, &["--allow-host", "127.0.0.1", "--allow-net", "127.0.0.0/8"]);
        assert_eq!(said["state"], *state, "{url}: {said}");
        assert!(said.to_string().contains(why), "{url}: {said}");
    }
}

#[test]
fn postgresql_says_which_passwords_are_right() {
    let at = setting("STAUNCH_TEST_POSTGRES");
    let url = |login: &str, rest: &str| format!("postgresql://{login}@{at}/{rest}");
    assert_said(&[
        (url("shop:tR4k-9vWq_Zb2LmX", "postgres?sslmode=require"), "live", "\"user\":\"shop\""),
        (url("chief:hY7n-3cQs_Vd8KpT", "postgres"), "live", "\"superuser\":\"true\""),
        (url("old:uF2g-8sJx_Lt7BnV", "postgres?sslmode=disable"), "live", "old"),
        (url("clear:wE5j-6xRf_Gm1NzU", "postgres?sslmode=disable"), "live", "clear"),
        (url("clear:wE5j-6xRf_Gm1NzU", "postgres?sslmode=verify-full"), "live", "clear"),
        (url("clear:wE5j-6xRf_Gm1NzU", "postgres?sslmode=require"), "unknown", "has not proven who it is"),
        (url("shop:tR4k-9vWq_Zb2LmX", "nowhere"), "limited", "no such database"),
        (url("shop:tR4k-9vWq_Zb2LmX", "shut"), "limited", "may not connect"),
        (url("full_up:zC9d-1kGw_Qr5YhE", "postgres"), "limited", "too many connections"),
        (url("asleep:mB3f-7pTz_Xn6WdR", "postgres"), "limited", "may not log in"),
        (url("shop:Xm2L-bZ_qWv9-k4Rt", "postgres"), "dead", "not the password"),
        (url("nobody:tR4k-9vWq_Zb2Lmx", "postgres"), "dead", "no such user"),
        (url("old:Vn7B-tL_xJs8-g2Fu", "postgres"), "dead", "not the password"),
        (url("turned:qL8b-2yHc_Jk4SvA", "postgres"), "unknown", "did not look at the password"),
        (url("free:jK5t-3nPv_Hs8DwM", "postgres"), "unknown", "without a password"),
    ]);
}

/// Strings of keywords hold user, host and port on either side of the password.
#[test]
fn strings_of_keywords_are_asked_as_urls_are() {
    let (at, mysql) = (setting("STAUNCH_TEST_POSTGRES"), setting("STAUNCH_TEST_MARIADB"));
    let (host, port) = at.split_once(':').unwrap();
    for (text, state, word) in [
        (
            format!("host={host} port={port} user=shop password=tR4k-9vWq_Zb2LmX dbname=postgres"),
            "live",
            "\"user\":\"shop\"",
        ),
        (
            format!("user=shop password=tR4k-9vWq_Zb2LmX host={host} port={port} dbname=nowhere"),
            "limited",
            "no such database",
        ),
        (
            format!("host={host} port={port} user=shop password=Xm2L-bZ_qWv9-k4Rt dbname=postgres"),
            "dead",
            "not the password",
        ),
        (format!("Host={host};Port={port};Username=shop;Password=tR4k-9vWq_Zb2LmX;Database=postgres"), "live", "shop"),
        (
            format!("Host={host};Username=shop;Password=Xm2L-bZ_qWv9-k4Rt;Database=postgres;Port={port}"),
            "dead",
            "not the password",
        ),
        (
            format!(
                "Driver=MySQL;Server={host};Port={};Uid=shop;Pwd=gT6x-2bNw_Rk9QcV;Database=orders",
                mysql.split_once(':').unwrap().1
            ),
            "live",
            "shop",
        ),
        (
            format!("Server={host};Database=x;User Id=shop;Password=tR4k-9vWq_Zb2LmX"),
            "not_checked",
            "which kind of database",
        ),
        (format!("Server=tcp:{host},1433;Database=x;User Id=shop;Password=tR4k-9vWq_Zb2LmX"), "not_checked", "SQL Server"),
    ] {
        let said = said_of(&text);
        assert_eq!(said["state"], state, "{text}: {said}");
        assert!(said.to_string().contains(word), "{text}: {said}");
    }
}

/// The server trusts whoever has these users' passwords; a wrong one and the wrong place are refused in the same words.
#[test]
fn mariadb_says_which_passwords_are_right() {
    let at = setting("STAUNCH_TEST_MARIADB");
    let url = |login: &str, rest: &str| format!("mysql://{login}@{at}/{rest}");
    assert_said(&[
        (url("shop:gT6x-2bNw_Rk9QcV", "orders"), "live", "\"user\":\"shop\""),
        (url("shop:gT6x-2bNw_Rk9QcV", "orders?ssl-mode=DISABLED"), "live", "shop"),
        (url("shop:gT6x-2bNw_Rk9QcV", "orders?ssl-mode=VERIFY_IDENTITY"), "live", "shop"),
        (url("shop:VcQ9-kR_wNb2-x6Tg", "orders"), "unknown", "not the password, no such user"),
        (url("nobody:gT6x-2bNw_Rk9QcV", "orders"), "unknown", "not the password, no such user"),
        (url("elsewhere:dM4z-8pLh_Ys5JfB", ""), "unknown", "may not come from here"),
        (url("asleep:vX7q-1cGj_Dn3TsW", ""), "limited", "locked"),
        (url("asleep:WsT3-nD_jGc1-q7Xv", ""), "unknown", "not the password, no such user"),
        (url("stale:kH9r-5wZb_Mf2PyC", ""), "limited", "has expired"),
        (url("worn:nB3s-6tKv_Lq8XdG", ""), "live", "worn"),
        (url("worn:nB3s-6tKv_Lq8XdG", ""), "limited", "used up"),
        (url("worn:GdX8-qL_vKt6-s3Bn", ""), "unknown", ""),
    ]);
    let said = said_of(&format!("shop:gT6x-2bNw_Rk9QcV@tcp({at})/orders?tls=skip-verify"));
    assert_eq!(said["state"], "live", "{said}");
}

#[test]
fn redis_says_which_passwords_are_right() {
    let (at, tls) = (setting("STAUNCH_TEST_REDIS"), setting("STAUNCH_TEST_REDIS_TLS"));
    let port = tls.split(':').next_back().unwrap();
    assert_said(&[
        (format!("redis://:tN6v-4bKq_Wm9RsX@{at}/0"), "live", "\"user\":\"default\""),
        (format!("redis://reader:pX1c-8hZd_Ty3GfJ@{at}/0"), "live", "\"user\":\"reader\""),
        (format!("rediss://reader:pX1c-8hZd_Ty3GfJ@{tls}/0"), "live", "\"user\":\"reader\""),
        (format!("redis://h:tN6v-4bKq_Wm9RsX@{at}/0"), "live", "\"user\":\"default\""),
        (format!("redis://gone:kD7s-5wLm_Cv2QbN@{at}/0"), "dead", "the user is off"),
        (format!("redis://:Xs9R-mW_qKb4-v6Nt@{at}/0"), "dead", "not the password"),
        (format!("redis://:tN6v-4bKq_Wm9RsY@127.0.0.1:{port}/0"), "unknown", ""),
    ]);
}

#[test]
fn no_host_from_a_file_is_contacted_unless_the_operator_allows_it() {
    let urls = [
        format!("postgresql://shop:tR4k-9vWq_Zb2LmX@{}/postgres", setting("STAUNCH_TEST_POSTGRES")),
        format!("redis://:tN6v-4bKq_Wm9RsX@{}/0", setting("STAUNCH_TEST_REDIS")),
    ];
    for (url, arguments) in urls.iter().zip([["--allow-host", "db.corp"], ["--allow-net", "10.0.0.0/8"]]) {
        let said = scanned(url, &arguments);
        assert_eq!(said["state"], "unknown", "{said}");
        assert!(said["why"].as_str().unwrap().starts_with("host not allowed"), "{said}");
    }
}
