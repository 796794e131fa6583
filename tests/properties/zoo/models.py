"""Nothing here: `tests.properties.zoos` puts random models into this app."""
