"""Official lists of the archive (daftar arsip) as tables for people: CSV and Excel."""
