"""What is done to stored things."""
