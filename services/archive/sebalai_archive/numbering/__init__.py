"""Numbers of letters: templates per agency and letter type, series per book and year, and the
register in which every number has a row. Does not own letters.
"""
