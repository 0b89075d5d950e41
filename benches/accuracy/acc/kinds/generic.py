"""Credentials of no vendor: passwords, tokens, secrets, connection strings, and passwords on command lines."""
from urllib.parse import quote

from ..kind import b64, one, several

WORDS = ["Falcon", "Winter", "Dragon", "Berlin", "Coffee", "Tiger", "Sunrise", "Rocket", "Harvest", "Marble", "Copper", "Lisbon", "Octopus", "Velvet", "Thunder", "Saffron", "Mango", "Pirate", "Galaxy", "Monday"]
MARKS = "!@%^*_-+=?~"
DB_HOSTS = ["db.internal", "10.0.12.7", "prod-db.cluster-c1x2y3.eu-west-1.rds.amazonaws.com", "postgres.svc.cluster.local", "mysql-primary", "cache.acme-corp.io", "ep-cool-meadow-123.eu-central-1.aws.neon.tech", "warehouse.acme-corp.io"]
USERS = ["app", "admin", "svc_orders", "root", "postgres", "reporting", "deploy", "migrator", "acme"]


def human(rand, marks=MARKS):
    """As people choose them: a word or two, digits, a mark."""
    word = rand.choice(WORDS)
    if rand.chance(0.3):
        word = word.translate(str.maketrans("aeio", "@31" + "0" if "@" in marks else "431" + "0"))
    year = str(rand.choice([rand.randint(10, 99), rand.randint(1975, 2026), rand.randint(100, 9999)]))
    shapes = [word + rand.choice(marks) + year, word + year + rand.choice(marks), word + rand.choice(WORDS) + year, word.lower() + rand.choice(marks) + rand.choice(WORDS) + rand.choice(marks) + year,
              rand.choice([m for m in marks if m in "!@*_"] or [""]) + word + year + rand.choice(marks)]
    return rand.choice(shapes)


def machine(rand, marks=MARKS):
    """As a password manager makes them."""
    return rand.choice([lambda: rand.text("an", rand.randint(12, 28)), lambda: rand.text("hex", rand.choice([24, 32])),
                        lambda: rand.text("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789" + marks, rand.randint(14, 24)), lambda: rand.text("url", rand.randint(16, 32))])()


def safe(rand):
    """A password that needs no escape in a URL or on a command line, and that no option parser takes for a flag."""
    return human(rand, "-_.").lstrip("-_.") if rand.chance(0.4) else rand.text("an", rand.randint(12, 24))


def opaque(rand, _):
    return rand.choice([lambda: rand.text("an", rand.choice([24, 32, 40, 48, 64])), lambda: rand.text("hex", rand.choice([32, 40, 48, 64])), lambda: rand.text("url", rand.choice([32, 43, 44])),
                        lambda: b64(rand.randbytes(rand.choice([24, 32, 48])))])()


def api_key(rand, _):
    return rand.choice([lambda: rand.text("an", rand.choice([24, 32, 36, 40])), lambda: rand.text("hex", rand.choice([32, 40, 64])), lambda: rand.text("UAN", 32)])()


def database_url(rand, _):
    user, host = rand.choice(USERS), rand.choice(DB_HOSTS)
    password = quote(human(rand), safe="") if rand.chance(0.3) else safe(rand)
    scheme, port, tail = rand.choice([("postgres", 5432, "/orders"), ("postgresql", 5432, "/app?sslmode=require"), ("postgresql+asyncpg", 5432, "/app"), ("mysql", 3306, "/shop"), ("mysql+pymysql", 3306, "/shop?charset=utf8mb4"),
                                      ("mongodb", 27017, "/app?authSource=admin"), ("mongodb+srv", 0, "/app?retryWrites=true&w=majority"), ("redis", 6379, "/0"), ("rediss", 6380, "/1"), ("amqp", 5672, "/"), ("amqps", 5671, "/vhost"),
                                      ("mariadb", 3306, "/wiki"), ("clickhouse", 9000, "/events"), ("mssql+pyodbc", 1433, "/crm"), ("cockroachdb", 26257, "/bank")])
    if scheme.startswith("redis") and rand.chance(0.5):
        user = ""
    if scheme == "mongodb+srv":
        host = f"cluster0.{rand.text('lan', 5)}.mongodb.net"
    return f"{scheme}://{user}:{password}@{host}{':%d' % port if port else ''}{tail}"


def jdbc(rand, _):
    user, host, password = rand.choice(USERS), rand.choice(DB_HOSTS), safe(rand)
    return rand.choice([f"jdbc:postgresql://{host}:5432/app?user={user}&password={password}", f"jdbc:mysql://{host}:3306/shop?user={user}&password={password}&useSSL=true",
                        f"jdbc:sqlserver://{host}:1433;databaseName=crm;user={user};password={password};encrypt=true", f"jdbc:oracle:thin:{user}/{password}@//{host}:1521/ORCLPDB1",
                        f"jdbc:mysql://{user}:{password}@{host}:3306/shop"])


def ado(rand, _):
    user, host = rand.choice(["sa", *USERS]), rand.choice(DB_HOSTS)
    password = human(rand, "!@*_-") if rand.chance(0.6) else safe(rand)
    return rand.choice([f"Server={host},1433;Database=Crm;User Id={user};Password={password};TrustServerCertificate=True", f"Data Source={host};Initial Catalog=Orders;User ID={user};Password={password};Encrypt=True;",
                        f"Host={host};Port=5432;Database=app;Username={user};Password={password}", f"Driver={{ODBC Driver 18 for SQL Server}};Server=tcp:{host},1433;Database=crm;Uid={user};Pwd={password};Encrypt=yes;",
                        f"server={host};port=3306;uid={user};pwd={password};database=shop"])


def url_with_user(rand, _):
    user, password = rand.choice(USERS), safe(rand)
    return rand.choice([f"https://{user}:{password}@git.acme-corp.io/platform/infra.git", f"http://{user}:{password}@proxy.acme-corp.io:3128", f"ftp://{user}:{password}@files.acme-corp.io/incoming",
                        f"https://{user}:{password}@elastic.acme-corp.io:9243", f"smtp://{user}:{password}@smtp.acme-corp.io:587", f"sftp://{user}:{password}@sftp.partner-corp.com:22/out", f"https://{user}:{password}@nexus.acme-corp.io/repository/pypi/simple"])


PASSWORD_NAMES = ("DB_PASSWORD POSTGRES_PASSWORD MYSQL_ROOT_PASSWORD MYSQL_PASSWORD REDIS_PASSWORD ADMIN_PASSWORD SMTP_PASSWORD PASSWORD DB_PASS LDAP_BIND_PASSWORD KEYSTORE_PASSWORD "
                  "RABBITMQ_DEFAULT_PASS MINIO_ROOT_PASSWORD SPRING_DATASOURCE_PASSWORD ELASTIC_PASSWORD FTP_PASSWORD PASSWD PGPASSWORD DATABASE_PASSWORD MAIL_PASSWORD SSH_PASSWORD SERVICE_ACCOUNT_PASSWORD WIFI_PASSWORD")
KEY_NAMES = "API_KEY PAYMENT_GATEWAY_API_KEY INTERNAL_API_KEY ACME_API_KEY PARTNER_API_KEY BILLING_SERVICE_KEY X_API_KEY GATEWAY_KEY SMS_API_KEY ERP_API_KEY MASTER_KEY"
TOKEN_NAMES = "AUTH_TOKEN ACCESS_TOKEN DEPLOY_TOKEN ADMIN_TOKEN SERVICE_TOKEN REFRESH_TOKEN METRICS_TOKEN INTERNAL_TOKEN API_TOKEN BOT_AUTH_TOKEN VERIFY_TOKEN"
SECRET_NAMES = "JWT_SECRET SESSION_SECRET SECRET_KEY APP_SECRET CLIENT_SECRET COOKIE_SECRET ENCRYPTION_KEY WEBHOOK_SECRET HMAC_SECRET SIGNING_SECRET NEXTAUTH_SECRET OAUTH_CLIENT_SECRET CONSUMER_SECRET SHARED_SECRET"

one("generic.password", "G workload", lambda r, _: machine(r), PASSWORD_NAMES, "", "", share=7)
one("generic.human_password", "G workload", lambda r, _: human(r), PASSWORD_NAMES, "", "", share=5)
one("generic.api_key", "G workload", api_key, KEY_NAMES, "https://api.partner-corp.com/v2/quotes", "header:X-Api-Key", share=5)
one("generic.token", "G workload", opaque, TOKEN_NAMES, "https://gateway.acme-corp.io/v1/status", share=4)
one("generic.secret", "G workload", opaque, SECRET_NAMES, "", "", share=6)
one("generic.django_secret", "G workload", lambda r, _: "django-insecure-" * r.chance(0.4) + r.text("abcdefghijklmnopqrstuvwxyz0123456789!@#%^&*(-_=+)", 50), "SECRET_KEY", "", "", only="python", encodings=False)
one("generic.laravel_key", "G workload", lambda r, _: "base64:" + b64(r.randbytes(32)), "APP_KEY", "", "", only="env env_production compose", encodings=False)
one("generic.rails_secret", "G workload", "{hex:128}", "SECRET_KEY_BASE", "", "", only="env yaml_config ruby compose", encodings=False)
one("generic.database_url", "G workload", database_url, "DATABASE_URL DB_URL MONGO_URI MONGODB_URI REDIS_URL CELERY_BROKER_URL SQLALCHEMY_DATABASE_URI AMQP_URL DATABASE_URI", "", "", share=6)
one("generic.jdbc", "G workload", jdbc, "SPRING_DATASOURCE_URL JDBC_URL DB_CONNECTION_URL", "", "", share=2.5, only="properties yaml_config java kotlin env xml_config k8s_env compose", encodings=False)
one("generic.ado_net", "G workload", ado, "ConnectionString DefaultConnection CONNECTION_STRING SQL_CONNECTION_STRING", "", "", share=2.5, only="appsettings web_config csharp env python powershell", encodings=False)
one("generic.url_userinfo", "G workload", url_with_user, "REPO_URL HTTPS_PROXY FTP_URL ELASTICSEARCH_URL MAIL_URL PIP_INDEX_URL UPSTREAM_URL", "", "", share=3, encodings=False)
several("generic.user_and_password", "G workload", [("user?", lambda r, _: r.choice(USERS), "USERNAME DB_USER SMTP_USER"), ("key", lambda r, _: human(r) if r.chance(0.5) else machine(r), "PASSWORD DB_PASSWORD SMTP_PASSWORD")], "", "", share=3)
one("generic.basic_header", "G workload", lambda r, _: b64(f"{r.choice(USERS)}:{human(r) if r.chance(0.4) else machine(r)}"), "AUTHORIZATION", "https://jenkins.acme-corp.io/job/deploy/build", "", only="basic_header", share=3, encodings=False)
one("generic.bearer_header", "G workload", opaque, "AUTHORIZATION", "https://gateway.acme-corp.io/v1/orders", "", only="bearer_header", share=2, encodings=False)
one("generic.command_line", "G workload", lambda r, _: safe(r), "PASSWORD", "", "", only="command_line", share=6, encodings=False)
one("generic.sql_password", "G workload", lambda r, _: human(r, "!@*_-") if r.chance(0.5) else safe(r), "PASSWORD", "", "", only="sql_password", share=2.5, encodings=False)
for name, carrier in [("netrc", "netrc"), ("pgpass", "pgpass"), ("my_cnf", "my_cnf"), ("maven_settings", "maven_settings"), ("docker_auth", "docker_config"), ("wp_config", "wp_config"), ("git_url", "git_config"),
                      ("pypirc", "pypirc"), ("tomcat_users", "tomcat_users"), ("database_yml", "database_yml"), ("gradle_signing", "gradle_signing"), ("nuget_config", "nuget_config"), ("rclone_s3", "rclone"), ("redis_conf", "redis_conf")]:
    one("generic." + name, "G workload", lambda r, _: safe(r) if r.chance(0.7) else human(r, "!*_-"), "PASSWORD", "", "", only=carrier, encodings=False)
