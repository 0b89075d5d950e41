"""How values are written down: a module for each family of files. Importing this fills the register in files/base.py."""

from . import aws_files, cli, code, flat, json_like, pem, shell, special, special_auth, text, yaml_like  # noqa: F401
