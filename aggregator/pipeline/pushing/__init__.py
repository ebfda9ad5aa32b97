"""Tell others what views came to show: subscribers of our hub, webhooks, open streams."""
