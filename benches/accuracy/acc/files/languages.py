"""How each programming language writes an assignment, a map, a request, a client and a split string.

Templates use @name@ for the variable in the language's own style, @v@ for the value, @url@ @H@ @hp@ for a request,
@Vendor@ and @vendor@ for the product's SDK. They are data: acc/files/code.py puts them together.
"""

import dataclasses

from .. import names


@dataclasses.dataclass
class Language:
    key: str
    extension: str
    folders: tuple
    style: object  # how variables are named
    constant: tuple  # templates of an assignment
    entry: str  # one entry of a map
    map: tuple  # (before, after)
    header: tuple  # templates of a request
    client: tuple  # templates that construct a client
    env: tuple  # a default beside a lookup in the environment
    split: tuple  # (between two halves) templates; the halves keep their quotes
    decode: tuple  # of base64
    unhex: tuple
    quote: str
    comment: str
    head: tuple
    filler: tuple


PYTHON = Language(
    "python",
    "py",
    ("app", "src", "scripts", "lib"),
    names.upper,
    ("@name@ = @v@", "@name@: str = @v@", "@lname@ = @v@"),
    '    "@lname@": @v@,',
    ("@map@ = {", "}"),
    (
        'def call_@n@():\n    response = requests.get(\n        "@url@",\n        headers={"@H@": "@hp@@raw@"},\n        timeout=10,\n    )\n    response.raise_for_status()\n    return response.json()',
        'headers_@n@ = {"@H@": "@hp@@raw@", "Accept": "application/json"}\nresponse = httpx.get("@url@", headers=headers_@n@)',
    ),
    (
        "from @vendor@ import @Vendor@\n\nclient_@n@ = @Vendor@(api_key=@v@)",
        "from @vendor@ import @Vendor@Client\n\nclient_@n@ = @Vendor@Client(\n    api_key=@v@,\n    timeout=20,\n)",
        "import @vendor@\n\n@vendor@.api_key = @v@",
    ),
    ('@name@ = os.environ.get("@name@", @v@)', '@name@ = os.getenv("@name@") or @v@'),
    ('" \\\n    "', '" + "', '"\n    "'),
    ("base64.b64decode(@v@).decode()",),
    ("bytes.fromhex(@v@).decode()",),
    '"',
    "# ",
    ("import os", "import base64", "import requests", "import logging"),
    (
        'def @verb@_@noun@(items):\n    """@sentence@"""\n    return [item for item in items if item.get("id")]',
        "class @Noun@Error(Exception):\n    pass",
        "logger = logging.getLogger(__name__)",
        'def get_password(user):\n    return keyring.get_password("acme", user)',
        'PASSWORD_FIELD = "password"',
        'API_KEY = os.environ["API_KEY"]',
        "def authenticate(username, password, token=None):\n    return backend.check(username, password)",
        'token = request.headers.get("Authorization", "").removeprefix("Bearer ")',
        'parser.add_argument("--api-key", help="API key (default: $API_KEY)")',
    ),
)

JAVASCRIPT = Language(
    "javascript",
    "js",
    ("src", "lib", "server", "scripts"),
    names.camel,
    ("const @name@ = @v@;", "let @name@ = @v@;", "module.exports.@name@ = @v@;", "const @uname@ = @v@;"),
    "  @name@: @v@,",
    ("const @map@ = {", "};"),
    (
        'async function call@N@() {\n  const res = await fetch("@url@", {\n    headers: { "@H@": "@hp@@raw@" },\n  });\n  return res.json();\n}',
        'axios.get("@url@", { headers: { "@H@": "@hp@@raw@" } }).then((r) => console.log(r.status));',
    ),
    ('const { @Vendor@ } = require("@vendor@");\nconst client@n@ = new @Vendor@({ apiKey: @v@ });', 'const @vendor@ = require("@vendor@")(@v@);'),
    ("const @name@ = process.env.@uname@ || @v@;", "const @name@ = process.env.@uname@ ?? @v@;"),
    ('" +\n  "', '" + "'),
    ('Buffer.from(@v@, "base64").toString()', "atob(@v@)"),
    ('Buffer.from(@v@, "hex").toString()',),
    '"',
    "// ",
    ('const express = require("express");', 'const axios = require("axios");'),
    (
        "function @verb@@Noun@(items) {\n  return items.filter((item) => item.id);\n}",
        'const password = document.querySelector("#password").value;',
        "const token = req.headers.authorization?.split(' ')[1];",
        "const apiKey = process.env.API_KEY;",
        'app.get("/@noun@s", async (req, res) => {\n  res.json(await @verb@@Noun@(req.query));\n});',
        "const passwordRegex = /^(?=.*[A-Z])(?=.*\\d).{8,}$/;",
        'if (!password) throw new Error("password is required");',
    ),
)

TYPESCRIPT = dataclasses.replace(
    JAVASCRIPT,
    key="typescript",
    extension="ts",
    head=('import { Injectable } from "@nestjs/common";', 'import axios from "axios";'),
    constant=("export const @name@: string = @v@;", "const @name@ = @v@;", "export const @uname@ = @v@;", "  private readonly @name@ = @v@;"),
    map=("export const @map@ = {", "} as const;"),
    client=(
        'import @Vendor@ from "@vendor@";\n\nconst client@n@ = new @Vendor@({ apiKey: @v@ });',
        'import { @Vendor@Client } from "@@vendor@/sdk";\n\nexport const client@n@ = new @Vendor@Client({\n  apiKey: @v@,\n});',
    ),
    filler=(
        "export interface @Noun@ {\n  id: string;\n  password?: string;\n  accessToken: string | null;\n}",
        "export async function @verb@@Noun@(id: string): Promise<@Noun@> {\n  return repo.findOneOrFail({ id });\n}",
        'const secret = config.get<string>("JWT_SECRET");',
        "type Credentials = { username: string; password: string };",
        "// @sentence@",
        'const token = await getAccessToken({ audience: "orders" });',
    ),
)

RUBY = Language(
    "ruby",
    "rb",
    ("app/services", "lib", "config/initializers"),
    names.upper,
    ("@name@ = @v@", "@lname@ = @v@", "config.@lname@ = @v@"),
    "  @lname@: @v@,",
    ("@map@ = {", "}"),
    (
        'request = Net::HTTP::Get.new(URI("@url@"))\nrequest["@H@"] = "@hp@@raw@"',
        'conn = Faraday.new(url: "@url@") do |f|\n  f.headers["@H@"] = "@hp@@raw@"\nend',
    ),
    ("@Vendor@.configure do |c|\n  c.api_key = @v@\nend", "client = @Vendor@::Client.new(access_token: @v@)"),
    ('@name@ = ENV.fetch("@name@", @v@)',),
    ("' \\\n  '", "' + '"),
    ("Base64.decode64(@v@)",),
    ("[@v@].pack('H*')",),
    "'",
    "# ",
    ("# frozen_string_literal: true", "require 'net/http'"),
    (
        "def @verb@_@noun@(id)\n  @Noun@.find(id)\nend",
        "validates :password, length: { minimum: 8 }",
        "user.authenticate(params[:password])",
        "token = request.headers['Authorization']",
        "# @sentence@",
    ),
)

PHP = Language(
    "php",
    "php",
    ("src", "public", "config", "includes"),
    names.camel,
    ("$@name@ = @v@;", "define('@uname@', @v@);", "const @uname@ = @v@;", "    private string $@name@ = @v@;"),
    "    '@lname@' => @v@,",
    ("$@map@ = [", "];"),
    ("$ch = curl_init('@url@');\ncurl_setopt($ch, CURLOPT_HTTPHEADER, ['@H@: @hp@@raw@']);",),
    ("$client@n@ = new \\@Vendor@\\Client(@v@);", "\\@Vendor@\\@Vendor@::setApiKey(@v@);"),
    ("$@name@ = getenv('@uname@') ?: @v@;",),
    ("' .\n    '", "' . '"),
    ("base64_decode(@v@)",),
    ("hex2bin(@v@)",),
    "'",
    "// ",
    ("<?php", "declare(strict_types=1);"),
    (
        "function @verb@@Noun@(array $items): array {\n    return array_filter($items);\n}",
        "$password = $_POST['password'] ?? '';",
        "if (!password_verify($password, $user->password_hash)) {\n    throw new AuthError('wrong password');\n}",
        "$token = $request->bearerToken();",
        "// @sentence@",
    ),
)

POWERSHELL = Language(
    "powershell",
    "ps1",
    ("scripts", "deploy", "tools"),
    names.pascal,
    ("$@name@ = @v@", "$env:@uname@ = @v@", "[string]$@name@ = @v@"),
    "    @name@ = @v@",
    ("$@map@ = @{", "}"),
    ('Invoke-RestMethod -Uri "@url@" -Headers @{ "@H@" = "@hp@@raw@" }',),
    ("Connect-@Vendor@ -ApiKey @v@",),
    ("$@name@ = if ($env:@uname@) { $env:@uname@ } else { @v@ }",),
    ('" +\n    "', '" + "'),
    ("[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String(@v@))",),
    ("[Convert]::FromHexString(@v@)",),
    '"',
    "# ",
    ("#Requires -Version 7", "$ErrorActionPreference = 'Stop'"),
    (
        "function Get-@Noun@ {\n    param([string]$Id)\n    Get-Item $Id\n}",
        "$Password = Read-Host -AsSecureString 'Password'",
        "$token = (Get-AzAccessToken).Token",
        "# @sentence@",
    ),
)
