"""An optional second tier in Redis or Valkey, shared by processes; it never decides an answer."""
