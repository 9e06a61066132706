"""First come first served against the choice guarantee, on clinics in which all can be served."""
