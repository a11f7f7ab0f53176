"""The measures of the output law: one module per measure, which registers it.

Modules here import torch inside their functions only, so that tables and figures can read the registry without it.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
