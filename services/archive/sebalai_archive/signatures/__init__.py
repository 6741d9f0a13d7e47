"""Signed files (letters, minutes) over the years: what each is, what was added to it, what is due.
Does not own how a signature or a timestamp is made (signing), nor the records themselves.
"""
