"""Records as packages for other archives: BagIt (RFC 8493) around E-ARK CSIP, out and in."""
