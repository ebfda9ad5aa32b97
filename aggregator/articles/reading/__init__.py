"""What an article page says: its text, picture, people and times."""
