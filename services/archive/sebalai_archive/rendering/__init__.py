"""Letters as PDF/A-2b, written by typst. Data goes in as data, never as markup."""
