"""Layouts of annotation and training tools, one module each; all read what is exported to them."""
