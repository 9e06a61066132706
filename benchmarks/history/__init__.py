"""A history of many processes at once, and the checker that accepts only what could be true."""
