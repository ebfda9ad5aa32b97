"""What a browser is shown: pages, their drawings, sign-in, and the decisions made on them."""
