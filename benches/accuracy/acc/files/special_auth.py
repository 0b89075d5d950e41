"""Files with a format of their own that hold a password of no vendor."""

import base64

from .. import prose
from ..decoys import values
from ..mark import mark
from .base import fmt, folder

USERS = ["app", "deploy", "svc_ci", "admin", "kim"]


def home(rand, name):
    return f"home/{rand.choice(prose.PEOPLE)}-{rand.text('lan', 4)}/{name}"


@fmt("netrc", 0, 1)
def netrc(rand, slots):
    v = slots[0].main.text
    machine = rand.choice(["nexus.acme-corp.io", "git.acme-corp.io", "artifactory.acme-corp.io"])
    return home(rand, rand.choice([".netrc", "_netrc"])), rand.choice(
        [f"machine {machine} login deploy password {v}\n", f"machine {machine}\n  login deploy\n  password {v}\n"]
    )


@fmt("pgpass", 0, 1)
def pgpass(rand, slots):
    return home(rand, ".pgpass"), f"# host:port:db:user:password\ndb.internal:5432:orders:{rand.choice(USERS)}:{slots[0].main.text}\n"


@fmt("my_cnf", 0, 1)
def my_cnf(rand, slots):
    return home(rand, ".my.cnf"), f"[client]\nuser={rand.choice(USERS)}\npassword={slots[0].main.text}\nhost=mysql-primary\n"


@fmt("maven_settings", 0, 1)
def maven_settings(rand, slots):
    return (
        home(rand, ".m2/settings.xml"),
        f"<settings>\n  <servers>\n    <server>\n      <id>nexus</id>\n      <username>{rand.choice(USERS)}</username>\n      <password>{slots[0].main.text}</password>\n    </server>\n    <server>\n      <id>snapshots</id>\n      <username>${{env.NEXUS_USER}}</username>\n      <password>{mark('d:reference', '${env.NEXUS_PASSWORD}')}</password>\n    </server>\n  </servers>\n</settings>\n",
    )


@fmt("docker_config", 0, 1)
def docker_config(rand, slots):
    slot = slots[0]
    slot.encoding, slot.envelope = "base64", f"{rand.choice(USERS)}:{slot.main.value}"
    text = slot.wrap(base64.b64encode(slot.envelope.encode()).decode())
    return (
        home(rand, rand.choice([".docker/config.json", ".dockerconfigjson"])),
        f'{{\n\t"auths": {{\n\t\t"registry.acme-corp.io": {{\n\t\t\t"auth": "{text}"\n\t\t}}\n\t}},\n\t"credsStore": "desktop"\n}}\n',
    )


@fmt("wp_config", 0, 1)
def wp_config(rand, slots):
    salts = "\n".join(
        f"define( '{n}', '{mark('d:placeholder', 'put your unique phrase here')}' );" for n in ("AUTH_KEY", "SECURE_AUTH_KEY", "NONCE_SALT")
    )
    return (
        f"sites/{prose.project(rand)}-{rand.text('lan', 4)}/wp-config.php",
        f"<?php\ndefine( 'DB_NAME', 'wordpress' );\ndefine( 'DB_USER', '{rand.choice(USERS)}' );\ndefine( 'DB_PASSWORD', '{slots[0].main.text}' );\ndefine( 'DB_HOST', 'localhost' );\n{salts}\n$table_prefix = 'wp_';\n",
    )


@fmt("git_config", 0, 1)
def git_config(rand, slots):
    if rand.chance(0.4):
        return home(rand, ".git-credentials"), f"https://{rand.choice(USERS)}:{slots[0].main.text}@git.acme-corp.io\n"
    return (
        f"repos/{prose.project(rand)}-{rand.text('lan', 4)}/.git/config",
        f'[core]\n\tbare = false\n[remote "origin"]\n\turl = https://{rand.choice(USERS)}:{slots[0].main.text}@git.acme-corp.io/acme/infra.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n',
    )


@fmt("pypirc", 0, 1)
def pypirc(rand, slots):
    return (
        home(rand, ".pypirc"),
        f"[distutils]\nindex-servers = internal\n\n[internal]\nrepository: https://pypi.acme-corp.io/\nusername: {rand.choice(USERS)}\npassword: {slots[0].main.text}\n",
    )


@fmt("tomcat_users", 0, 1)
def tomcat_users(rand, slots):
    return (
        f"opt/tomcat-{rand.text('lan', 4)}/conf/tomcat-users.xml",
        f'<?xml version="1.0" encoding="UTF-8"?>\n<tomcat-users>\n  <role rolename="manager-gui"/>\n  <user username="{rand.choice(USERS)}" password="{slots[0].main.text}" roles="manager-gui"/>\n  <!-- <user username="tomcat" password="{mark("d:placeholder", "<must-be-changed>")}" roles="tomcat"/> -->\n</tomcat-users>\n',
    )


@fmt("database_yml", 0, 1)
def database_yml(rand, slots):
    v = slots[0].main.text
    text = v if slots[0].main.value[0].isalnum() else f'"{v}"'
    return (
        f"{folder(rand)}/config/database.yml",
        f"default: &default\n  adapter: postgresql\n  pool: 5\n\ndevelopment:\n  <<: *default\n  password: {mark('d:reference', chr(60) + '%= ENV[' + chr(34) + 'DB_PASSWORD' + chr(34) + '] %' + chr(62))}\n\nproduction:\n  <<: *default\n  database: orders\n  username: {rand.choice(USERS)}\n  password: {text}\n",
    )


@fmt("gradle_signing", 0, 1)
def gradle_signing(rand, slots):
    v = slots[0].main.text
    if rand.chance(0.5):
        return f"mobile/android-{rand.text('lan', 4)}/keystore.properties", f"storeFile=release.jks\nstorePassword={v}\nkeyAlias=release\n"
    return (
        f"mobile/android-{rand.text('lan', 4)}/app/build.gradle",
        f"android {{\n    signingConfigs {{\n        release {{\n            storeFile file('release.jks')\n            storePassword '{v}'\n            keyAlias 'release'\n            keyPassword System.getenv('KEY_PASSWORD')\n        }}\n    }}\n}}\n",
    )


@fmt("nuget_config", 0, 1)
def nuget_config(rand, slots):
    return (
        f"{folder(rand)}/nuget.config",
        f'<?xml version="1.0" encoding="utf-8"?>\n<configuration>\n  <packageSourceCredentials>\n    <acme>\n      <add key="Username" value="{rand.choice(USERS)}" />\n      <add key="ClearTextPassword" value="{slots[0].main.text}" />\n    </acme>\n  </packageSourceCredentials>\n</configuration>\n',
    )


@fmt("rclone", 0, 1)
def rclone(rand, slots):
    return (
        home(rand, ".config/filezilla/sitemanager.ini"),
        f"[sftp-prod]\ntype = sftp\nhost = files.acme-corp.io\nuser = {rand.choice(USERS)}\npassword = {slots[0].main.text}\nkey_file = ~/.ssh/id_ed25519\n",
    )


@fmt("redis_conf", 0, 1)
def redis_conf(rand, slots):
    return (
        f"etc/redis-{rand.text('lan', 4)}/redis.conf",
        f"bind 127.0.0.1\nport 6379\nrequirepass {slots[0].main.text}\n# masterauth <master-password>\nmaxmemory 512mb\n",
    )


__all__ = ["values"]
