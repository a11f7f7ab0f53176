"""All built-in products: importing this module imports every module of the package, each of which declares its own.

The modules are imported by name, so that the hash of one product's code does not follow to all others.
"""

import importlib
import pkgutil

from ecot import products

# Modules that declare nothing: one imports a plotting library, the other prints.
OTHERS = {"drawing", "summary"}

for _module in pkgutil.iter_modules(products.__path__):
    if _module.name not in OTHERS:
        importlib.import_module(f"ecot.products.{_module.name}")
