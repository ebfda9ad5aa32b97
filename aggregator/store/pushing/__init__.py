"""Who is told of what views come to show, and how far each of them is."""
