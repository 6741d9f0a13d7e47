"""How bytes lie in the store: sealed in frames, under keys of their class, on disk, in a bucket, as
objects. What a digest or a class means is the door's (`content_store`).
"""
