"""Pure decisions about webhooks: signatures, retries, which URL and which address may be called."""
