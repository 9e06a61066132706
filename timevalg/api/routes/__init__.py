"""The three surfaces: patients, planners, record systems."""
