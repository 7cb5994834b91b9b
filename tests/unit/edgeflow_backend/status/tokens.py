"""Label Studio's two kinds of token, as they might stand in a message."""

LEGACY_TOKEN = "0123456789abcdef0123456789abcdef01234567"
SIGNED_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.c2lnbmF0dXJl"
