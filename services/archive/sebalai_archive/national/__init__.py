"""Exchange of letters with the national archive application (SRIKANDI): queued, both ways."""
