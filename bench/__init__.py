"""Every figure of the documentation, repeatable: `python -m bench --help`. Jetway is measured from outside."""
