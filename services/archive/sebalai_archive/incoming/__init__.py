"""Incoming letters (surat masuk) in an agency's agenda: by paper, mail, or over the bus. With
the tree of dispositions that says who does what about each. Does not own agenda numbers.
"""
