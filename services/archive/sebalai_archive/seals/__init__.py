"""Which contents are sealed and how each opens: the data keys, wrapped, by plain digest and class;
and which stored bytes anything still names. Does not own the bytes (`content_store`).
"""
