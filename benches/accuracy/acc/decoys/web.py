"""Front ends: bundles, source maps, inline images and fonts, forms, styles, translations."""

import base64
import json

from ..mark import mark
from . import ids, values
from .whole import decoy

WORDS = {
    "de": [
        "Passwort",
        "Passwort vergessen?",
        "Passwort bestätigen",
        "Neues Passwort",
        "Zugangstoken",
        "Ihr geheimer Schlüssel",
        "API-Schlüssel erstellen",
    ],
    "fr": [
        "Mot de passe",
        "Mot de passe oublié ?",
        "Confirmer le mot de passe",
        "Nouveau mot de passe",
        "Jeton d'accès",
        "Votre clé secrète",
        "Créer une clé API",
    ],
    "es": [
        "Contraseña",
        "¿Olvidaste tu contraseña?",
        "Confirmar contraseña",
        "Nueva contraseña",
        "Token de acceso",
        "Tu clave secreta",
        "Crear clave de API",
    ],
    "en": ["Password", "Forgot your password?", "Confirm password", "New password", "Access token", "Your secret key", "Create an API key"],
    "nl": [
        "Wachtwoord",
        "Wachtwoord vergeten?",
        "Bevestig wachtwoord",
        "Nieuw wachtwoord",
        "Toegangstoken",
        "Uw geheime sleutel",
        "API-sleutel maken",
    ],
    "ja": ["パスワード", "パスワードをお忘れですか?", "パスワードの確認", "新しいパスワード", "アクセストークン", "秘密鍵", "APIキーを作成"],
    "pt": ["Senha", "Esqueceu a senha?", "Confirmar senha", "Nova senha", "Token de acesso", "Sua chave secreta", "Criar chave de API"],
    "pl": ["Hasło", "Nie pamiętasz hasła?", "Potwierdź hasło", "Nowe hasło", "Token dostępu", "Twój tajny klucz", "Utwórz klucz API"],
}
KEYS = ["password", "forgotPassword", "confirmPassword", "newPassword", "accessToken", "secretKey", "createApiKey"]


@decoy("i18n", 1.5)
def translations(rand):
    language = rand.choice(sorted(WORDS))
    table = dict(zip(KEYS, WORDS[language]))
    table.update(
        {"passwordMismatch": WORDS[language][0] + " !=", "passwordHint": "min. 12", "token": WORDS[language][4], "clientSecret": WORDS[language][5]}
    )
    form = rand.choice(["json", "yaml", "properties", "po", "xliff", "strings"])
    if form == "json":
        return f"locales/{language}.json", json.dumps({"auth": table}, ensure_ascii=False, indent=2) + "\n"
    if form == "yaml":
        return f"config/locales/{language}.yml", f"{language}:\n  auth:\n" + "".join(f'    {k}: "{v}"\n' for k, v in table.items())
    if form == "properties":
        return f"messages_{language}.properties", "".join(f"label.{k}={v}\n" for k, v in table.items())
    if form == "po":
        return f"locale/{language}/LC_MESSAGES/app.po", "".join(f'msgid "{k}"\nmsgstr "{v}"\n\n' for k, v in table.items())
    if form == "strings":
        return f"{language}.lproj/Localizable.strings", "".join(f'"{k}" = "{v}";\n' for k, v in table.items())
    return (
        f"messages.{language}.xlf",
        "<xliff><file><body>\n"
        + "".join(f'<trans-unit id="{k}"><source>{k}</source><target>{v}</target></trans-unit>\n' for k, v in table.items())
        + "</body></file></xliff>\n",
    )


@decoy("form")
def form(rand):
    return (
        "templates/login.html",
        """<form method="post" action="/login" class="login-form password-form">
  <label for="password">Password</label>
  <input type="password" id="password" name="password" placeholder="Enter your password" autocomplete="current-password" required>
  <input type="hidden" name="csrf_token" value="{{ csrf_token() }}">
  <input type="password" name="password_confirmation" data-testid="password-confirmation-input" aria-label="Confirm password">
  <input name="apiKey" type="text" value="" placeholder="your-api-key-here">
  <button class="btn btn-secret" id="reset-password-button">Reset password</button>
</form>
""",
    )


@decoy("css")
def css(rand):
    font = base64.b64encode(b"wOF2\x00\x01\x00\x00" + rand.randbytes(rand.randint(600, 1500))).decode()
    return (
        "assets/app.css",
        f'.password-field{{color:#{rand.text("hex", 6)}}}\n.token-list .secret-key{{display:none}}\n#api-key-input{{width:100%}}\n@font-face{{font-family:Acme;src:url({mark("d:base64-font", "data:font/woff2;base64," + font)}) format("woff2")}}\n.logo{{background:url({mark("d:base64-image", values.image(rand))})}}\n.app-{rand.text("hex", 32)}{{margin:0}}\n',
    )


@decoy("bundle", 1.5)
def bundle(rand):
    def piece():
        a, b, c = (rand.text("let", rand.randint(1, 2)) for _ in range(3))
        return rand.choice(
            [
                f"function {a}({b},{c}){{return {b}&&{c}.password?{a}({b}.token,{c}):void 0}}",
                f'{a}.exports=JSON.parse(\'{{"key":"{rand.text("low", 6)}","token":"{rand.text("low", 5)}"}}\');',
                f'var {a}="{rand.text("hex", rand.choice([20, 32, 40]))}",{b}=[{rand.randint(1, 99)},{rand.randint(100, 999)}];',
                f"{a}.apiKey={b}.apiKey||process.env.API_KEY;",
                f"{a}=n({rand.randint(1000, 99999)}),{b}=n.n({a});",
                f'"{rand.text("url", 22)}":{rand.randint(1, 9999)},',
                f'e.exports=n.p+"static/media/logo.{rand.text("hex", 20)}.svg";',
                f'function {a}(){{const {b}=localStorage.getItem("access_token");return{{Authorization:"Bearer ".concat({b})}}}}',
                f'chunkId:"{rand.text("hex", 8)}",hash:"{rand.text("hex", 16)}",',
                'if(!e.password||e.password.length<8)throw new Error("Password too short");',
                f'const {a}={{secret:void 0,apiKey:null,token:"",clientSecret:t.clientSecret}};',
                f"{a}.prototype.setPassword=function(e){{this.password=e}};",
            ]
        )

    return (
        f"dist/static/js/main.{rand.text('hex', 8)}.js",
        "!function(){" + "".join(piece() for _ in range(rand.randint(60, 160))) + f"}}();\n//# sourceMappingURL=main.{rand.text('hex', 8)}.js.map\n",
    )


@decoy("source-map")
def source_map(rand):
    vlq = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    mappings = ";".join(",".join(rand.text(vlq[:40], rand.choice([4, 5])) for _ in range(rand.randint(3, 30))) for _ in range(rand.randint(20, 60)))
    return f"dist/app.{rand.text('hex', 8)}.js.map", json.dumps(
        {
            "version": 3,
            "file": "app.js",
            "sources": ["webpack:///src/auth/password.ts", "webpack:///src/api/token.ts"],
            "sourcesContent": ["export const getPassword = () => form.password.value;\n", "export const token = () => storage.get('token');\n"],
            "names": ["password", "apiKey", "secret"],
            "mappings": mappings,
        }
    )


@decoy("sri")
def sri(rand):
    return (
        "public/index.html",
        "<!doctype html>\n<html><head>\n"
        + "".join(
            f'<script src="https://cdn.jsdelivr.net/npm/pkg{i}@1/dist/index.min.js" integrity="{values.integrity(rand, rand.choice(["sha384", "sha256", "sha512"]))}" crossorigin="anonymous"></script>\n'
            for i in range(6)
        )
        + f'<meta http-equiv="Content-Security-Policy" content="script-src \'nonce-{base64.b64encode(rand.randbytes(16)).decode()}\' \'sha256-{base64.b64encode(rand.randbytes(32)).decode()}\'">\n<link rel="preload" href="/assets/{rand.text("hex", 32)}.js">\n</head></html>\n',
    )


@decoy("publishable", 2)
def public_keys(rand):
    rows = dict(ids.publishable(rand) for _ in range(8))
    if rand.chance(0.5):
        return (
            "src/environments/environment.ts",
            "export const environment = {\n  production: true,\n"
            + "".join(
                f'  {"".join(p.capitalize() if i else p for i, p in enumerate(k.split("_")))}: "{mark("d:publishable", v)}",\n'
                for k, v in rows.items()
            )
            + "};\n",
        )
    return "frontend/.env", "".join(
        f"{rand.choice(['NEXT_PUBLIC', 'VITE', 'REACT_APP'])}_{k.upper()}={mark('d:publishable', v)}\n" for k, v in rows.items()
    )


@decoy("firebase")
def firebase(rand):
    """The web configuration without its key: project, sender and app ids are public."""
    project = "acme-" + rand.text("low", 5)
    return (
        "src/firebase.js",
        f'export const firebaseConfig = {{\n  authDomain: "{project}.firebaseapp.com",\n  projectId: "{project}",\n  storageBucket: "{project}.appspot.com",\n  messagingSenderId: "{rand.text("nz", 1) + rand.text("dig", 11)}",\n  appId: "1:{rand.text("dig", 12)}:web:{rand.text("hex", 22)}",\n  measurementId: "G-{rand.text("UAN", 10)}",\n}};\nexport const vapidKey = "{mark("d:publishable", "B" + rand.text("url", 86))}";\n',
    )


@decoy("component")
def component(rand):
    return (
        "src/components/LoginForm.tsx",
        """import { useState } from "react";

type Props = { onSubmit: (password: string, token?: string) => void };

export function LoginForm({ onSubmit }: Props) {
  const [password, setPassword] = useState("");
  const [apiKey, setApiKey] = useState<string | null>(null);
  const passwordInputId = "password-input-field";
  const tokenStorageKey = "acme.auth.access_token";
  return (
    <form data-testid="login-form" onSubmit={() => onSubmit(password)}>
      <Input name="password" type="password" label={t("auth.password.label")} error={errors.password?.message} />
      <Field name="clientSecret" secret={true} placeholder="xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" />
      <Link to="/account/reset-password">{t("auth.forgotPassword")}</Link>
    </form>
  );
}
""",
    )


@decoy("svg")
def svg(rand):
    path = " ".join(f"{rand.choice('MLCQ')}{rand.randint(0, 999) / 10} {rand.randint(0, 999) / 10}" for _ in range(120))
    return (
        "assets/logo.svg",
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><defs><image id="a" href="{mark("d:base64-image", values.image(rand))}"/></defs><path id="{rand.text("hex", 32)}" d="{path}"/></svg>\n',
    )
