"""``edgeflow-backend connect``: makes Label Studio send a project's clicks and events here."""
