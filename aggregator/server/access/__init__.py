"""Who asks, and what they may see: tokens, guesses at them, and forms sent from other sites."""
