"""JSON and XML shapes: configuration, .NET settings, editors, MCP, state files, Postman, plist, Android."""

from xml.sax.saxutils import escape

from .. import names, prose
from ..mark import mark
from ..slot import json_text
from .base import fmt, folder, groups, host, unique, vendor_word


def bare(row):
    return row.slot is None and (row.text.isdigit() or row.text in ("true", "false"))


def member(row, name):
    """`"name": "value"`; a value that is already escaped (encoding json) goes in as it is."""
    if bare(row):
        return f'"{name}": {row.text}'
    text = row.text if row.slot is not None and row.slot.encoding == "json" else json_text(row.text)
    return f'"{name}": "{text}"'


def objects(rand, slots, style, low=1, high=4, indent="  "):
    """The members of the outer object, grouped in sections."""
    members, used = [], set()
    for group in groups(rand, slots, low, high):
        slot = next((row.slot for row in group if row.slot is not None), None)
        named = slot is not None and (slot.near or rand.chance(0.4))
        section = vendor_word(slot) if named else rand.choice(prose.NOUNS)
        while section in used:
            section += "2"
        used.add(section)
        rows = [f"{indent}  {member(row, style(row.words))}" for row in unique(group)]
        members.append(f'{indent}"{style([section])}": {{\n' + ",\n".join(rows) + f"\n{indent}}}")
    return members


@fmt("json_config", 2.2, 4, "plain json base64 hex")
def json_config(rand, slots):
    style = rand.choice([names.camel, names.camel, names.lower, names.kebab, names.upper])
    body = "{\n" + ",\n".join([f'  "name": "{prose.project(rand)}"', *objects(rand, slots, style)]) + "\n}\n"
    path = rand.choice(
        [
            "config.json",
            "config/default.json",
            "config/production.json",
            "settings.json",
            ".vscode/settings.json",
            "secrets.json",
            "local.settings.json",
        ]
    )
    return f"{folder(rand)}/{path}", body


@fmt("appsettings", 1.5, 3, "plain json")
def appsettings(rand, slots):
    body = ['  "Logging": { "LogLevel": { "Default": "Information" } }', '  "AllowedHosts": "*"']
    strings = [s for s in slots if s.main.exact in ("ConnectionString", "DefaultConnection", "CONNECTION_STRING", "SQL_CONNECTION_STRING")]
    if strings:
        rows = [f'    {member(type("Row", (), dict(slot=s, text=s.main.text))(), names.pascal(s.main.words))}' for s in strings]
        body.append('  "ConnectionStrings": {\n' + ",\n".join(rows) + "\n  }")
    body += objects(rand, [s for s in slots if s not in strings], names.pascal, 1, 3)
    return f"{folder(rand)}/appsettings{rand.choice(['', '.Production', '.Development'])}.json", "{\n" + ",\n".join(body) + "\n}\n"


@fmt("package_json", 0.8, 1)
def package_json(rand, slots):
    scripts = ['    "build": "tsc -p ."', '    "test": "vitest run"']
    for slot in slots:
        pairs = " ".join(f"{(p.exact or names.upper(p.words))}={p.text}" for p in slot.pieces)
        url = f" API_URL={slot.kind.url}" if slot.near else ""
        scripts.append(f'    "deploy": "cross-env{url} {json_text(pairs)} node scripts/deploy.js"')
    deps = [
        f'    "{n}": "^{rand.randint(1, 9)}.{rand.randint(0, 20)}.{rand.randint(0, 9)}"'
        for n in rand.some(["express", "react", "zod", "axios", "pg", "next", "openai", "stripe"], 3, 5)
    ]
    return (
        f"{folder(rand)}/package.json",
        f'{{\n  "name": "{prose.project(rand)}",\n  "version": "1.{rand.randint(0, 30)}.0",\n  "scripts": {{\n'
        + ",\n".join(scripts)
        + '\n  },\n  "dependencies": {\n'
        + ",\n".join(deps)
        + "\n  }\n}\n",
    )


@fmt("mcp_json", 1, 2, "plain json")
def mcp(rand, slots):
    servers = []
    for slot in slots:
        env = [member(type("Row", (), dict(slot=slot, text=p.text))(), p.exact or names.upper(p.words)) for p in slot.pieces]
        name = vendor_word(slot) if slot.near else rand.choice(["search", "crm", "tools", "files"]) + rand.text("dig", 2)
        servers.append(
            f'    "{name}": {{\n      "command": "npx",\n      "args": ["-y", "@acme/{name}-mcp"],\n      "env": {{\n        '
            + ",\n        ".join(env)
            + "\n      }\n    }"
        )
    path = rand.choice([".mcp.json", ".cursor/mcp.json", "claude_desktop_config.json", ".vscode/mcp.json"])
    return f"{folder(rand)}/{path}", '{\n  "mcpServers": {\n' + ",\n".join(servers) + "\n  }\n}\n"


@fmt("tfstate", 0.7, 2)
def tfstate(rand, slots):
    resources = []
    for group in groups(rand, slots, 2, 4):
        slot = next((row.slot for row in group if row.slot is not None), None)
        kind = (
            f"{vendor_word(slot)}_token"
            if slot is not None and slot.near
            else rand.choice(["random_password", "aws_ssm_parameter", "kubernetes_secret"])
        )
        rows = [f"            {member(row, names.lower(row.words))}" for row in unique(group)]
        resources.append(
            f'    {{\n      "mode": "managed",\n      "type": "{kind}",\n      "name": "main",\n      "instances": [\n        {{\n          "schema_version": 0,\n          "attributes": {{\n'
            + ",\n".join(rows)
            + "\n          }\n        }\n      ]\n    }"
        )
    head = f'{{\n  "version": 4,\n  "terraform_version": "1.9.{rand.randint(0, 8)}",\n  "serial": {rand.randint(1, 400)},\n  "lineage": "{mark("d:uuid", rand.uuid())}",\n  "resources": [\n'
    return f"infra/{prose.project(rand)}-{rand.text('low', 3)}/terraform.tfstate", head + ",\n".join(resources) + "\n  ]\n}\n"


@fmt("postman", 0.6, 2)
def postman(rand, slots):
    values = []
    for slot in slots:
        if slot.near:
            values.append(f'    {{ "key": "base_url", "value": "{slot.kind.url}", "enabled": true }}')
        values += [
            f'    {{ "key": "{names.lower(p.words)}", "value": "{json_text(p.text)}", "type": "secret", "enabled": true }}' for p in slot.pieces
        ]
    values.append(f'    {{ "key": "request_id", "value": "{mark("d:uuid", rand.uuid())}", "enabled": true }}')
    return (
        f"docs/postman/{prose.project(rand)}-{rand.text('lan', 3)}.postman_environment.json",
        f'{{\n  "id": "{mark("d:uuid", rand.uuid())}",\n  "name": "Production",\n  "values": [\n' + ",\n".join(values) + "\n  ]\n}\n",
    )


@fmt("web_config", 0.9, 2)
def web_config(rand, slots):
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<configuration>", "  <appSettings>"]
    for group in groups(rand, slots, 1, 3):
        for row in unique(group):
            words = list(row.words) if row.slot is None or not row.slot.near else [vendor_word(row.slot), *row.words]
            if row.slot is not None and "onnection" in row.exact + "onnection" * ("CONNECTION" in row.exact):
                lines.append(f'    <add name="{names.pascal(words)}" connectionString="{escape(row.text)}" />')
            else:
                lines.append(f'    <add key="{names.pascal(words) if rand.chance(0.6) else names.dotted(words)}" value="{escape(row.text)}" />')
    lines += ["  </appSettings>", "  <system.web>", '    <compilation targetFramework="4.8" />', "  </system.web>", "</configuration>"]
    return f"{folder(rand)}/{rand.choice(['Web.config', 'App.config', 'web.Release.config'])}", "\n".join(lines) + "\n"


@fmt("xml_config", 1, 2)
def xml_config(rand, slots):
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<config>"]
    for group in groups(rand, slots, 1, 3):
        slot = next((row.slot for row in group if row.slot is not None), None)
        section = vendor_word(slot) if slot is not None and slot.near else rand.choice(prose.NOUNS)
        lines.append(f"  <{section}>")
        for row in unique(group):
            name = rand.choice([names.camel, names.kebab])(names.identifier(row.words))
            lines.append(f"    <{name}>{escape(row.text)}</{name}>")
        lines.append(f"  </{section}>")
    lines.append("</config>")
    return f"{folder(rand)}/{rand.choice(['config.xml', 'settings.xml', 'conf/context.xml', 'applicationContext.xml'])}", "\n".join(lines) + "\n"


@fmt("android_strings", 0.6, 2)
def android(rand, slots):
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        "<resources>",
        '    <string name="app_name">Acme</string>',
        '    <string name="password_hint">Enter your password</string>',
    ]
    for slot in slots:
        words = [vendor_word(slot)] if slot.near else []
        lines += [
            f'    <string name="{names.lower(words + p.words)}"{rand.choice(["", " translatable=" + chr(34) + "false" + chr(34)])}>{escape(p.text)}</string>'
            for p in slot.pieces
        ]
    lines += ['    <string name="forgot_password">Forgot password?</string>', "</resources>"]
    return f"mobile/android-{rand.text('lan', 4)}/app/src/main/res/values/strings.xml", "\n".join(lines) + "\n"


@fmt("plist", 0.5, 2)
def plist(rand, slots):
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
        '<plist version="1.0">',
        "<dict>",
    ]
    for group in groups(rand, slots, 1, 2):
        for row in unique(group):
            words = list(row.words) if row.slot is None or not row.slot.near else [vendor_word(row.slot), *row.words]
            lines += [f"    <key>{names.pascal(words)}</key>", f"    <string>{escape(row.text)}</string>"]
    return (
        f"mobile/ios-{rand.text('lan', 4)}/App/{rand.choice(['Info.plist', 'Secrets.plist', 'Keys.plist'])}",
        "\n".join([*lines, "</dict>", "</plist>"]) + "\n",
    )


__all__ = ["host"]
