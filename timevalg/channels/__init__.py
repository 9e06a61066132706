"""Ways out to patients."""
