"""Electronic signatures in PDF files (PAdES), behind one interface for every kind of key.
Does not own letters: it gets bytes and gives bytes back.
"""
