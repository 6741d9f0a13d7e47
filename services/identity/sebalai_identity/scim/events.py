"""Facts about provisioning: ids and the agency."""

USER_PROVISIONED = "identity.user.provisioned.v1"
USER_DEPROVISIONED = "identity.user.deprovisioned.v1"
GROUP_CREATED = "identity.group.created.v1"
GROUP_CHANGED = "identity.group.changed.v1"
GROUP_DELETED = "identity.group.deleted.v1"
