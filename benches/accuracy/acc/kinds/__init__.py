"""All kinds, a file for each family. Importing this fills the register in acc/kind.py."""
from . import aws, azure, cloud, code, generic, keys, llm, llm_more, ops, saas, saas_more  # noqa: F401
