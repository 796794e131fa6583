"""The Django app whose models the cases define."""
