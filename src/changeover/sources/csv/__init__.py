"""Suppliers' reports: files of the inbox become batches; nothing here moves a file before its rows are committed."""
