"""Outgoing letters (naskah dinas keluar): draft, verification, number, signature, sending.
Does not own numbers (numbering), rendering, signing, or the record a letter becomes (records).
"""
