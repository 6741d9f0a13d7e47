"""How old the last backup of the platform is. Owns no backup: `deploy/docker/backup` makes them,
and notes here when it began one that is whole. What was restored knows of those before alone.
"""

# Never backed up is older than anything, so that an alert on it is not silent.
GAUGES = {
    "sebalai_backup_age_seconds": """
    SELECT coalesce(extract(epoch FROM now() - max(begun_at)), 'Infinity') FROM backup
    """
}
