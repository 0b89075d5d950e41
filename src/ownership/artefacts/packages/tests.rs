//! Real-shaped lists, and what must not be joined through them.

use crate::model::Tier::Inferred;
use crate::ownership::artefacts::testing::{VALUE, consumers, finding_in, tree};

fn unit(command: &str) -> String {
    format!("[Unit]\nDescription=x\n[Service]\n{command}\n[Install]\nWantedBy=multi-user.target\n")
}

/// The units that are named for a value in `file`, where `list` installs it.
fn said(files: &[(&str, &str)], file: &str) -> Vec<String> {
    let all = tree(files).resolve(&finding_in(file, VALUE, VALUE));
    let named = consumers(&all);
    assert!(named.iter().all(|(_, tier)| *tier == Inferred), "{named:?}");
    named.into_iter().map(|(id, _)| id.to_owned()).collect()
}

#[test]
fn what_a_package_installs_is_the_unit_s_that_reads_it() {
    let (server, client) =
        (unit("ExecStart=/usr/bin/app serve"), unit("ExecStart=/usr/bin/app run --config /etc/app/client.yml"));
    let list = "contents:\n  - src: server/server.yml\n    dst: /etc/app/server.yml\n    type: config|noreplace\n  - src: client/client.yml\n    dst: \
                /etc/app/client.yml\n  - src: ./server/app.service\n    dst: /lib/systemd/system/app.service\n  - src: client/client.service\n    \
                dst: /lib/systemd/system/client.service\n  - {src: other/other.yml, dst: /etc/other/other.yml}\n";
    let nested = format!("nfpms:\n- package_name: app\n  {}", list.replace('\n', "\n  "));
    for (path, list) in [("nfpm.yaml", list), (".goreleaser.yml", &nested)] {
        let files = [
            (path, list),
            ("server/app.service", server.as_str()),
            ("client/client.service", &client),
            ("contrib/own.service", &server),
        ];
        assert_eq!(said(&files, "server/server.yml"), ["systemd:server/app.service"], "{path}: by custom");
        assert_eq!(said(&files, "client/client.yml"), ["systemd:client/client.service"], "{path}: by name");
        for other in ["other/other.yml", "server/client.yml", "server.yml"] {
            assert_eq!(said(&files, other), Vec::<String>::new(), "{path} {other}");
        }
    }
}

#[test]
fn every_kind_of_list_is_read() {
    let reads = unit("ExecStart=/usr/bin/app\nEnvironmentFile=-/etc/app.conf");
    for (path, list, file, named) in [
        (
            "rpm/app.spec",
            "Source1: app.conf\n%install\ninstall -D -m 600 %{SOURCE1} %{buildroot}%{_sysconfdir}/app.conf\n",
            "pack/app.conf",
            true,
        ),
        ("debian/rules", "override_dh_auto_install:\n\tcp app.conf $(DESTDIR)/etc/app.conf\n", "pack/app.conf", true),
        ("debian/app.install", "conf/app.conf etc\n", "conf/app.conf", true),
        ("debian/app.install", "conf/app.conf etc/other\n", "conf/app.conf", false),
        ("PKGBUILD", "package() {\n  install -Dm644 conf/app.conf \"$pkgdir/etc/app.conf\"\n}\n", "conf/app.conf", true),
        ("Makefile", "install:\n\tinstall -m 644 conf/app.conf $(DESTDIR)/etc/app.conf\n", "conf/app.conf", true),
        ("Makefile", "install:\n\techo conf/app.conf $(DESTDIR)/etc/app.conf\n", "conf/app.conf", false),
        ("Makefile", "install:\n\tinstall -m 644 conf/app.conf build/etc/app.conf\n", "conf/app.conf", false),
        ("notes.txt", "install -m 644 conf/app.conf /etc/app.conf\n", "conf/app.conf", false),
    ] {
        let files = [(path, list), ("pack/app.service", reads.as_str())];
        assert_eq!(!said(&files, file).is_empty(), named, "{path} {list}");
    }
}

#[test]
fn odd_lists_end() {
    for (path, list) in [
        ("nfpm.yaml", "contents: [{src: etc, dst: x}, 3, {dst: /etc/a}]\n"),
        ("nfpm.yaml", "contents: [ # etc\n"),
        ("debian/a.install", "etc\n\n# etc\n"),
        ("x.spec", "install\ncp /etc/\n%{SOURCE1} /etc/x\n"),
    ] {
        let known = tree(&[(path, list), ("a.service", "[Service]\nExecStart=\nExecStart=\"\n")]);
        assert!(known.coverage().troubles.is_empty(), "{:?}", known.coverage());
    }
}
