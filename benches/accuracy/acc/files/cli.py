"""Credentials of no vendor on command lines, in Basic and Bearer headers, and in SQL."""

from .. import prose
from ..decoys import values
from ..mark import mark
from .base import fmt, folder

USERS = ["app", "admin", "deploy", "svc-backup", "root", "postgres"]
CURL = "curl"
HOSTS = ["db.internal", "10.0.12.7", "build-01.acme-corp.io", "nexus.acme-corp.io"]


def command(rand, v):
    u, h = rand.choice(USERS), rand.choice(HOSTS)
    common = [
        f"{CURL} -u {u}:{v} https://{h}/api/status",
        f"{CURL} --user '{u}:{v}' -T build.zip https://{h}/repository/raw/",
        f"sshpass -p '{v}' ssh {u}@{h} uptime",
        f"sshpass -p {v} scp dump.sql {u}@{h}:/backups/",
        f"mysql -h {h} -u {u} -p{v} shop < dump.sql",
        f"mysqldump --host={h} --user={u} --password={v} shop > shop.sql",
        f"PGPASSWORD={v} psql -h {h} -U {u} -d app -c 'select 1'",
        f"export MYSQL_PWD={v}",
        f"docker login -u {u} -p {v} {h}",
        f"redis-cli -h {h} -a {v} ping",
        f"mongosh 'mongodb://{h}:27017' -u {u} -p {v} --authenticationDatabase admin",
        f"wget --user={u} --password={v} https://{h}/files/a.tgz",
        f"helm registry login {h} --username {u} --password {v}",
        f"sqlcmd -S {h} -U sa -P {v} -Q 'SELECT 1'",
        f"curl -X POST https://{h}/login -d 'username={u}&password={v}'",
    ]
    rare = [
        f"echo '{v}' | docker login --username {u} --password-stdin {h}",
        f"smbclient //{h}/share -U {u}%{v} -c 'ls'",
        f"ldapsearch -x -H ldap://{h} -D cn={u},dc=acme -w {v} -b dc=acme",
        f"echo {v} | sudo -S systemctl restart api",
        f"influx auth create --username {u} --password {v}",
        f"keytool -importkeystore -srckeystore app.p12 -storepass {v} -noprompt",
        f"openssl pkcs12 -export -in cert.pem -out app.p12 -passout pass:{v}",
        f"net use Z: \\\\{h}\\share {v} /user:{u}",
        f"rabbitmqctl change_password {u} {v}",
        f"lftp -u {u},{v} -e 'mirror -R dist; quit' {h}",
        f"http -a {u}:{v} GET https://{h}/api/status",
        f"az login --service-principal -u {rand.uuid()} -p {v} --tenant {rand.uuid()}",
        f"mc alias set prod https://{h} {u} {v}",
        f"ansible-playbook site.yml -e ansible_become_pass={v}",
        f"htpasswd -bc /etc/nginx/.htpasswd {u} {v}",
    ]
    return rand.choice(common if rand.chance(0.7) else rare)


@fmt("command_line", 0, 3)
def command_line(rand, slots):
    calls = [command(rand, slot.main.text) for slot in slots]
    noise = [
        "git pull --rebase",
        "kubectl get pods",
        "make test",
        "docker compose up -d",
        "mysql -u app -p shop",
        "psql -U app app",
        'curl -u "$USER:$PASSWORD" https://nexus.acme-corp.io/',
        "sshpass -e ssh deploy@build-01",
        'docker login -u ci -p "$REGISTRY_TOKEN" registry.acme-corp.io',
        f"curl -s https://api.acme-corp.io/v1/orders/{mark('d:uuid', rand.uuid())}",
        "export PGPASSWORD=$(pass show db)",
        "openssl rand -base64 32",
        'redis-cli -a "$REDIS_PASSWORD" ping',
    ]
    form = rand.choice(["sh", "sh", "history", "make", "readme", "ci"])
    lines = []
    for call in calls:
        lines += rand.some(noise, 1, 3) + [call]
    lines += rand.some(noise, 1, 2)
    if form == "history":
        return f"home/{rand.choice(prose.PEOPLE)}-{rand.text('lan', 4)}/.bash_history", "\n".join(lines) + "\n"
    if form == "make":
        return f"{folder(rand)}/Makefile", "deploy:\n" + "\n".join("\t" + line for line in lines) + "\n"
    if form == "readme":
        return (
            f"{folder(rand)}/docs/ops_{rand.text('lan', 3)}.md",
            "# Operations\n\n" + "\n\n".join(f"{prose.sentence(rand)}\n\n```sh\n{line}\n```" for line in lines) + "\n",
        )
    if form == "ci":
        return (
            f"{folder(rand)}/.circleci/config.yml",
            "version: 2.1\njobs:\n  deploy:\n    docker:\n      - image: cimg/base:stable\n    steps:\n      - checkout\n"
            + "\n".join(f"      - run: {line}" for line in lines)
            + "\n",
        )
    return f"{folder(rand)}/scripts/ops_{rand.text('lan', 3)}.sh", "#!/bin/sh\nset -e\n" + "\n".join(lines) + "\n"


@fmt("basic_header", 0, 2)
def basic_header(rand, slots):
    parts = []
    form = rand.choice(["py", "sh", "http", "js", "json"])
    for slot in slots:
        v, url = slot.main.text, slot.kind.url
        parts.append(
            {
                "py": f'requests.post("{url}", headers={{"Authorization": "Basic {v}"}}, timeout=10)',
                "sh": f"curl -X POST {url} -H 'Authorization: Basic {v}'",
                "http": f"### build\nPOST {url}\nAuthorization: Basic {v}\n",
                "js": f'fetch("{url}", {{ method: "POST", headers: {{ Authorization: "Basic {v}" }} }});',
                "json": f'{{"url": "{url}", "headers": {{"Authorization": "Basic {v}"}}}}',
            }[form]
        )
    if form == "json":
        return f"{folder(rand)}/hooks_{rand.text('lan', 3)}.json", "[\n  " + ",\n  ".join(parts) + "\n]\n"
    head = {"py": "import requests\n\n", "sh": "#!/bin/sh\n", "http": "", "js": ""}[form]
    return f"{folder(rand)}/trigger_{rand.text('lan', 3)}.{form}", head + "\n\n".join(parts) + "\n"


@fmt("bearer_header", 0, 2)
def bearer_header(rand, slots):
    parts = []
    form = rand.choice(["py", "sh", "http", "ts"])
    for slot in slots:
        v, url = slot.main.text, slot.kind.url
        parts.append(
            {
                "py": f'response = httpx.get("{url}", headers={{"Authorization": "Bearer {v}"}})',
                "sh": f'curl -s {url} -H "Authorization: Bearer {v}"',
                "http": f"### list\nGET {url}\nAuthorization: Bearer {v}\n",
                "ts": f'const res = await fetch("{url}", {{ headers: {{ Authorization: "Bearer {v}" }} }});',
            }[form]
        )
        parts.append(
            {
                "py": 'headers = {"Authorization": f"Bearer {token}"}',
                "sh": 'curl -s https://api.acme-corp.io -H "Authorization: Bearer $TOKEN"',
                "http": "### me\nGET https://api.acme-corp.io/me\nAuthorization: Bearer {{token}}\n",
                "ts": "const headers = { Authorization: `Bearer ${token}` };",
            }[form]
        )
    return f"{folder(rand)}/call_{rand.text('lan', 3)}.{form}", "\n\n".join(parts) + "\n"


@fmt("sql_password", 0, 2)
def sql_password(rand, slots):
    lines = ["-- users of the application"]
    for slot in slots:
        v, u = slot.main.text, rand.choice(["app", "reporting", "etl", "readonly"])
        lines.append(
            rand.choice(
                [
                    f"CREATE USER '{u}'@'%' IDENTIFIED BY '{v}';",
                    f"CREATE ROLE {u} WITH LOGIN PASSWORD '{v}';",
                    f"ALTER USER {u} WITH ENCRYPTED PASSWORD '{v}';",
                    f"CREATE LOGIN {u} WITH PASSWORD = '{v}';",
                    f"ALTER USER '{u}'@'localhost' IDENTIFIED WITH mysql_native_password BY '{v}';",
                    f"SET PASSWORD FOR '{u}'@'%' = PASSWORD('{v}');",
                    f'CREATE USER {u} IDENTIFIED BY "{v}" DEFAULT TABLESPACE users;',
                ]
            )
        )
        lines.append(
            rand.choice(
                [
                    f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {u};",
                    f"INSERT INTO users (id, email, password_hash) VALUES ('{mark('d:uuid', rand.uuid())}', 'kim@acme-corp.io', '{mark('d:password-hash', values.bcrypt(rand))}');",
                    "ALTER ROLE app PASSWORD :'app_password';",
                ]
            )
        )
    return f"{folder(rand)}/db/users_{rand.text('lan', 3)}.sql", "\n".join(lines) + "\n"
