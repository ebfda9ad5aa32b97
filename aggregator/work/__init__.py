"""Who runs a verb and when: the tick and the runners."""
