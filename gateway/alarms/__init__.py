"""Where every alarm of the gateway ends: a row, a log line, a page, mails, an event that webhooks carry."""
