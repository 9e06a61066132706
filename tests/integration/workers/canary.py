"""A number that nobody may find where no patient is to be named."""

CANARY = "13047212345"
