"""What the API carries: offers, holds and choices at fixed arrival rates, beside a bare route."""
