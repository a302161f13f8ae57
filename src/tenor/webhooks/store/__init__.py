"""SQL of webhooks: endpoints with their secrets; messages with their attempts."""
