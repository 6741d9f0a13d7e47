"""Every declared record as an object of an OCFL 1.1 storage root, written in the background, and
the archive's metadata made anew from it. Does not own records; reads them.
"""
